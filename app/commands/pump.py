"""`pumpline pump`: until when a pump holds drug, for one case or for a stream of them. Needs no database."""

import sys
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Context, Decimal
from typing import Any

import click

from app.clock import Clock, system_clock
from app.commands.errors import Failed
from app.commands.printing import echo_table
from app.domain.pump import DoseChange, Fill, Limits, Program, PumpRefused, RefillDates, check, in_figures, refill_dates
from app.integrations.pump_cases import CaseError, PumpCase, as_fields, as_json, day, number, read_case, whole_days

FOR_STAFF = "These dates are for staff: never text them to a patient."


def _option(flag: str, name: str, reader: Callable[[str, str], Any], metavar: str, words: str) -> Callable[..., Any]:
    """Make an option whose value is read as a field of a case is, in the same words when it cannot be."""

    def read(context: click.Context, option: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else reader(f'"{value}"', value)
        except CaseError as error:
            raise click.BadParameter(str(error), context, option) from None

    return click.option(flag, name, callback=read, metavar=metavar, help=words)


def _numbers(name: str, text: str) -> tuple[Decimal, ...]:
    try:
        return tuple(number(part, part) for part in text.split(","))
    except CaseError:
        raise CaseError(f"{name} is not amounts divided by commas: write 400,400,400,400,400,300,300") from None


def _changes(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> tuple[tuple[date, tuple[Decimal, ...]], ...]:
    try:
        return tuple(_change(text) for text in given)
    except CaseError as error:
        raise click.BadParameter(f"{error}; write 2026-02-01=450", context, option) from None


def _change(text: str) -> tuple[date, tuple[Decimal, ...]]:
    on, divider, doses = text.partition("=")
    if not divider:
        raise CaseError(f'"{text}" has no "=" between day and dose')
    return day(f'"{on}"', on), _numbers(f'"{doses}"', doses)


@click.command("pump")
@_option("--volume", "volume", number, "ML", "Reservoir volume after the refill.")
@_option("--alarm-volume", "alarm_volume", number, "ML", "Where the low reservoir alarm sounds. [default: 2]")
@_option("--concentration", "concentration", number, "MCG/ML", "Drug in the liquid.")
@_option("--dose", "dose", number, "MCG", "Daily dose.")
@_option("--weekday-doses", "weekday_doses", _numbers, "MCG,...", "Instead of it: seven, Monday first.")
@_option("--boluses-per-day", "boluses_per_day", number, "N", "Patient boluses expected a day; may be a fraction.")
@_option("--bolus", "bolus", number, "MCG", "Size of one.")
@_option("--filled-on", "filled_on", day, "DATE", "Day of the refill.")
@click.option("--change", "changes", multiple=True, callback=_changes, metavar="DATE=MCG",
              help="Another dose from that day on, or seven divided by commas; repeatable.")  # fmt: skip
@_option("--band", "band", number, "SHARE", "How far the flow may be off, either way. [default: 0.15]")
@_option("--stability-days", "stability_days", whole_days, "N", "Drug stability limit. [default: 180]")
@_option("--max-interval-days", "max_interval_days", whole_days, "N", "The clinic's longest interval. [default: none]")
@_option("--lead-days", "lead_days", whole_days, "N", "Plan this many days earlier still. [default: 0]")
@_option("--pump-size", "pump_size", number, "ML", "What the pump can hold.")
@_option("--implanted-on", "implanted_on", day, "DATE", "Day of the implant.")
@click.option("--confirm-concentration", is_flag=True, help="The label was checked: this concentration is right.")
@_option("--on", "on", day, "DATE", "Tell the days of drug left on this day. [default: today]")
@click.option("--json", "in_json", is_flag=True, help="Print JSON.")
@click.option("--json-lines", is_flag=True, help="Read cases from standard input: docs/commands.md has the fields.")
@click.pass_obj
def pump(clock: Clock | None, /, json_lines: bool, **given: Any) -> None:
    """Work out until when a pump holds drug, with the band around it.

    Volumes in mL, concentration in mcg/mL, doses in mcg. The dates are for staff, never texted.
    """
    now: Clock = clock or system_clock
    if not json_lines:
        _check_usage(given)
        _tell_one(given, _today(now))
        return
    if any(value is not None and value is not False and value != () for value in given.values()):
        raise click.UsageError("--json-lines reads every case from standard input: leave the other options out")
    for line in sys.stdin.buffer:
        if line.strip():
            click.echo(as_json(_answered(line, _today(now))))


def _today(now: Clock) -> date:
    """Where this machine is: a refill's day is a day on the wall calendar."""
    return now().astimezone().date()


def _answered(line: bytes, today: date) -> dict[str, Any]:
    try:
        case = read_case(line)
    except CaseError as error:
        return {"id": error.id, "error": str(error)}
    try:
        return {"id": case.id} | as_fields(_dates(case, today))
    except PumpRefused as error:
        return {"id": case.id, "error": str(error)}


def _dates(case: PumpCase, today: date) -> RefillDates:
    check(
        case.fill,
        case.program,
        today=today,
        concentration_confirmed=case.concentration_confirmed,
        reservoir_size_ml=case.reservoir_size_ml,
        implanted_on=case.implanted_on,
    )
    return refill_dates(case.fill, case.program, case.limits, case.changes)


def _check_usage(given: Mapping[str, Any]) -> None:
    needed = {"--volume": "volume", "--concentration": "concentration", "--filled-on": "filled_on"}
    if missing := [flag for flag, name in needed.items() if given[name] is None]:
        raise click.UsageError(f"a case needs volume, concentration, dose and refill day: give {' and '.join(missing)}")
    if (given["dose"] is None) == (given["weekday_doses"] is None):
        raise click.UsageError("choose one: --dose MCG, or --weekday-doses with seven")
    if (given["boluses_per_day"] is None) != (given["bolus"] is None):
        raise click.UsageError("--boluses-per-day and --bolus belong together: give both, or none")
    if given["on"] is not None and given["on"] < given["filled_on"]:
        raise click.UsageError("--on is before --filled-on: choose the refill's day or a later one")


def _tell_one(given: Mapping[str, Any], today: date) -> None:
    try:
        case = _case(given)
        dates = _dates(case, today)
    except PumpRefused as error:
        raise Failed(str(error)) from None
    on = given["on"] or today
    left = dates.days_left(on)
    if not given["in_json"]:
        _tell(case, dates)
        click.echo(f"drug left   on {on}: {left.nominal} days nominal, {left.early} early")
        click.echo(FOR_STAFF)
        return
    days_left = {"on": on.isoformat(), "nominal": left.nominal, "early": left.early}
    click.echo(as_json(as_fields(dates) | {"plan_by_because": dates.plan_by_because, "days_left": days_left}))


def _tell(case: PumpCase, dates: RefillDates) -> None:
    program, volume, usable = case.program, case.fill.reservoir_volume_ml, case.fill.usable_volume_ml
    boluses = f"; {in_figures(program.boluses_per_day)} boluses of {in_figures(program.bolus_mcg)} mcg a day"
    click.echo(f"filled      {case.fill.filled_on} with {in_figures(volume)} mL, {in_figures(usable)} mL of it usable")
    click.echo(f"program     {in_figures(program.concentration_mcg_per_ml)} mcg/mL, {_dose(program)}"
               f"{boluses if program.boluses_per_day else ''}")  # fmt: skip
    for change in sorted(case.changes, key=lambda change: change.on):
        click.echo(f"            from {change.on} {_dose(change)}")
    flow = in_figures(Context(prec=4).plus(dates.flow_ml_per_day))
    click.echo(f"flow        {flow} mL/day{_which_flow(case)}\n")
    band = f"{in_figures(case.limits.band * 100)} %"
    echo_table(
        ("", f"EARLY (flow {band} up)", "NOMINAL", f"LATE (flow {band} down)"),
        (
            ("low reservoir alarm", dates.early_low_alarm_on, dates.low_alarm_on, dates.late_low_alarm_on),
            ("empty", dates.early_empty_on, dates.empty_on, dates.late_empty_on),
        ),
        "no dates",
    )
    click.echo(f"\nstable      until {dates.stable_until}: drug stability limit of {case.limits.stability_days} days")
    click.echo(f"plan by     {dates.plan_by}: {dates.plan_by_because}")


def _which_flow(case: PumpCase) -> str:
    if case.changes:
        return " on the day of the refill"
    return "" if case.program.weekday_doses_mcg is None else ", mean of the week"


def _dose(said: Program | DoseChange) -> str:
    if said.daily_dose_mcg is not None:
        return f"{in_figures(said.daily_dose_mcg)} mcg/day"
    return f"{', '.join(in_figures(dose) for dose in said.weekday_doses_mcg or ())} mcg, Monday first"


def _case(given: Mapping[str, Any]) -> PumpCase:
    bolus = _of(given, boluses_per_day="boluses_per_day", bolus_mcg="bolus")
    limits = ("band", "stability_days", "max_interval_days", "lead_days")
    return PumpCase(
        id=None,
        fill=Fill(given["filled_on"], given["volume"], **_of(given, alarm_volume_ml="alarm_volume")),
        program=Program(given["concentration"], given["dose"], given["weekday_doses"], **bolus),
        limits=Limits(**_of(given, **{name: name for name in limits})),
        changes=tuple(
            DoseChange(on, daily_dose_mcg=doses[0]) if len(doses) == 1 else DoseChange(on, weekday_doses_mcg=doses)
            for on, doses in given["changes"]
        ),
        reservoir_size_ml=given["pump_size"],
        implanted_on=given["implanted_on"],
        concentration_confirmed=given["confirm_concentration"],
    )


def _of(given: Mapping[str, Any], **options: str) -> dict[str, Any]:
    """Return what was given, under the domain's names; the domain has the defaults."""
    return {name: given[option] for name, option in options.items() if given[option] is not None}

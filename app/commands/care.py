"""`pumpline clinic care`, `pumpline clinic set-care`: what the clinic has chosen about pumps."""

from decimal import Decimal
from typing import Any

import click

from app.actions.change_care_policy import CarePolicyChange, change_care_policy
from app.actions.prepare import the_clinic
from app.actions.supply import care_policy
from app.commands.dates import work_out_dates
from app.commands.house import ACTOR, opened
from app.commands.options import AMOUNT, AMOUNTS, Checked, phone_or_nothing
from app.commands.printing import AS_JSON, echo_json
from app.db.supply import CarePolicy
from app.domain.why_missed import DEFAULT_OFFERS, OFFERS, REASONS
from app.integrations.pump_cases import number, whole_days

DAYS = click.IntRange(min=0)
OFFERED = ", ".join(reason for reason in REASONS if reason != "ill")


def _pair(text: str, example: str) -> tuple[str, str]:
    name, divider, value = text.rpartition("=")
    if not divider or not name.strip() or not value.strip():
        raise ValueError(f'"{text}" is not a name and a value: write {example}')
    return name.strip(), value.strip()


def _stability(text: str) -> tuple[str, int]:
    """Read "baclofen 2000=120" into the key that dates are worked out with, and days."""
    said, days = _pair(text, '"baclofen 2000=120"')
    drug, divider, concentration = said.rpartition(" ")
    if not divider:
        raise ValueError(f'"{text}" needs drug and concentration: write "baclofen 2000=120"')
    return f"{drug.strip()} {_plain(number(concentration, concentration))}", whole_days(days, days)


def _offer(text: str) -> tuple[str, str]:
    return _pair(text, "ride=transport")


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")


@click.command()
@AS_JSON
def care(as_json: bool) -> None:
    """Show the clinic's limits for pumps, what it offers after a miss, and when it asks to book."""
    with opened() as house, house.db.begin() as session:  # the first time, this writes down the defaults
        policy = care_policy(session, the_clinic(session).id)
    if as_json:
        echo_json(_facts(policy))
        return
    for name, value in _lines(policy):
        click.echo(f"{name:22} {value}")


def _facts(policy: CarePolicy) -> dict[str, Any]:
    names = CarePolicyChange.__dataclass_fields__
    return {name: getattr(policy, name) for name in names}


def _lines(policy: CarePolicy) -> list[tuple[str, str]]:
    own = "; ".join(f"{key} mcg/mL: {days} days" for key, days in policy.stability_of.items())
    aspirated = f"{_plain(policy.aspirated_percent)} % or {_plain(policy.aspirated_ml)} mL, whichever is larger"
    longest = f"{policy.max_interval_days} days" if policy.max_interval_days else "none"
    ask = f"{policy.ask_to_book_days} days before the plan-by date" if policy.ask_to_book_days else "never"
    offers = dict(DEFAULT_OFFERS) | policy.offers
    return [
        ("concentrations", f"{', '.join(policy.concentrations)} mcg/mL"),
        ("alarm volume", f"{_plain(policy.alarm_volume_ml)} mL where a first program names none"),
        ("band", f"the flow may be off by {_plain(policy.flow_band * 100)} %, either way"),
        ("drug stability", f"{policy.stability_days} days{f'; {own}' if own else ''}"),
        ("longest interval", longest),
        ("lead days", f"{policy.lead_days}"),
        ("check pump", f"where the volume aspirated is off by more than {aspirated}"),
        ("second person", f"where dose or concentration changes by more than {_plain(policy.jump_percent)} %"),
        ("ask to book", ask),
        ("offers after a miss", ", ".join(f"{reason}: {offer}" for reason, offer in offers.items())),
        ("transport phone", policy.transport_phone or "none"),
    ]


@click.command("set-care")
@click.option("--concentrations", type=AMOUNTS, metavar="MCG/ML,...", help="Those the clinic fills: 500,1000,2000.")
@click.option("--alarm-volume", "alarm_volume_ml", type=AMOUNT, metavar="ML", help="Where a first program names none.")
@click.option("--band", "flow_band", type=AMOUNT, metavar="SHARE", help="How far the flow may be off: 0.15 is 15 %.")
@click.option("--stability-days", type=DAYS, metavar="N", help="Drug stability limit.")
@click.option("--stability", "stability_of", type=Checked(_stability), multiple=True, metavar="DRUG MCG/ML=N",
              help='Of one drug: "baclofen 2000=120", 0 for none of its own; repeatable.')  # fmt: skip
@click.option("--max-interval-days", type=DAYS, metavar="N", help="Longest interval between refills; 0 for none.")
@click.option("--lead-days", type=DAYS, metavar="N", help="Plan this many days earlier still.")
@click.option(
    "--aspirated-percent", type=AMOUNT, metavar="N", help="Check the pump where the volume aspirated is off by more."
)
@click.option("--aspirated-ml", type=AMOUNT, metavar="ML", help="The same in mL: the larger of both counts.")
@click.option("--jump-percent", type=AMOUNT, metavar="N", help="A change beyond this needs a second person.")
@click.option("--ask-to-book-days", type=DAYS, metavar="N", help="Ask so long before the plan-by date; 0 for never.")
@click.option("--offer", "offers", type=Checked(_offer), multiple=True, metavar="REASON=OFFER",
              help=f"After a miss: for {OFFERED} one of {', '.join(OFFERS)}, or none; repeatable.")  # fmt: skip
@click.option("--transport-phone", type=Checked(phone_or_nothing), help='Who arranges rides; "" for none.')
def set_care(**chosen: Any) -> None:
    """Change what is named, and nothing else; the dates of all pumps follow at once."""
    given = {name: _value(value) for name, value in chosen.items() if value not in (None, ())}
    if not given:
        raise click.UsageError("name at least one thing to change: see `pumpline clinic set-care --help`")
    with opened() as house:
        changed = change_care_policy(house.line, CarePolicyChange(**given), house.now, ACTOR)
        click.echo(f"changed: {', '.join(changed).replace('_', ' ')}" if changed else "nothing to change")
        work_out_dates(house)
        with house.db.read() as session:
            policy = care_policy(session, the_clinic(session).id)
            if "transport" in policy.offers.values() and not policy.transport_phone:
                click.echo("transport is offered once --transport-phone is set; until then a nurse calls", err=True)


def _value(value: Any) -> Any:
    """Return what several of one option, or several in one, are in the policy: pairs by name, amounts as text."""
    if not isinstance(value, tuple):
        return value
    if all(isinstance(part, Decimal) for part in value):
        return [_plain(amount) for amount in value]
    return dict(value)

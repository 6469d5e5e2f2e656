"""Dates of a pump, against worked examples, and against a count day by day that nobody could get wrong."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.pump import (
    Aspirate,
    DoseChange,
    Fill,
    Limits,
    Program,
    PumpRefused,
    aspirated,
    check,
    expected_volume_ml,
    needs_second_person,
    refill_dates,
)

D = Decimal
JAN_10 = date(2026, 1, 10)  # a Saturday
FILL = Fill(JAN_10, D(20), D(2))
PROGRAM = Program(D(2000), D(400))
FLEX = (D(400), D(400), D(400), D(400), D(400), D(300), D(300))


def test_the_worked_example_of_the_facts() -> None:
    dates = refill_dates(FILL, PROGRAM, Limits())
    assert dates.flow_ml_per_day == D("0.2")
    assert (dates.early_low_alarm_on, dates.early_empty_on) == (date(2026, 3, 29), date(2026, 4, 6))
    assert (dates.low_alarm_on, dates.empty_on) == (date(2026, 4, 10), date(2026, 4, 20))
    assert (dates.late_low_alarm_on, dates.late_empty_on) == (date(2026, 4, 25), date(2026, 5, 7))
    assert dates.stable_until == date(2026, 7, 9)
    assert (dates.plan_by, dates.plan_by_because) == (date(2026, 3, 29), "early edge of the low reservoir alarm date")


def test_a_mark_reached_at_the_start_of_a_day_is_not_passed_and_one_mcg_more_a_day_passes_it() -> None:
    """18 mL of 2000 mcg/mL are 36,000 mcg: ninety days of 400 exactly."""
    assert refill_dates(FILL, PROGRAM, Limits()).low_alarm_on == JAN_10 + timedelta(days=90)
    a_little_more = Program(D(2000), D("400.0000000000000000000000000000000000001"))
    assert refill_dates(FILL, a_little_more, Limits()).low_alarm_on == JAN_10 + timedelta(days=89)


def test_a_quotient_without_end_is_not_rounded_up_to_a_day() -> None:
    """3 mL of 1000 mcg/mL at a third of 100 mcg, and at a hair more than it: 90 days or 89, never by a rounding."""
    fill = Fill(JAN_10, D(4), D(1))
    below, above = D("33." + "3" * 40), D("33." + "3" * 39 + "4")
    assert refill_dates(fill, Program(D(1000), below), Limits()).low_alarm_on == JAN_10 + timedelta(days=90)
    assert refill_dates(fill, Program(D(1000), above), Limits()).low_alarm_on == JAN_10 + timedelta(days=89)


def test_weekday_doses_flow_day_by_day() -> None:
    """From a Saturday: 300, 300, then 400 five times, so 2600 mcg a week; 36,000 mcg are 13 weeks and 2200 over."""
    program = Program(D(2000), weekday_doses_mcg=FLEX)
    dates = refill_dates(FILL, program, Limits())
    assert dates.low_alarm_on == JAN_10 + timedelta(days=13 * 7 + 6)  # 300+300+400+400+400+400
    assert dates.flow_ml_per_day == D("0.185714285714")
    assert (program.dose_on(JAN_10), program.dose_on(JAN_10 + timedelta(days=2))) == (D(300), D(400))
    assert program.mean_daily_dose_mcg == D("371.428571429")


def test_boluses_add_to_every_day() -> None:
    """400 mcg and 2.5 boluses of 40 mcg: 500 mcg, 0.25 mL a day; 18 mL are 72 days."""
    program = Program(D(2000), D(400), boluses_per_day=D("2.5"), bolus_mcg=D(40))
    dates = refill_dates(FILL, program, Limits())
    assert (dates.flow_ml_per_day, dates.low_alarm_on) == (D("0.25"), JAN_10 + timedelta(days=72))
    assert program.mean_daily_dose_mcg == D(500)


def test_a_new_dose_goes_on_from_what_is_left() -> None:
    """40 days of 400 take 16,000 of 36,000 mcg; 500 a day makes 40 more."""
    change = DoseChange(JAN_10 + timedelta(days=40), D(500))
    dates = refill_dates(FILL, PROGRAM, Limits(), [change])
    assert dates.low_alarm_on == JAN_10 + timedelta(days=80)
    assert dates.flow_ml_per_day == D("0.2")  # at the refill
    assert expected_volume_ml(FILL, PROGRAM, [change], JAN_10 + timedelta(days=50)) == D("9.5")


def test_boluses_stay_when_the_dose_changes() -> None:
    program = Program(D(2000), D(400), boluses_per_day=D(2), bolus_mcg=D(50))
    change = DoseChange(JAN_10 + timedelta(days=10), D(300))
    dates = refill_dates(FILL, program, Limits(), [change])
    assert dates.low_alarm_on == JAN_10 + timedelta(days=10 + 77)  # 31,000 / 400


def test_a_change_on_the_day_of_the_refill_counts_from_the_start() -> None:
    assert refill_dates(FILL, PROGRAM, Limits(), [DoseChange(JAN_10, D(450))]) == refill_dates(
        FILL, Program(D(2000), D(450)), Limits()
    )


@pytest.mark.parametrize(
    ("limits", "plan_by", "because"),
    [
        (Limits(stability_days=60), date(2026, 3, 11), "drug stability limit of 60 days"),
        (Limits(max_interval_days=45), date(2026, 2, 24), "the clinic's longest interval of 45 days"),
        (Limits(lead_days=7), date(2026, 3, 22), "early edge of the low reservoir alarm date, less 7 lead days"),
        (Limits(band=D(0)), date(2026, 4, 10), "early edge of the low reservoir alarm date"),
        (
            Limits(stability_days=60, max_interval_days=90, lead_days=1),
            date(2026, 3, 10),
            "drug stability limit of 60 days, less 1 lead day",
        ),
    ],
)
def test_the_plan_by_date_is_the_earliest_and_says_why(limits: Limits, plan_by: date, because: str) -> None:
    dates = refill_dates(FILL, PROGRAM, limits)
    assert (dates.plan_by, dates.plan_by_because) == (plan_by, because)


def test_the_volume_expected_ends_at_nothing() -> None:
    assert expected_volume_ml(FILL, PROGRAM, (), JAN_10) == 20
    assert expected_volume_ml(FILL, PROGRAM, (), JAN_10 + timedelta(days=99)) == D("0.2")
    assert expected_volume_ml(FILL, PROGRAM, (), JAN_10 + timedelta(days=500)) == 0


@pytest.mark.parametrize(
    ("expected", "found", "limit", "beyond"),
    [
        ("5", "7", "2", False),  # off by the limit is within it
        ("5", "7.01", "2", True),
        ("5", "2.9", "2", True),
        ("15", "12", "3", False),  # 20 % of 15 is more than 2
        ("15", "11.9", "3", True),
        ("0", "2.1", "2", True),
    ],
)
def test_a_volume_beyond_both_limits_says_check_pump(expected: str, found: str, limit: str, beyond: bool) -> None:
    told = aspirated(D(expected), D(found))
    assert told == Aspirate(D(expected), D(found), D(found) - D(expected), D(limit), beyond)
    assert told.finding.startswith("check pump: ") is beyond


def test_a_clinic_may_choose_its_own_limits_for_the_aspirated_volume() -> None:
    told = aspirated(D(10), D("8.9"), percent=D(10), ml=D("0.5"))
    assert told.finding == "check pump: 8.9 mL aspirated, 10 mL expected: 1.1 mL less, limit 1 mL"


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (Program(D(2000), D(500)), None),  # 25 % exactly
        (Program(D(2000), D("500.01")), "mean daily dose up from 400 to 500.01 mcg, more than 25 %"),
        (Program(D(2000), D(299)), "mean daily dose down from 400 to 299 mcg, more than 25 %"),
        (Program(D(1000), D(400)), "concentration down from 2000 to 1000 mcg/mL, more than 25 %"),
        (Program(D(2000), D(400), boluses_per_day=D(2), bolus_mcg=D(60)),
         "mean daily dose up from 400 to 520 mcg, more than 25 %"),
        (Program(D(2000), weekday_doses_mcg=(D(900), *[D(300)] * 6)), None),  # the mean is 385.7
        (Program(D(500), D(100)), "mean daily dose down from 400 to 100 mcg, more than 25 %; "
                                  "concentration down from 2000 to 500 mcg/mL, more than 25 %"),
    ],
)  # fmt: skip
def test_a_jump_needs_a_second_person(new: Program, reason: str | None) -> None:
    assert needs_second_person(PROGRAM, new, D(25)) == reason


def test_a_first_program_is_no_jump() -> None:
    assert needs_second_person(None, PROGRAM) is None


# against a count day by day


def _amounts(least: str, most: str, places: int = 3) -> st.SearchStrategy[Decimal]:
    return st.decimals(D(least), D(most), places=places)


@st.composite
def _doses(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"daily_dose_mcg": draw(st.one_of(_amounts("60", "900"), st.sampled_from([D(100), D(400)])))}
    return {"weekday_doses_mcg": tuple(draw(st.lists(_amounts("60", "900", 1), min_size=7, max_size=7)))}


@st.composite
def _cases(draw: st.DrawFn, changes: int = 3) -> tuple[Fill, Program, Limits, list[DoseChange]]:
    filled_on = JAN_10 + timedelta(days=draw(st.integers(0, 6)))
    alarm = draw(_amounts("0.5", "4"))
    fill = Fill(filled_on, alarm + draw(st.one_of(_amounts("0.001", "36"), st.just(D(18)))), alarm)
    concentration = draw(st.sampled_from([D(500), D(1000), D(1500), D(2000)]))
    boluses = draw(st.sampled_from([(D(0), D(0)), (D("1.5"), D(20)), (D(4), D("12.5"))]))
    program = Program(concentration, boluses_per_day=boluses[0], bolus_mcg=boluses[1], **draw(_doses()))
    band = draw(st.one_of(st.just(D("0.15")), _amounts("0", "0.5")))
    days = draw(st.lists(st.integers(0, 200), max_size=changes, unique=True))
    return fill, program, Limits(band), [DoseChange(filled_on + timedelta(days=n), **draw(_doses())) for n in days]


def _counted(fill: Fill, program: Program, changes: list[DoseChange], mark_ml: Decimal, factor: Fraction) -> date:
    """The last day at whose start the volume delivered has not passed the mark, one day after another."""
    doses: dict[date, DoseChange] = {change.on: change for change in changes}
    boluses = Fraction(program.boluses_per_day) * Fraction(program.bolus_mcg)
    running: Any = program
    day, delivered_ml = fill.filled_on, Fraction(0)
    while True:
        running = doses.get(day, running)
        dose = running.daily_dose_mcg
        if dose is None:
            dose = running.weekday_doses_mcg[day.weekday()]
        delivered_ml += (Fraction(dose) + boluses) * factor / Fraction(program.concentration_mcg_per_ml)
        if delivered_ml > Fraction(mark_ml):
            return day
        day += timedelta(days=1)


@settings(deadline=None, max_examples=200)
@given(_cases())
def test_every_date_is_what_counting_day_by_day_gives(
    case: tuple[Fill, Program, Limits, list[DoseChange]],
) -> None:
    fill, program, limits, changes = case
    dates = refill_dates(fill, program, limits, changes)
    usable, band = fill.reservoir_volume_ml - fill.alarm_volume_ml, Fraction(limits.band)
    assert [
        dates.early_low_alarm_on, dates.low_alarm_on, dates.late_low_alarm_on,
        dates.early_empty_on, dates.empty_on, dates.late_empty_on,
    ] == [
        _counted(fill, program, changes, mark_ml, factor)
        for mark_ml in (usable, fill.reservoir_volume_ml)
        for factor in (1 + band, Fraction(1), 1 - band)
    ]  # fmt: skip


@given(_cases())
def test_early_is_never_after_nominal_nor_nominal_after_late_and_planning_is_by_the_early_edge(
    case: tuple[Fill, Program, Limits, list[DoseChange]],
) -> None:
    dates = refill_dates(*case)
    assert dates.early_low_alarm_on <= dates.low_alarm_on <= dates.late_low_alarm_on
    assert dates.early_empty_on <= dates.empty_on <= dates.late_empty_on
    assert dates.low_alarm_on <= dates.empty_on
    assert dates.plan_by <= min(dates.early_low_alarm_on, dates.stable_until)


@given(_cases(changes=0), _amounts("0", "200"))
def test_a_higher_dose_never_brings_a_later_date(
    case: tuple[Fill, Program, Limits, list[DoseChange]], more: Decimal
) -> None:
    fill, program, limits, _ = case
    day = program.daily_dose_mcg
    week = program.weekday_doses_mcg
    higher = Program(
        program.concentration_mcg_per_ml,
        None if day is None else day + more,
        None if week is None else tuple(dose + more for dose in week),
        program.boluses_per_day,
        program.bolus_mcg,
    )
    before, after = refill_dates(fill, program, limits), refill_dates(fill, higher, limits)
    for name in ("early_low_alarm_on", "low_alarm_on", "late_low_alarm_on", "early_empty_on", "empty_on", "plan_by"):
        assert getattr(after, name) <= getattr(before, name)


@given(_cases(changes=0), st.integers(0, 200))
def test_a_change_to_the_same_dose_changes_nothing(
    case: tuple[Fill, Program, Limits, list[DoseChange]], after: int
) -> None:
    fill, program, limits, _ = case
    same = DoseChange(fill.filled_on + timedelta(days=after), program.daily_dose_mcg, program.weekday_doses_mcg)
    assert refill_dates(fill, program, limits, [same]) == refill_dates(fill, program, limits)


@given(_cases(changes=0), _amounts("60", "900"))
def test_the_same_dose_on_every_weekday_is_a_daily_dose(
    case: tuple[Fill, Program, Limits, list[DoseChange]], dose: Decimal
) -> None:
    fill, program, limits, _ = case
    concentration = program.concentration_mcg_per_ml
    weekly = refill_dates(fill, Program(concentration, weekday_doses_mcg=(dose,) * 7), limits)
    assert weekly == refill_dates(fill, Program(concentration, dose), limits)


@given(_cases(), st.integers(0, 300))
def test_days_left_go_down_by_one_a_day_and_end_at_none(
    case: tuple[Fill, Program, Limits, list[DoseChange]], day: int
) -> None:
    dates = refill_dates(*case)
    on = case[0].filled_on + timedelta(days=day)
    today, tomorrow = dates.days_left(on), dates.days_left(on + timedelta(days=1))
    assert tomorrow.nominal == max(today.nominal - 1, 0)
    assert tomorrow.early == max(today.early - 1, 0)
    assert 0 <= today.early <= today.nominal
    assert dates.days_left(dates.empty_on).nominal == 0


@given(_cases(), st.integers(0, 400))
def test_the_volume_expected_is_never_negative_and_never_grows(
    case: tuple[Fill, Program, Limits, list[DoseChange]], day: int
) -> None:
    fill, program, _, changes = case
    on = fill.filled_on + timedelta(days=day)
    tomorrow = expected_volume_ml(fill, program, changes, on + timedelta(days=1))
    assert 0 <= tomorrow <= expected_volume_ml(fill, program, changes, on) <= fill.reservoir_volume_ml
    assert (on <= refill_dates(fill, program, Limits(), changes).empty_on) or tomorrow == 0


# refusals


def _check(fill: Fill = FILL, program: Program = PROGRAM, **given: Any) -> None:
    check(fill, program, **{"today": date(2026, 3, 1)} | given)


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: Program(D(0), D(400)), "the concentration must be more than 0: check it"),
    (lambda: Program(D(-2000), D(400)), "the concentration must be more than 0: check it"),
    (lambda: Program(D(2000), D(0)), "the daily dose must be more than 0: check it"),
    (lambda: Program(D(2000), D("NaN")), "the daily dose is not a number: give a plain amount like 40 or 2.5"),
    (lambda: Program(D(2000), D("sNaN")), "the daily dose is not a number: give a plain amount like 40 or 2.5"),
    (lambda: Program(D("Infinity"), D(400)), "the concentration is not a number: give a plain amount like 40 or 2.5"),
    (lambda: Program(D(2000), D("1E-400")), "the daily dose is too large or has too many digits: check it"),
    (lambda: Program(D(2000), D("400." + "1" * 60)), "the daily dose is too large or has too many digits: check it"),
    (lambda: Program(D(2000), D("0.4")), "a daily dose of 0.4 mcg looks like mg: did you mean 400 mcg?"),
    (lambda: Program(D(2000), weekday_doses_mcg=(*FLEX[:6], D("0.3"))),
     "a weekday dose of 0.3 mcg looks like mg: did you mean 300 mcg?"),
    (lambda: Program(D(2000), D("2000.1")),
     "a daily total of 2000.1 mcg is over 2000 mcg: check doses, boluses and their unit (mcg)"),
    (lambda: Program(D(2000), D(1900), boluses_per_day=D(6), bolus_mcg=D(20)),
     "a daily total of 2020 mcg is over 2000 mcg: check doses, boluses and their unit (mcg)"),
    (lambda: Program(D(2000)), "there is no dose: give a daily dose, or seven weekday doses"),
    (lambda: Program(D(2000), D(400), FLEX), "both a daily dose and weekday doses are given: give one of them"),
    (lambda: Program(D(2000), weekday_doses_mcg=FLEX[:6]), "there are 6 weekday doses: give seven, Monday first"),
    (lambda: Program(D(2000), D(400), boluses_per_day=D(-1)),
     "the number of boluses a day must not be less than 0: check it"),
    (lambda: Program(D(2000), D(400), bolus_mcg=D(-1)), "the bolus must not be less than 0: check it"),
    (lambda: Fill(JAN_10, D(0)), "the reservoir volume must be more than 0: check it"),
    (lambda: Fill(JAN_10, D(20), D(0)), "the alarm volume must be more than 0: check it"),
    (lambda: Fill(JAN_10, D(2), D(2)),
     "the alarm volume of 2 mL is not less than the reservoir volume of 2 mL: check both"),
    (lambda: Limits(D(1)), "a band of 1 is not less than 1: 15 % is written 0.15"),
    (lambda: Limits(D("-0.1")), "the band must not be less than 0: check it"),
    (lambda: Limits(stability_days=0), "the drug stability limit must be more than 0 days: check it"),
    (lambda: Limits(stability_days=D("180.5")),  # type: ignore[arg-type]
     "the drug stability limit is not a whole number of days: write it like 180"),
    (lambda: Limits(stability_days=True), "the drug stability limit is not a whole number of days: write it like 180"),
    (lambda: Limits(max_interval_days=0), "the longest interval must be more than 0 days: check it"),
    (lambda: Limits(lead_days=-1), "the lead must not be less than 0 days: check it"),
    (lambda: refill_dates(FILL, PROGRAM, Limits(), [DoseChange(date(2026, 1, 9), D(450))]),
     "the dose change on 2026-01-09 is before the refill on 2026-01-10: give only what changed since"),
    (lambda: refill_dates(FILL, PROGRAM, Limits(), [DoseChange(date(2026, 2, 1), D(450))] * 2),
     "there are two dose changes on 2026-02-01: give the one that holds"),
    (lambda: refill_dates(FILL, PROGRAM, Limits(), [DoseChange(JAN_10, D(450))] * 2),
     "there are two dose changes on 2026-01-10: give the one that holds"),
    (lambda: DoseChange(JAN_10), "there is no dose: give a daily dose, or seven weekday doses"),
    (lambda: refill_dates(FILL, Program(D(2000), D(400), boluses_per_day=D(10), bolus_mcg=D(100)), Limits(),
                          [DoseChange(date(2026, 2, 1), D(1500))]),
     "a daily total of 2500 mcg is over 2000 mcg: check doses, boluses and their unit (mcg)"),
    (lambda: refill_dates(FILL, PROGRAM, Limits(D("0.9999999"))),
     "a date would be past the year 9999: check doses, concentration, band and limits in days"),
    (lambda: refill_dates(FILL, PROGRAM, Limits(stability_days=10**30)),
     "a date would be past the year 9999: check doses, concentration, band and limits in days"),
    (lambda: refill_dates(FILL, PROGRAM, Limits(lead_days=10**7)),
     "the plan-by date would be before the year 1: check the lead days"),
    (lambda: expected_volume_ml(FILL, PROGRAM, (), date(2026, 1, 9)),
     "2026-01-09 is before the refill on 2026-01-10: choose that day or a later one"),
    (lambda: aspirated(D(5), D(-1)), "the volume aspirated must not be less than 0: check it"),
    (lambda: _check(program=Program(D(1500), D(400))),
     "a concentration of 1500 mcg/mL is not one this clinic uses (500, 1000, 2000): check the label, then confirm it"),
    (lambda: _check(program=Program(D(2), D(400))),
     "a concentration of 2 mcg/mL looks like mg/mL: did you mean 2000?"),
    (lambda: _check(program=Program(D("0.5"), D(400)), concentration_confirmed=True),
     "a concentration of 0.5 mcg/mL looks like mg/mL: did you mean 500?"),
    (lambda: _check(program=Program(D(1), D(400))),
     "a concentration of 1 mcg/mL looks like mg/mL: did you mean 1000?"),
    (lambda: _check(program=Program(D(9), D(400)), concentration_confirmed=True),
     "a concentration of 9 mcg/mL is under 10: check the label and its unit"),
    (lambda: _check(Fill(JAN_10, D("20.1")), reservoir_size_ml=D(20)),
     "a reservoir volume of 20.1 mL is over the pump's size of 20 mL: check both"),
    (lambda: _check(Fill(JAN_10, D("40.1"))),
     "a reservoir volume of 40.1 mL is over 40 mL: check it, or give the pump's size"),
    (lambda: _check(today=date(2026, 1, 9)), "the fill date 2026-01-10 is in the future: check the year"),
    (lambda: _check(implanted_on=date(2026, 1, 11)),
     "the pump was implanted on 2026-01-11, after the refill on 2026-01-10: check both dates"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "message"), REFUSED)
def test_what_cannot_be_is_refused_with_what_to_do(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(PumpRefused) as refused:
        act()
    assert str(refused.value) == message


def test_what_the_clinic_allows_passes() -> None:
    _check()
    _check(today=JAN_10, implanted_on=JAN_10, reservoir_size_ml=D(20))
    _check(program=Program(D(1500), D(400)), concentration_confirmed=True)
    _check(program=Program(D(3000), D(400)), concentrations=[D(3000)])
    _check(Fill(JAN_10, D(50)), reservoir_size_ml=D(60))


def test_a_float_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="Decimal"):
        Program(2000.0, D(400))  # type: ignore[arg-type]

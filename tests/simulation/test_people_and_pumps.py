"""What the simulation is made of: pumps that flow as arithmetic says, words that mean what it takes them for."""

from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pytest

from app.domain.pump import Fill, Program, expected_volume_ml
from app.domain.texts import load_words
from app.simulation.opening import Opening, holidays
from app.simulation.parameters import MINUTES_A_DAY, Parameters, shards_of, stream
from app.simulation.patients import digits_of
from app.simulation.people import LONGEST_DAYS, SHORTEST_DAYS, people_of
from app.simulation.pumps import BAND, RealPump, cycle_of, flow_factor
from app.simulation.sayings import every
from faq.understand import Context, understand

words = cache(load_words)
PLAIN = Program(Decimal(2000), Decimal(400))
FLEX = Program(Decimal(2000), weekday_doses_mcg=(Decimal(400),) * 5 + (Decimal(300),) * 2)
BOLUSES = Program(Decimal(2000), Decimal(400), boluses_per_day=Decimal("2.5"), bolus_mcg=Decimal(40))
MONDAY = date(2026, 1, 5)


@pytest.mark.parametrize("program", [PLAIN, FLEX, BOLUSES])
@pytest.mark.parametrize("days", [1, 6, 40, 65])
def test_a_pump_that_flows_as_programmed_holds_what_is_expected(program: Program, days: int) -> None:
    pump = RealPump(20.0, 2000.0, cycle_of(program, 1), 1.0, 20.0, 0)
    expected = expected_volume_ml(Fill(MONDAY, Decimal(20)), program, (), MONDAY + timedelta(days=days))
    assert pump.volume_at(days * MINUTES_A_DAY) == pytest.approx(float(expected))


def test_a_pump_is_empty_when_nothing_is_left_and_a_new_dose_counts_from_then_on() -> None:
    pump = RealPump(20.0, 2000.0, cycle_of(PLAIN, 1), 1.0, 20.0, 0)
    assert pump.reaches(0) == 100 * MINUTES_A_DAY
    pump.run(cycle_of(Program(Decimal(2000), Decimal(800)), 1), 50 * MINUTES_A_DAY)
    assert pump.reaches(0) == pytest.approx(75 * MINUTES_A_DAY, abs=1)


def test_no_pump_flows_outside_the_band() -> None:
    chance = stream("test")
    factors = [flow_factor(chance.gauss(0, 1), chance) for _ in range(3000)]
    assert min(factors) >= 1 - BAND
    assert max(factors) <= 1 + BAND
    assert sum(abs(factor - 1) < BAND - 1e-9 for factor in factors) / len(factors) == pytest.approx(0.95, abs=0.02)


def test_people_are_the_same_whatever_else_is_chosen() -> None:
    (few,) = shards_of(Parameters(62, 30, 7))
    (others,) = shards_of(Parameters(62, 300, 7, outages=9, without=frozenset({"pages"})))
    (another_seed,) = shards_of(Parameters(62, 30, 8))
    assert people_of(few) == people_of(others) != people_of(another_seed)
    assert all(SHORTEST_DAYS <= person.pump.days <= LONGEST_DAYS for person in people_of(few))
    sharing = [person.carer_phone for person in people_of(few) if not person.own_phone]
    assert len(sharing) == 4
    assert len(set(sharing)) == 2


@pytest.mark.parametrize(
    ("what", "kinds"),
    [
        ("urgent", {"urgent"}),
        ("beeps", {"urgent"}),
        ("dry", {"urgent"}),
        ("confirm", {"confirm"}),
        ("change", {"reschedule"}),
        ("cancel", {"cancel_appointment"}),
        ("cancel alone", {"opt_out"}),
        ("stop", {"opt_out"}),
        ("start", {"opt_in"}),
        ("late", {"running_late"}),
    ],
)
def test_the_words_mean_what_the_simulation_takes_them_for(what: str, kinds: set[str]) -> None:
    library = words().library
    for language, said in every(what):
        meaning = understand(said, Context(language=language), library)
        assert {meaning.kind, meaning.intent} & kinds, said


@pytest.mark.parametrize(
    ("body", "digits"),
    [
        ("Your visit is on Fri Jan 16, 3:30 PM. Reply 1 to confirm, 2 to change. Questions: 614-555-9992.", ("1", "2")),
        ("Responda 3 si va a venir, 4 para otra fecha, o llame al 614-555-9992.", ("3", "4")),
        ("Please call 614-555-9992, or reply 1 and a nurse will call you.", ("1",)),
        (
            "How are you? Reply 5 as usual, 6 sleepy, weak or dizzy, 7 itching, 8 something else. Call 911.",
            tuple("5678"),
        ),
        ("Thank you. We will see you on Fri Jan 16.", ()),
    ],
)
def test_people_find_the_numbers_that_a_text_offers(body: str, digits: tuple[str, ...]) -> None:
    assert digits_of(body) == digits


def test_the_clinic_is_open_on_weekdays_but_for_holidays() -> None:
    opening = Opening(400)
    new_year, friday = opening.number_of(date(2027, 1, 1)), opening.number_of(date(2026, 7, 3))
    assert opening.hours(new_year) is None
    assert opening.hours(friday) is None  # Independence Day is a Saturday
    assert date(2026, 11, 26) in holidays(2026)
    assert date(2026, 5, 25) in holidays(2026)
    summer = opening.hours(opening.number_of(date(2026, 7, 6)))
    assert summer is not None
    assert summer[1] - summer[0] == 9 * 60
    assert opening.next_open(summer[1]) == (opening.hours(opening.number_of(date(2026, 7, 7))) or (0, 0))[0]

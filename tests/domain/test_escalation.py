"""What is done as drug runs low, by how the patient stands: never milder with less drug, and never nothing at all."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import pytest

from app.domain.escalation import (
    ARRANGED,
    FOLLOWED_UP,
    NOTHING_TO_ASK,
    OWNED,
    RECORD_WITHIN_DAYS,
    SEEN,
    Do,
    Skip,
    Standing,
    left,
    missed_reason,
    seen_since,
    supply_step,
    too_late,
)
from scheduler.ladders import FAR, LAST, NEAR, RUNGS, SOON, Audience, Channel, Due, Rung, rung_for

EMPTY = date(2026, 12, 20)
BY_DAYS_LEFT = ("left:14", "owner:9", "left:7", "left:3")
BEHIND = (None, -30, -1, 0, 1, 5, 9, 10, 11, 30)  # days of drug behind the booked visit; None: none is booked
CLAIMS = tuple(product((False, True), repeat=2))  # missed, owned


def standing(days_left: int, behind: int | None = None, **claims: bool) -> Standing:
    """So many days left, and a visit booked so many days before the pump is empty by the early edge."""
    visit_on = None if behind is None else EMPTY - timedelta(days=behind)
    return Standing(EMPTY - timedelta(days=days_left), EMPTY, EMPTY - timedelta(days=8), visit_on, **claims)


def standings() -> Iterator[Standing]:
    """Every way to stand that can be: a booked visit is today or still to come."""
    for days_left, behind, (missed, owned) in product(range(-5, 41), BEHIND, CLAIMS):
        if behind is None or behind <= days_left:
            yield standing(days_left, behind, missed=missed, owned=owned)


def taken_at(days_left: int) -> str:
    """The step that is due with so many days of drug left."""
    rung = rung_for(days_left)
    return f"left:{rung.days}"


def severity(decided: Do | Skip) -> tuple[int, int, bool]:
    """Of two acts, the graver is the greater: how soon a person must see to it, then what patient and carer hear."""
    if isinstance(decided, Skip):
        return (0, 0, False)
    soon = {None: 0, Due.WORKING_DAY: 1, Due.TODAY: 2, Due.NOW: 3}[decided.rung.due if decided.rung else None]
    return (4 if decided.alert else soon, 2 if decided.urgent else bool(decided.text), decided.carer)


# ── nobody has booked in time ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("step", "missed", "does"),
    [
        ("left:14", False, Do(text="book_now", task="14 days: call", rung=NEAR)),
        ("left:14", True, Do(text="book_now", task="14 days: call", rung=NEAR)),
        ("left:7", False, Do(text="book_now", task="7 days: call", rung=SOON)),
        ("left:7", True, Do(text="book_now", carer=True, task="7 days: call", rung=SOON)),
        ("left:3", False, Do(text="missed_now", urgent=True, alert="3 days: call", rung=LAST)),
        ("left:3", True, Do(text="missed_now", urgent=True, carer=True, alert="3 days: call", rung=LAST)),
    ],
)
@pytest.mark.parametrize("owned", [False, True])
@pytest.mark.parametrize("behind", [None, -1, -30])  # nothing booked, or after the pump may be empty
def test_without_a_visit_in_time_patient_and_nurse_are_told_by_days_of_drug_left(
    step: str, missed: bool, does: Do, owned: bool, behind: int | None
) -> None:
    days = int(step.removeprefix("left:"))
    what = "missed, and not booked again" if missed else "no visit is booked in time"
    reason = f"{days} days of drug left by the early edge, {what}: call"
    wanted = replace(does, task=reason if does.task else "", alert=reason if does.alert else "")
    assert supply_step(step, standing(days, behind, missed=missed, owned=owned)) == wanted


def test_what_is_done_keeps_the_promises_of_the_ladder() -> None:
    """Every act of a rung is done for whoever missed and has nothing booked; phone calls nothing carries yet."""
    for rung in RUNGS:
        if rung.days is None:
            continue
        decided = supply_step(f"left:{rung.days}", standing(rung.days, missed=True))
        assert isinstance(decided, Do)
        assert decided.rung is rung
        assert bool(decided.text) is rung.tells(Channel.TEXT, Audience.PATIENT)
        assert decided.carer is rung.tells(Channel.TEXT, Audience.CARER)
        assert bool(decided.task) is rung.tells(Channel.TASK, Audience.NURSE)
        assert bool(decided.alert) is decided.urgent is rung.tells(Channel.ALERT, Audience.ON_CALL)


@pytest.mark.parametrize("days_left", [9, 5, 0])
@pytest.mark.parametrize("behind", [None, -1, 0, 9])
def test_a_task_that_nobody_takes_pages_whatever_is_booked_late(days_left: int, behind: int | None) -> None:
    stands = standing(days_left, behind)
    reason = f"{days_left} days of drug left by the early edge, and nobody has taken it on"
    assert supply_step("owner:9", stands) == Do(alert=reason, rung=LAST)
    assert supply_step("owner:9", replace(stands, owned=True)) == Skip(OWNED)


# ── a visit is booked ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", BY_DAYS_LEFT)
@pytest.mark.parametrize(("behind", "arranged"), [(30, True), (10, True), (9, False), (0, False), (-1, False)])
def test_only_a_visit_with_ten_days_of_drug_behind_it_is_enough(step: str, behind: int, arranged: bool) -> None:
    stands = standing(14, behind)
    assert stands.arranged is arranged
    assert (supply_step(step, stands) == Skip(ARRANGED)) is arranged


@pytest.mark.parametrize(
    ("step", "owned", "due", "alert"),
    [
        ("left:14", False, Due.TODAY, False),
        ("left:14", True, Due.TODAY, False),
        ("left:7", False, Due.NOW, False),
        ("left:7", True, Due.NOW, False),
        ("left:3", False, Due.NOW, True),
        ("left:3", True, Due.NOW, False),  # somebody sees to it already, and the visit is to come
    ],
)
def test_a_visit_just_before_empty_needs_a_person_and_the_patient_is_not_told_to_book(
    step: str, owned: bool, due: Due, alert: bool
) -> None:
    decided = supply_step(step, standing(int(step.removeprefix("left:")), 2, owned=owned))
    assert isinstance(decided, Do)
    reason = "the visit leaves 2 days of drug behind it: make sure that it happens"
    assert (decided.alert, decided.task) == ((reason, "") if alert else ("", reason))
    assert decided.rung is not None
    assert decided.rung.due is due
    assert (decided.text, decided.carer, decided.urgent) == ("", False, False)


@pytest.mark.parametrize(("behind", "said"), [(0, "0 days of drug"), (1, "1 day of drug"), (9, "9 days of drug")])
def test_the_nurse_reads_how_much_drug_the_visit_leaves(behind: int, said: str) -> None:
    decided = supply_step("left:14", standing(14, behind))
    assert isinstance(decided, Do)
    assert f"leaves {said} behind it" in decided.task


def test_a_visit_today_still_counts_while_there_may_be_drug() -> None:
    assert standing(2, 2).days_behind_visit == 2
    assert standing(0, 0).days_behind_visit == 0
    assert replace(standing(-1), visit_on=EMPTY + timedelta(days=1)).days_behind_visit is None
    assert standing(5).days_behind_visit is None


# ── asking to book ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", ["book:28", "book:21", "book:14", "book:7"])
def test_we_ask_to_book_while_nothing_is_booked_and_nothing_was_missed(step: str) -> None:
    asks = Do(text="book", routine=True)
    assert supply_step(step, standing(36)) == supply_step(step, standing(36, owned=True)) == asks
    assert supply_step(step, standing(36, 20)) == Skip(ARRANGED)
    assert supply_step(step, standing(36, missed=True)) == Skip(FOLLOWED_UP)


def test_asking_to_book_is_the_only_text_that_may_give_way_to_others() -> None:
    for step, stands in product((*BY_DAYS_LEFT, "book:28"), standings()):
        decided = supply_step(step, stands)
        if isinstance(decided, Do):
            assert decided.routine is (step == "book:28")


# ── danger only ever grows ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize(("missed", "owned"), CLAIMS)
def test_fewer_days_of_drug_never_lead_to_a_milder_act(behind: int | None, missed: bool, owned: bool) -> None:
    until = -10 if behind is None or behind < 0 else behind  # the day of the visit
    acts = [
        severity(supply_step(taken_at(days), standing(days, behind, missed=missed, owned=owned)))
        for days in range(14, until - 1, -1)
    ]
    assert acts == sorted(acts)


@pytest.mark.parametrize("step", BY_DAYS_LEFT)
@pytest.mark.parametrize(("missed", "owned"), CLAIMS)
def test_less_drug_behind_the_visit_never_leads_to_a_milder_act(step: str, missed: bool, owned: bool) -> None:
    acts = [
        severity(supply_step(step, standing(14, behind, missed=missed, owned=owned)))
        for behind in sorted((b for b in BEHIND if b is not None), reverse=True)
    ]
    assert acts == sorted(acts)
    nothing_booked = severity(supply_step(step, standing(14, missed=missed, owned=owned)))
    assert acts[-1] == nothing_booked  # too late is as good as none


def test_a_missed_visit_never_leads_to_a_milder_act_than_while_it_was_booked() -> None:
    for stands in standings():
        if stands.visit_on is None or stands.missed:
            continue
        step = taken_at(stands.days_left) if stands.days_left <= 14 else "left:14"
        gone = replace(stands, visit_on=None, missed=True)
        assert severity(supply_step(step, gone)) >= severity(supply_step(step, stands))


def test_while_the_drug_runs_out_and_no_visit_is_arranged_a_person_always_hears_of_it() -> None:
    for stands in standings():
        if stands.arranged or stands.days_left > 14:
            continue
        decided = supply_step(taken_at(stands.days_left), stands)
        assert isinstance(decided, Do)
        assert bool(decided.task) is not bool(decided.alert)


def test_with_three_days_or_fewer_and_nothing_in_time_the_alert_pages_even_who_has_the_task() -> None:
    for stands in standings():
        if stands.days_behind_visit is not None or stands.days_left > 3:
            continue
        decided = supply_step("left:3", stands)
        assert isinstance(decided, Do)
        assert decided.alert
        assert decided.urgent
        assert decided.text == "missed_now"


def test_every_alert_is_due_now_and_urgent_by_the_date() -> None:
    for step, stands in product(BY_DAYS_LEFT, standings()):
        decided = supply_step(step, stands)
        if isinstance(decided, Do) and decided.alert:
            assert decided.rung is LAST


def test_whoever_was_seen_since_is_asked_and_told_nothing_by_the_old_dates() -> None:
    for step, stands in product((*BY_DAYS_LEFT, "book:28"), standings()):
        for ago in (0, 1, RECORD_WITHIN_DAYS - 1):
            seen_on = stands.today - timedelta(days=ago)
            assert supply_step(step, replace(stands, seen_on=seen_on)) == Skip(SEEN)


def test_after_two_weeks_without_the_volumes_staff_hear_of_the_old_dates_and_the_patient_does_not() -> None:
    for step, stands in product(BY_DAYS_LEFT, standings()):
        seen = replace(stands, seen_on=stands.today - timedelta(days=RECORD_WITHIN_DAYS))
        plain, decided = supply_step(step, stands), supply_step(step, seen)
        if isinstance(plain, Skip):
            assert decided == plain
            continue
        assert isinstance(decided, Do)
        assert (bool(decided.task), bool(decided.alert)) == (bool(plain.task), bool(plain.alert))
        assert decided.rung is plain.rung
        assert not decided.text
        assert not decided.carer
        assert supply_step("book:28", seen) == Skip(NOTHING_TO_ASK)


# ── what is read ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (14, "14 days of drug left by the early edge"),
        (1, "1 day of drug left by the early edge"),
        (0, "0 days of drug left by the early edge"),
        (-4, "0 days of drug left by the early edge"),  # never less than none
    ],
)
def test_days_of_drug_left_are_counted_to_the_early_edge(days: int, said: str) -> None:
    assert left(standing(days)) == said
    assert standing(days).days_left == max(0, days)


@pytest.mark.parametrize(
    ("days", "confirmed", "reason"),
    [
        (30, False, "missed a refill visit, 30 days of drug left by the early edge: call within a working day"),
        (15, True, "missed a refill visit, had confirmed, 15 days of drug left by the early edge: call within a"),
        (14, False, "missed a refill visit, 14 days of drug left by the early edge: call today"),
        (8, False, "missed a refill visit, 8 days of drug left by the early edge: call today"),
        (7, False, "missed a refill visit, 7 days of drug left by the early edge: call now"),
        (3, True, "missed a refill visit, had confirmed, 3 days of drug left by the early edge: call now"),
        (1, False, "missed a refill visit, 1 day of drug left by the early edge: call now"),
        (0, False, "missed a refill visit, 0 days of drug left by the early edge: call now"),
        (None, False, "missed a refill visit: call today. Days of drug left are not known"),
        (None, True, "missed a refill visit: call today. Days of drug left are not known"),
    ],
)
def test_a_nurse_reads_how_soon_to_call_after_a_miss(days: int | None, confirmed: bool, reason: str) -> None:
    assert missed_reason(days, rung_for(days), confirmed=confirmed).startswith(reason)


@pytest.mark.parametrize(
    ("rung", "when"),
    [(FAR, "call within a working day"), (NEAR, "call today"), (SOON, "call now"), (LAST, "call now")],
)
def test_every_rung_has_words_for_how_soon_to_call(rung: Rung, when: str) -> None:
    assert missed_reason(5, rung, confirmed=False).endswith(when)


@pytest.mark.parametrize(
    ("visit_on", "plan_by", "days"),
    [
        ("2026-12-01", "2026-12-12", 0),
        ("2026-12-12", "2026-12-12", 0),
        ("2026-12-13", "2026-12-12", 1),
        ("2028-03-01", "2028-02-28", 2),  # over a leap day
    ],
)
def test_a_visit_is_late_by_the_days_after_the_plan_by_date(visit_on: str, plan_by: str, days: int) -> None:
    assert too_late(date.fromisoformat(visit_on), date.fromisoformat(plan_by)) == days


@pytest.mark.parametrize(
    ("days", "another"), [(None, False), (-1, False), (0, False), (7, False), (8, True), (80, True)]
)
def test_a_visit_within_a_week_of_a_filling_is_that_filling(days: int | None, another: bool) -> None:
    filled_on = date(2026, 11, 20)
    assert seen_since(filled_on, None if days is None else filled_on + timedelta(days=days)) is another

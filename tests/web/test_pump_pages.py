"""The pump's pages: what a nurse records and sees of dates, refills, doses, late visits and the day's lists."""

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.actions.add_staff import add_staff
from app.actions.alerts import raise_alert
from app.actions.book_appointment import book_appointment
from app.actions.line import Line
from app.actions.take_care_steps import TAKERS
from app.actions.tasks import open_task
from app.db.care import Appointment, EntryState, Program, Pump, Refill
from app.db.messages import Purpose
from app.db.people import Clinic
from app.db.supply import Referral, ReferralState, Scan, Supply
from app.db.work import Task, TaskKind
from app.web.console.today import LISTS
from app.web.trace import TASKS
from app.web.wording import PURPOSES, due, step
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

# 18 mL usable of 2000 mcg/mL at 400 mcg a day: docs/clinical/refill-interval.md, counted from 23-Nov-2026
REFILL = {
    "filled_on": "2026-11-23",
    "reservoir_volume_ml": "20",
    "aspirated_ml": "",
    "concentration": "2000",
    "week": "same",
    "daily_dose_mcg": "400",
    "alarm_volume_ml": "2",
}
MARK = re.compile(r'name="mark" value="([0-9a-f]+)"')


@pytest.fixture
def pump(maria: Someone) -> str:
    return f"/staff/patients/{maria.id}/pump"


@pytest.fixture
def second(app: Flask, line: Line, clock: FrozenClock, nurse: Visitor) -> Visitor:
    """Ben, signed in."""
    add_staff(line.db, "ben@clinic.example", "Ben Okafor", "nurse", PASSWORD, clock())
    ben = Visitor(app.test_client())
    assert ben.sign_in("ben@clinic.example").status_code == 302
    return ben


def read(answer: TestResponse) -> str:
    """What a person reads in an answer."""
    return unescape(answer.text)


def save(nurse: Visitor, page: str, form: str = "refill", **fields: str) -> TestResponse:
    """Check, look, save."""
    checked = nurse.post(f"{page}/{form}", seen_on=page, do="check", **fields)
    mark = MARK.search(checked.text)
    assert (checked.status_code, bool(mark)) == (200, True), read(checked)
    return nurse.post(f"{page}/{form}", seen_on=page, do="save", mark=mark[1] if mark else "", **fields)


# ── a refill ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_nurse_checks_a_refill_sees_the_dates_and_saves_it(nurse: Visitor, pump: str, desk: Desk) -> None:
    assert "No dates yet" in nurse.page(pump)
    checked = read(nurse.post(f"{pump}/refill", seen_on=pump, do="check", **REFILL))
    assert "Plan by Tue 9-Feb-2027" in checked
    assert "Save refill for Maria LOPEZ" in checked
    assert desk.rows(Refill) == []  # nothing is saved by a check
    assert save(nurse, pump, **REFILL).status_code == 302
    page = nurse.page(pump)
    assert "The refill is recorded. Plan the next refill by Tue 9-Feb-2027." in page
    for on in ("9-Feb-2027", "21-Feb-2027", "8-Mar-2027", "17-Feb-2027", "3-Mar-2027", "20-Mar-2027"):
        assert f">{on}</time>" in page  # low alarm and empty, each early, nominal, late
    assert "Early edge of the low reservoir alarm date." in page
    assert "never texted" in page


def test_old_and_new_dates_stand_side_by_side(nurse: Visitor, pump: str, clock: FrozenClock) -> None:
    save(nurse, pump, **REFILL)
    clock.forward(days=70)
    nurse.sign_in("ana@clinic.example")
    later = REFILL | {"filled_on": "2027-02-01", "aspirated_ml": "12", "daily_dose_mcg": "440"}
    page = read(nurse.post(f"{pump}/refill", seen_on=pump, do="check", **later))
    assert "Plan-by moves from Tue 9-Feb-2027 to" in page
    assert "Check pump: 12 mL aspirated, 6 mL expected: 6 mL more" in page
    save(nurse, pump, **later)
    assert "Aspirated 12 mL where 6 mL were expected" in nurse.page(pump)
    assert f'href="{pump}"' in nurse.page("/staff/")  # the task leads to the pump


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("reservoir_volume_ml", "", "Give the volume in the reservoir now."),
        ("reservoir_volume_ml", "2,0", "Write it with a point and without thousands"),
        ("reservoir_volume_ml", "twenty", "Write a plain number"),
        ("reservoir_volume_ml", "25", "over the pump's size of 20 mL"),
        ("aspirated_ml", "21", "must be from 0 to 20 mL"),
        ("daily_dose_mcg", "0.4", "looks like mg"),
        ("alarm_volume_ml", "20", "is not less than the reservoir volume"),
        ("filled_on", "2026-02-30", "Give the day of the refill"),
        ("filled_on", "2026-11-24", "in the future"),
        ("concentration", "", "Choose the concentration"),
        ("boluses_per_day", "2", "Give number and size of the boluses, or neither."),
        ("dose_tue", "400", "Doses for weekdays are filled in"),
    ],
)
def test_a_refill_that_cannot_be_keeps_what_was_typed(
    nurse: Visitor, pump: str, name: str, typed: str, said: str, desk: Desk
) -> None:
    answer = nurse.post(f"{pump}/refill", seen_on=pump, do="save", **(REFILL | {name: typed}))
    assert answer.status_code == 422
    assert said in read(answer)
    if typed and name != "concentration":
        assert f'value="{typed}"' in read(answer)
    assert desk.rows(Refill) == []


def test_another_concentration_needs_a_look_at_the_label(nurse: Visitor, pump: str, desk: Desk) -> None:
    other = REFILL | {"concentration": "other", "other_concentration": "750"}
    answer = nurse.post(f"{pump}/refill", seen_on=pump, do="check", **other)
    assert answer.status_code == 422
    assert "check the label, then tick this" in read(answer)
    save(nurse, pump, **other, concentration_confirmed="1")
    assert [str(row.concentration_mcg_per_ml) for row in desk.rows(Program)] == ["750"]


def test_only_what_was_seen_is_saved(nurse: Visitor, pump: str, desk: Desk) -> None:
    unseen = nurse.post(f"{pump}/refill", seen_on=pump, do="save", **REFILL)
    assert (unseen.status_code, desk.rows(Refill)) == (200, [])
    mark = MARK.search(unseen.text)
    changed = REFILL | {"reservoir_volume_ml": "18"}
    answer = nurse.post(f"{pump}/refill", seen_on=pump, do="save", mark=mark[1] if mark else "", **changed)
    assert answer.status_code == 409
    assert "Something has changed since it was checked" in read(answer)
    assert desk.rows(Refill) == []


def test_saved_twice_it_is_one_refill_and_saved_anew_a_correction(nurse: Visitor, pump: str, desk: Desk) -> None:
    save(nurse, pump, **REFILL)
    save(nurse, pump, **REFILL)
    save(nurse, pump, **(REFILL | {"reservoir_volume_ml": "18"}))
    in_force = desk.rows(Refill, Refill.state == EntryState.EFFECTIVE)
    assert [str(row.reservoir_volume_ml) for row in in_force] == ["18"]


def test_a_dose_of_its_own_for_each_weekday(nurse: Visitor, pump: str, desk: Desk) -> None:
    doses = ["400", "400", "400", "400", "400", "300", "300"]
    week = {
        f"dose_{day}": mcg for day, mcg in zip(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), doses, strict=True)
    }
    save(nurse, pump, **(REFILL | {"week": "each", "daily_dose_mcg": ""} | week))
    assert desk.rows(Program)[0].weekday_doses_mcg == doses
    assert "Mon 400, Tue 400, Wed 400, Thu 400, Fri 400, Sat 300, Sun 300 mcg" in nurse.page(pump)


# ── the second person ────────────────────────────────────────────────────────────────────────────────


def test_a_jump_waits_until_somebody_else_confirms_it(
    nurse: Visitor, second: Visitor, pump: str, desk: Desk, clock: FrozenClock
) -> None:
    save(nurse, pump, **REFILL)
    clock.forward(days=1)
    for someone in ("ana", "ben"):
        (nurse if someone == "ana" else second).sign_in(f"{someone}@clinic.example")
    jump = REFILL | {"filled_on": "2026-11-24", "daily_dose_mcg": "600"}
    assert "A second person must confirm it" in read(nurse.post(f"{pump}/refill", seen_on=pump, do="check", **jump))
    save(nurse, pump, **jump)
    page = nurse.page(pump)
    assert "waits for a second member of staff: mean daily dose up from 400 to 600 mcg" in page
    assert "Plan by <time" in page
    assert "9-Feb-2027" in page  # the old dates count
    waiting = desk.rows(Refill, Refill.state == EntryState.WAITING)[0]
    word = {"kind": "refill", "entry": str(waiting.id), "answer": "confirm"}
    mine = nurse.post(f"{pump}/entries", seen_on=pump, **word)
    assert mine.status_code == 409
    assert "you entered this yourself" in read(mine)
    assert desk.rows(Refill, Refill.state == EntryState.WAITING)
    assert "Confirm</button>" in second.page(pump)
    assert second.post(f"{pump}/entries", seen_on=pump, **word).status_code == 302
    page = second.page(pump)
    assert "Confirmed. The dates go on from this refill." in page
    assert "confirmed by Ben" in page
    assert desk.tasks(TaskKind.SECOND_PERSON) == []
    again = second.post(f"{pump}/entries", seen_on=pump, **word)
    assert "does not wait" in read(again)


def test_a_dose_can_be_changed_and_taken_back(nurse: Visitor, pump: str, desk: Desk, clock: FrozenClock) -> None:
    save(nurse, pump, **REFILL)
    save(nurse, pump, "program", **DOSE)
    assert "The new dose is recorded. Plan the next refill by" in nurse.page(pump)
    save(nurse, pump, "program", **(DOSE | {"effective_on": "2026-12-08", "daily_dose_mcg": "700"}))
    waiting = desk.rows(Program, Program.state == EntryState.WAITING)[0]
    assert "Take it back" in nurse.page(pump)
    nurse.post(f"{pump}/entries", seen_on=pump, kind="program", entry=waiting.id, answer="decline")
    assert "Declined. What was before counts on." in nurse.page(pump)
    early = nurse.post(f"{pump}/program", seen_on=pump, do="check", **(DOSE | {"effective_on": "2026-11-01"}))
    assert (early.status_code, "the pump was filled on 23-Nov-2026" in read(early)) == (422, True)


# ── the pump itself ──────────────────────────────────────────────────────────────────────────────────


def test_a_new_pump_takes_the_place_of_the_old_one_once(nurse: Visitor, pump: str, desk: Desk) -> None:
    old = desk.rows(Pump)[0].id
    new = {"model": "SynchroMed III", "reservoir_size_ml": "40", "replaces": "1", "pump": str(old)}
    assert nurse.post(f"{pump}/record", seen_on=pump, **new).status_code == 302
    assert nurse.post(f"{pump}/record", seen_on=pump, **new).status_code == 409  # pressed twice
    assert len(desk.rows(Pump)) == 2
    assert "SynchroMed III, 40 mL" in nurse.page(pump)
    wrong = nurse.post(f"{pump}/record", seen_on=pump, model="Prometra", reservoir_size_ml="900")
    assert (wrong.status_code, 'value="900"' in wrong.text) == (422, True)


def test_replacement_and_referral_are_followed(nurse: Visitor, pump: str, desk: Desk, staff_id: int) -> None:
    nurse.post(f"{pump}/indicator", seen_on=pump, seen_on_="2026-11-20")
    assert "since 20-Nov-2026" in nurse.page(pump)
    sent = {"owner": str(staff_id)}
    nurse.post(f"{pump}/referral", seen_on=pump, **sent)
    row = desk.rows(Referral)[0]
    nurse.post(f"{pump}/referral", seen_on=pump, referral=row.id, state="booked", **sent)
    assert desk.rows(Referral)[0].state is ReferralState.BOOKED
    back = nurse.post(f"{pump}/referral", seen_on=pump, referral=row.id, state="sent", **sent)
    assert (back.status_code, "it only moves forward" in read(back)) == (409, True)


def test_an_mri_is_recorded_once_and_its_check(nurse: Visitor, pump: str, desk: Desk) -> None:
    for _ in range(2):
        nurse.post(f"{pump}/scan", seen_on=pump, scanned_at="2026-11-23T08:00")
    scan = desk.rows(Scan)[0]
    assert len(desk.rows(Scan)) == 1
    assert "nobody has said yet whether the pump was checked" in nurse.page(pump)
    nurse.post(f"{pump}/scan", seen_on=pump, scan=scan.id)
    assert "pump checked" in nurse.page(pump)


# ── visits after the plan-by date ────────────────────────────────────────────────────────────────────


def test_a_visit_after_the_plan_by_date_needs_a_reason(nurse: Visitor, pump: str, maria: Someone, desk: Desk) -> None:
    save(nurse, pump, **REFILL)
    path = f"/staff/patients/{maria.id}"
    assert "late_reason" not in nurse.page(path)
    late = nurse.post(f"{path}/visits", seen_on=path, starts_at="2027-02-12T10:30")
    assert late.status_code == 422
    assert "this visit is 3 days after the plan-by date, 09-Feb-2027".capitalize()[:20] in read(late)
    assert 'value="2027-02-12T10:30"' in late.text
    assert 'name="late_reason"' in late.text
    why = "abroad until\0 the 11th"
    assert nurse.post(f"{path}/visits", seen_on=path, starts_at="2027-02-12T10:30", late_reason=why).status_code == 302
    page = nurse.page(path)
    assert "After the plan-by date" in page
    assert "abroad until the 11th" in page
    visit = desk.rows(Appointment)[0]
    moved = {"starts_at": "2027-02-13T10:30", "version": visit.version}
    again = nurse.post(f"/staff/visits/{visit.id}/move", seen_on=path, **moved)
    assert (again.status_code, 'name="late_reason"' in again.text) == (422, True)
    assert nurse.post(f"/staff/visits/{visit.id}/move", seen_on=path, **moved, late_reason="ride").status_code == 302


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────


def test_refills_due_are_sorted_by_drug_left_and_can_be_narrowed(
    nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone], line: Line, clock: FrozenClock
) -> None:
    people = {"Maria": maria, "Otto": add_patient("Otto", "+16145550150"), "Nell": add_patient("Nell", "+16145550151")}
    for name, volume in (("Maria", "9"), ("Otto", "20"), ("Nell", "4")):
        save(nurse, f"/staff/patients/{people[name].id}/pump", **(REFILL | {"reservoir_volume_ml": volume}))
    book_appointment(line, people["Otto"].id, clock() + timedelta(days=9), clock(), "test")
    book_appointment(line, people["Nell"].id, clock() + timedelta(days=40), clock(), "test", late_reason="abroad")

    def names(path: str) -> list[str]:
        return re.findall(r'class="fam">Lopez</span>, (\w+)', nurse.page(path).partition('id="due"')[2])

    assert names("/staff/refills") == ["Nell", "Maria", "Otto"]
    assert names("/staff/refills?show=not-booked") == ["Maria"]
    assert names("/staff/refills?show=late") == ["Nell"]
    assert names("/staff/refills?show=%00%F0rubbish") == ["Nell", "Maria", "Otto"]
    page = nurse.page("/staff/refills")
    assert "17 d</b> earliest, 20 d nominal" in page
    assert "after plan-by, when the drug may be gone: abroad" in page
    assert "never texted" in page


def test_today_puts_danger_first_and_leads_to_the_right_page(
    nurse: Visitor, maria: Someone, line: Line, clock: FrozenClock, clinic: Clinic
) -> None:
    with line.db.begin() as session:
        for number, kind in enumerate(reversed([kind for kind in TaskKind if kind is not TaskKind.ALERT])):
            about = {"due_at": clock() if number % 2 else None, "needed_by": clock().date() + timedelta(days=11)}
            open_task(session, clock(), clinic.id, kind, f"patient:{maria.id}", "why", patient_id=maria.id, **about)
    page = nurse.page("/staff/")
    places = [page.index(f"<h2>{kind.title}</h2>") for kind in LISTS]
    assert places == sorted(places)
    assert "call now" in page
    assert 'refill by <time datetime="2026-12-04">4-Dec</time>' in page
    assert "replace by" in page
    assert f'href="/staff/patients/{maria.id}/pump#waiting"' in page
    assert f'href="/staff/patients/{maria.id}/pump#replacement"' in page
    clock.forward(hours=3)
    nurse.sign_in("ana@clinic.example")
    assert "overdue 3 h" in nurse.page("/staff/")


def test_an_alert_about_a_patient_has_neither_phone_nor_words(
    nurse: Visitor, maria: Someone, line: Line, clock: FrozenClock, clinic: Clinic
) -> None:
    with line.db.begin() as session:
        about = {"needed_by": clock().date() + timedelta(days=2), "patient_id": maria.id}
        raise_alert(line, session, clock(), clinic, f"patient:{maria.id}", "missed_refill", "2 days left", **about)
    assert "No text came with it" in nurse.page("/staff/")
    for path in ("/staff/refills", f"/staff/patients/{maria.id}", f"/staff/patients/{maria.id}/pump"):
        assert "LOPEZ" in nurse.page(path)  # in the strip


WORDS_OF_DUE = ("call now", "today", "today by 14:00", "by Fri 11:00")


def test_a_due_time_reads_as_people_say_it(clinic: Clinic) -> None:
    zone, now = ZoneInfo(clinic.time_zone), datetime(2026, 11, 23, 15, tzinfo=UTC)  # Monday, 10:00
    hour = timedelta(hours=1)
    said = [due(at, now, now, zone, "call") for at in (now, now + 14 * hour, now + 4 * hour, now + 97 * hour, None)]
    assert [each.say if each else None for each in said] == [
        "call now",
        "today",
        "today by 14:00",
        "by Fri 11:00",
        None,
    ]
    late = due(now, now, now + 2 * hour, zone, "call")
    assert late is not None
    assert (late.say, late.late) == ("call now", "overdue 2 h")
    passed = due(now + hour, now, now + 3 * hour, zone)
    assert passed is not None
    assert passed.say == "overdue 2 h"


def test_every_kind_of_task_purpose_and_step_has_words() -> None:
    listed = {kind for one in LISTS for kind in one.kinds}
    assert listed | {TaskKind.ALERT} == set(TaskKind) == set(TASKS)
    assert set(PURPOSES) == {purpose.value for purpose in Purpose}
    assert all(step(f"{kind}:1") != "reminder" for kind in TAKERS)


def test_a_text_of_a_care_step_reads_as_such(
    nurse: Visitor, pump: str, maria: Someone, clock: FrozenClock, live_until: Callable[[datetime], None]
) -> None:
    save(nurse, pump, **REFILL)
    live_until(clock() + timedelta(hours=5))
    nurse.sign_in("ana@clinic.example")
    page = nurse.page(f"/staff/patients/{maria.id}")
    assert "Pumpline · question how the patient is" in page


# ── who may see what ─────────────────────────────────────────────────────────────────────────────────


def test_another_clinic_finds_none_of_it(nurse: Visitor, stranger_nurse: Visitor, pump: str, desk: Desk) -> None:
    save(nurse, pump, **REFILL)
    refill = desk.rows(Refill)[0]
    assert stranger_nurse.get(pump).status_code == 404
    for form in FORMS:
        answer = stranger_nurse.post(f"{pump}/{form}", seen_on="/staff/", **REFILL, kind="refill", entry=refill.id)
        assert answer.status_code == 404, form
    assert "Lopez" not in stranger_nurse.page("/staff/refills")
    assert len(desk.rows(Refill)) == 1


def test_a_form_names_only_rows_of_its_own_patient(
    nurse: Visitor, second: Visitor, pump: str, add_patient: Callable[..., Someone], desk: Desk, staff_id: int
) -> None:
    other = f"/staff/patients/{add_patient('Otto', '+16145550150').id}/pump"
    save(nurse, pump, **REFILL)
    nurse.post(f"{pump}/referral", seen_on=pump, owner=staff_id)
    nurse.post(f"{pump}/scan", seen_on=pump, scanned_at="2026-11-23T08:00")
    ids = {"refill": desk.rows(Refill)[0].id, "referral": desk.rows(Referral)[0].id, "scan": desk.rows(Scan)[0].id}
    word = {"kind": "refill", "entry": ids["refill"], "answer": "decline"}
    assert second.post(f"{other}/entries", seen_on=other, **word).status_code == 404
    assert second.post(f"{other}/referral", seen_on=other, referral=ids["referral"], owner=staff_id).status_code == 404
    assert second.post(f"{other}/scan", seen_on=other, scan=ids["scan"]).status_code == 404


def test_no_name_or_number_stands_in_an_address_or_title(nurse: Visitor, pump: str) -> None:
    save(nurse, pump, **REFILL)
    for path in (pump, "/staff/refills"):
        page = nurse.page(path)
        for said in re.findall(r'(?:href|action|hx-get|src)="([^"]*)"|<title>(.*?)</title>', page):
            assert not any(secret in "".join(said).lower() for secret in ("maria", "lopez", "555")), said


RUBBISH = ("", " ", "x", "-1", "0", "NaN", "Infinity", "1e400", "9" * 400, "1,5", "2,000", "\0", "5\0", "٥",
           "0.0000001", "'; DROP TABLE refill; --", "<script>", "999999", "10000-01-01", "2026-13-45", "0001-01-01",
           "💊")  # fmt: skip
DOSE = {"effective_on": "2026-12-01", "week": "same", "daily_dose_mcg": "450", "alarm_volume_ml": "2"}
MORE = ("other_concentration", "concentration_confirmed", "boluses_per_day", "bolus_mcg", "dose_mon", "do", "mark")
FORMS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {  # good values, and what else a form may hold
    "refill": (REFILL, MORE),
    "program": (DOSE, MORE),
    "record": (
        {"model": "SynchroMed II", "reservoir_size_ml": "20"},
        ("implanted_on", "replace_by", "replaces", "pump"),
    ),
    "indicator": ({"seen_on": "2026-11-20"}, ()),
    "referral": ({"owner": "1", "state": "sent"}, ("referral",)),
    "scan": ({"scanned_at": "2026-11-23T08:00"}, ("scan",)),
    "entries": ({"kind": "refill", "entry": "1", "answer": "confirm"}, ()),
}


@pytest.mark.parametrize("form", FORMS)
def test_rubbish_is_refused_in_words(nurse: Visitor, pump: str, form: str) -> None:
    save(nurse, pump, **REFILL)
    token = re.search(r'name="csrf_token" value="([^"]+)"', nurse.get(pump).text)
    good, more = FORMS[form]
    for name, typed in itertools.product((*good, *more), RUBBISH):
        fields = good | {name: typed, "csrf_token": token[1] if token else ""}
        answer = nurse.client.post(f"{pump}/{form}", data=fields)
        assert answer.status_code in (200, 302, 404, 409, 422), (name, typed, answer.status_code)
    assert nurse.get(pump).status_code == 200
    assert nurse.get("/staff/refills").status_code == 200


def test_a_patient_without_a_pump_can_be_given_one(nurse: Visitor, pump: str, desk: Desk, line: Line) -> None:
    with line.db.begin() as session:
        session.delete(session.get_one(Pump, desk.rows(Pump)[0].id))
    assert "No pump is on record" in nurse.page(pump)
    refused = nurse.post(f"{pump}/refill", seen_on=pump, do="check", **REFILL)
    assert (refused.status_code, refused.text.count("Traceback")) == (422, 0)
    nurse.post(f"{pump}/record", seen_on=pump, model="Prometra II", reservoir_size_ml="20")
    assert "Prometra II" in nurse.page(pump)
    assert desk.rows(Supply)[0].problem == "no refill is recorded"
    assert desk.rows(Task) == []

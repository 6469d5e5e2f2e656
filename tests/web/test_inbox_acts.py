"""What a nurse does to a thread, two nurses at once, and putting it back."""

import re
import threading
from datetime import timedelta

import pytest
from flask import Flask

from app.actions.add_staff import add_staff
from app.actions.assign_thread import assign_thread
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.wake_threads import wake_threads
from app.db.pulse import READS
from app.db.threads import PhoneThread, ThreadChange, ThreadState
from app.db.work import AuditEvent, TaskKind
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor
from tests.web.inbox_stage import NONSENSE, Add, Text, names, seen
from tests.web.test_authorisation import form_token


@pytest.fixture
def ben_id(line: Line, clock: FrozenClock) -> int:
    return add_staff(line.db, "ben@clinic.example", "Ben Osei", "nurse", PASSWORD, clock())


@pytest.fixture
def ben(app: Flask, ben_id: int) -> Visitor:
    """A colleague, signed in."""
    visitor = Visitor(app.test_client())
    assert visitor.sign_in("ben@clinic.example").status_code == 302
    return visitor


@pytest.fixture
def path(maria: Someone, texts: Text) -> str:
    """The address of Maria's thread, in which a nurse is wanted."""
    texts(maria.phone, NONSENSE)
    return f"/staff/inbox/{maria.phone_id}"


def thread(desk: Desk) -> PhoneThread:
    return desk.rows(PhoneThread)[0]


def undo_of(location: str | None) -> int:
    found = re.search(r"undo=(\d+)", location or "")
    assert found, location
    return int(found[1])


def test_claiming_gives_it_to_me_and_offers_undo(nurse: Visitor, path: str, desk: Desk, staff_id: int) -> None:
    assert "Nobody has this" in nurse.page(path)
    answer = nurse.post(f"{path}/assign", seen_on=path, to="me", seen=0)
    assert thread(desk).assignee_id == staff_id
    page = nurse.page(answer.location or "")
    assert "Yours" in page
    assert "You claimed this" in seen(page)
    nurse.post(f"{path}/undo", seen_on=path, change=undo_of(answer.location))
    assert thread(desk).assignee_id is None


def test_the_loser_of_a_claim_reads_who_was_faster(
    nurse: Visitor, ben: Visitor, path: str, desk: Desk, staff_id: int, clock: FrozenClock
) -> None:
    nurse.post(f"{path}/assign", seen_on=path, to="me", seen=0)
    clock.forward(seconds=3)
    answer = ben.post(f"{path}/assign", seen_on=path, to="me", seen=0)
    assert answer.status_code == 409
    assert "Not assigned. Ana claimed this 3 s ago." in seen(answer.text)
    assert thread(desk).assignee_id == staff_id


def test_of_two_claims_at_one_instant_one_wins(
    line: Line, maria: Someone, path: str, staff_id: int, ben_id: int, clock: FrozenClock, desk: Desk
) -> None:
    start, outcomes = threading.Barrier(2), list[str]()

    def claim(who: int) -> None:
        start.wait()
        try:
            assign_thread(line, maria.phone_id, who, None, clock(), who)
            outcomes.append("won")
        except Refused as refusal:
            outcomes.append(refusal.kind)

    racers = [threading.Thread(target=claim, args=(who,)) for who in (staff_id, ben_id)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(outcomes) == ["conflict", "won"]
    assert len(desk.rows(ThreadChange)) == 1


def test_assigning_to_a_colleague_and_to_nobody(
    nurse: Visitor, path: str, desk: Desk, staff_id: int, ben_id: int
) -> None:
    nurse.post(f"{path}/assign", seen_on=path, to=ben_id, seen=0)
    assert thread(desk).assignee_id == ben_id
    assert "Ben has this" in nurse.page(path)
    assert "Ana assigned this to Ben" in nurse.page(path)
    nurse.post(f"{path}/assign", seen_on=path, to=0, seen=ben_id)
    assert thread(desk).assignee_id is None


def test_nobody_of_another_clinic_can_be_given_a_thread(
    nurse: Visitor, stranger_nurse: Visitor, path: str, desk: Desk
) -> None:
    for stranger in (2, 99, 10**14):
        assert nurse.post(f"{path}/assign", seen_on=path, to=stranger, seen=0).status_code == 422
    assert thread(desk).assignee_id is None


def test_closing_hides_it_and_undo_brings_it_back_with_its_wait(
    nurse: Visitor, path: str, desk: Desk, clock: FrozenClock
) -> None:
    waits = thread(desk).waiting_since
    clock.forward(minutes=1)
    answer = nurse.post(f"{path}/close", seen_on=path, version=thread(desk).version)
    assert (answer.location or "").startswith("/staff/inbox?undo=")
    page = nurse.page(answer.location or "")
    assert names(page) == []
    assert "You closed this: Lopez , Maria" in seen(page)
    assert thread(desk).waiting_since is None
    nurse.post(f"{path}/undo", seen_on=path, change=undo_of(answer.location))
    assert (thread(desk).state, thread(desk).waiting_since) == (ThreadState.OPEN, waits)


def test_undo_is_offered_only_while_nothing_happened_since(
    nurse: Visitor, path: str, desk: Desk, maria: Someone, texts: Text, clock: FrozenClock
) -> None:
    location = nurse.post(f"{path}/close", seen_on=path, version=thread(desk).version).location or ""
    clock.forward(seconds=1)
    texts(maria.phone, "one more thing")
    assert "You closed this" not in seen(nurse.page(location))
    answer = nurse.post(f"{path}/undo", seen_on=path, change=undo_of(location))
    assert answer.status_code == 409
    assert "Not undone. A new text came 0 s ago." in seen(answer.text)
    assert thread(desk).state is ThreadState.OPEN


def test_undo_is_nobody_elses(nurse: Visitor, ben: Visitor, path: str, desk: Desk) -> None:
    location = nurse.post(f"{path}/close", seen_on=path, version=thread(desk).version).location or ""
    assert "closed this" not in seen(ben.page(location))
    assert nurse.post(f"{path}/undo", seen_on=path, change=99).status_code == 422


def test_a_text_that_came_meanwhile_is_not_closed_away(
    nurse: Visitor, path: str, desk: Desk, maria: Someone, texts: Text, clock: FrozenClock
) -> None:
    version = thread(desk).version
    texts(maria.phone, "wait")
    clock.forward(seconds=4)
    answer = nurse.post(f"{path}/close", seen_on=path, version=version)
    assert answer.status_code == 409
    assert "Not closed. A new text came 4 s ago." in seen(answer.text)
    assert thread(desk).state is ThreadState.OPEN


def test_an_urgent_thread_is_neither_closed_nor_put_off_and_its_alert_is_left_alone(
    nurse: Visitor, maria: Someone, texts: Text, desk: Desk
) -> None:
    texts(maria.phone, "my pump alarm is beeping")
    path = f"/staff/inbox/{maria.phone_id}"
    page = nurse.page(path)
    assert 'data-key="close"' not in page
    assert "&ldquo;" not in page
    assert "“my pump alarm is beeping”" in seen(page)
    for act, fields in (("close", {}), ("snooze", {"until": "hour"})):
        answer = nurse.post(f"{path}/{act}", seen_on=path, version=thread(desk).version, **fields)
        assert answer.status_code == 409
        assert "acknowledge and resolve the alert first" in answer.text
    [alert] = desk.tasks(TaskKind.ALERT)
    assert alert.acknowledged_at is None
    nurse.post(f"/staff/tasks/{alert.id}/acknowledge", seen_on=path, version=alert.version, back=path)
    nurse.post(f"/staff/tasks/{alert.id}/resolve", seen_on=path, version=2, outcome="Seen in clinic today", back=path)
    assert nurse.post(f"{path}/close", seen_on=path, version=thread(desk).version).status_code == 302


def test_an_alert_that_came_after_closing_keeps_undo_from_hiding_it(
    nurse: Visitor, path: str, desk: Desk, maria: Someone, texts: Text
) -> None:
    nurse.post(f"{path}/close", seen_on=path, version=thread(desk).version)
    answer = nurse.post(f"{path}/reopen", seen_on=path, version=thread(desk).version)
    texts(maria.phone, "my pump alarm is beeping")
    assert nurse.post(f"{path}/undo", seen_on=path, change=undo_of(answer.location)).status_code == 409
    assert thread(desk).state is ThreadState.OPEN


def test_close_and_next_opens_the_one_behind(
    nurse: Visitor, path: str, desk: Desk, add_patient: Add, texts: Text, clock: FrozenClock
) -> None:
    clock.forward(minutes=1)
    other = add_patient("Grace", "+16145550150", family_name="Oduya")
    texts(other.phone, NONSENSE)
    answer = nurse.post(f"{path}/close", seen_on=path, version=thread(desk).version, then="next")
    assert (answer.location or "").startswith(f"/staff/inbox/{other.phone_id}?undo=")


@pytest.mark.parametrize(
    ("until", "at", "wakes"),
    [
        ("hour", "", "2026-11-23T16:00"),
        ("tomorrow", "", "2026-11-24T13:00"),
        ("monday", "", "2026-11-30T13:00"),
        ("own", "2026-12-03T14:30", "2026-12-03T19:30"),
    ],
)
def test_a_snoozed_thread_comes_back_by_itself(
    nurse: Visitor, path: str, desk: Desk, line: Line, clock: FrozenClock, until: str, at: str, wakes: str
) -> None:
    nurse.post(f"{path}/snooze", seen_on=path, version=thread(desk).version, until=until, at=at)
    snoozed = thread(desk)
    assert (snoozed.state, f"{snoozed.snoozed_until:%Y-%m-%dT%H:%M}") == (ThreadState.SNOOZED, wakes)
    assert snoozed.snoozed_until
    clock.to(snoozed.snoozed_until - timedelta(seconds=1))
    assert wake_threads(line, clock()) == 0
    clock.forward(seconds=1)
    assert wake_threads(line, clock()) == 1
    assert wake_threads(line, clock()) == 0
    assert thread(desk).state is ThreadState.OPEN
    assert thread(desk).waiting_since is not None


@pytest.mark.parametrize(
    "at", ["", "x", "2020-01-01T10:00", "2026-11-23T10:00", "2199-01-01T10:00", "2027-03-14T02:30"]
)
def test_a_snooze_that_cannot_be_is_shown_again_as_it_was_typed(nurse: Visitor, path: str, desk: Desk, at: str) -> None:
    answer = nurse.post(f"{path}/snooze", seen_on=path, version=thread(desk).version, until="own", at=at)
    assert answer.status_code == 422
    assert f'name="at" value="{at}"' in answer.text
    assert thread(desk).state is ThreadState.OPEN


def test_pausing_by_hand_and_letting_it_answer_again(
    nurse: Visitor, path: str, desk: Desk, clock: FrozenClock, maria: Someone, texts: Text
) -> None:
    nurse.post(f"{path}/pause", seen_on=path)
    assert "Assistant paused by Ana, resumes 17:00 EST" in seen(nurse.page(path))
    assert texts(maria.phone, "can i fly").replies == ()
    nurse.post(f"{path}/resume", seen_on=path)
    assert "Assistant paused by" not in nurse.page(path)
    assert texts(maria.phone, "TRAVEL").replies != ()


def test_every_act_is_in_the_audit_by_ids_alone(nurse: Visitor, path: str, desk: Desk, maria: Someone) -> None:
    nurse.post(f"{path}/assign", seen_on=path, to="me", seen=0)
    nurse.post(f"{path}/pause", seen_on=path)
    nurse.post(f"{path}/note", seen_on=path, body="secretword")
    nurse.post(f"{path}/close", seen_on=path, version=thread(desk).version)
    deeds = [e for e in desk.rows(AuditEvent) if e.actor.startswith("staff:") and e.verb not in (*READS, "signed in")]
    kept = [(e.verb, str(e.detail)) for e in deeds]
    assert [verb for verb, _ in kept] == ["thread assigned", "assistant paused", "note written", "thread closed"]
    assert not any("secretword" in detail or "Maria" in detail for _, detail in kept)


def test_acts_on_a_phone_that_never_texted_do_nothing_odd(nurse: Visitor, maria: Someone, desk: Desk) -> None:
    path = f"/staff/inbox/{maria.phone_id}"
    assert "No texts yet" in nurse.page(path)
    assert nurse.post(f"{path}/unread", seen_on=path).status_code == 302
    assert nurse.post(f"{path}/close", seen_on=path, version=1).status_code == 302
    assert nurse.post(f"{path}/assign", seen_on=path, to="me", seen=0).status_code == 302
    assert nurse.post(f"{path}/pause", seen_on=path).status_code == 302
    assert nurse.post(f"{path}/reopen", seen_on=path, version=thread(desk).version).status_code == 302


FIELDS = (
    "to",
    "seen",
    "version",
    "until",
    "at",
    "body",
    "when",
    "use",
    "count",
    "claim",
    "form_id",
    "message",
    "change",
)
ODD = ("", "0", "-1", "9" * 30, "²", "x" * 5000, "\0", "{given_name}", "2026-99-99T99:99", "\ud83d\ude00" * 900, "١")


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_no_form_of_a_thread_answers_500(app: Flask, nurse: Visitor, path: str, odd: str) -> None:
    odd = odd.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    rules = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "/staff/inbox/<int" in rule.rule and "POST" in (rule.methods or ())
    ]
    assert len(rules) >= 14
    token = form_token(nurse)  # once: a page before each of two thousand forms took most of the suite's time
    for rule in rules:
        address = path + rule.split(">")[1]
        for values in (*({name: odd} for name in FIELDS), dict.fromkeys(FIELDS, odd)):
            answer = nurse.client.post(address, data=values | {"csrf_token": token})
            assert answer.status_code in (204, 302, 404, 409, 422, 200), (address, values, answer.status_code)

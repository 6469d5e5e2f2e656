"""What is broken on purpose."""

import asyncio
import os
import resource
import sqlite3
import time
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from app.actions.failed_text import UNREADABLE
from app.db.care import Appointment, Reminder, ReminderState
from app.db.messages import OutboundMessage
from app.db.people import Contact
from app.db.work import Task
from app.domain.delivery import DeliveryState
from tests.chaos import line
from tests.chaos.crash_points import MISSED, SENDING, SPOOL, WEB
from tests.chaos.databases import Postgresql
from tests.chaos.fleet import many_machines, one_machine, two_on_one_file
from tests.chaos.run import Run, Scenario
from tests.chaos.truth import Verdict
from tests.chaos.weather import FOUL, Weather

_EITHER = {"sqlite": one_machine, "postgresql": many_machines}
_RACES = timedelta(seconds=6)
_POINTS_WITHIN_SECONDS = 300


def nothing(run: Run) -> None:
    """The day as it should be."""


def kill_at_random(run: Run) -> None:
    while run.texting.is_set():
        run.pause(0.7, 3.0)
        run.fleet.kill(run.chance.choice([member.name for member in run.fleet.members]))


def every_point(run: Run) -> None:
    """Each named point in turn, while the clock races so that what waits for minutes comes about too."""
    until = time.monotonic() + _POINTS_WITHIN_SECONDS
    missed = False
    while (point := run.fleet.next_point()) and time.monotonic() < until:
        run.clock.step(_RACES)
        time.sleep(0.5)
        if point in MISSED and not missed and run.texting.is_set():
            missed = True  # once: whoever is dead all the time never asks what was missed
            _all_webs_dead(run, 2)
    run.notes["crash points reached"] = sum(run.fleet.fired(point) for point in run.scenario.points)


def points_were_reached(run: Run, found: Verdict) -> None:
    for point in run.scenario.points:
        found.expect(run.fleet.fired(point), f"nothing was killed at: {point}")


def _all_webs_dead(run: Run, seconds: float) -> None:
    """The texts of this time reach nobody; they stand in the carrier's list only."""
    webs = [member.name for member in run.fleet.members if member.port]
    for name in webs:
        run.fleet.kill(name, for_good=True)
    time.sleep(seconds)
    for name in webs:
        run.fleet.start(name)
    run.fleet.wait_until_up()


def line_dead(run: Run) -> None:
    """Everything down for a while, twice."""
    for _ in range(2):
        run.pause(1, 3)
        _all_webs_dead(run, 4)


def database_stopped(run: Run) -> None:
    assert isinstance(run.held, Postgresql)
    while run.texting.is_set():
        run.pause(2, 4)
        run.held.stop()
        run.pause(1, 4)
        run.held.start()
        run.fleet.next_point()
    until = time.monotonic() + 60
    while run.fleet.next_point() and time.monotonic() < until:
        time.sleep(0.5)


def database_read_only(run: Run) -> None:
    assert isinstance(run.held, Postgresql)
    while run.texting.is_set():
        run.pause(1, 3)
        run.held.read_only(True)
        run.pause(2, 4)
        run.held.read_only(False)


def database_slow(run: Run) -> None:
    """Whoever wants to write waits for seconds, again and again."""
    while run.texting.is_set():
        run.pause(0.5, 1.5)
        seconds = run.chance.uniform(1, 4)
        if isinstance(run.held, Postgresql):
            run.held.sql(f"BEGIN; LOCK TABLE outbound_message IN EXCLUSIVE MODE; SELECT pg_sleep({seconds}); COMMIT")
        else:
            with sqlite3.connect(run.held.folder / "pumpline.db", timeout=30, isolation_level=None) as other:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                other.execute("ROLLBACK")
            other.close()


def disk_full(run: Run) -> None:
    """No file may grow beyond a size: first so small that only the spool can write, then nothing can."""
    whole = False
    while run.texting.is_set():
        run.pause(1, 2)
        _limit(run, 1 if whole else 16 * 1024)
        run.pause(2, 3)
        _limit(run, resource.RLIM_INFINITY)
        whole = not whole
        run.fleet.next_point()
    until = time.monotonic() + 60
    while run.fleet.next_point() and time.monotonic() < until:
        time.sleep(0.5)


def _limit(run: Run, size: int) -> None:
    for member in run.fleet.members:
        if member.process is None:
            continue
        for pid in _group(member.process.pid):
            try:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            except ProcessLookupError:
                continue


def _group(leader: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.getpgid(int(name)) == leader:
                found.append(int(name))
        except ProcessLookupError:
            continue
    return found


def account_fails(run: Run) -> None:
    """The first account refuses us, answers with errors or loses its answers for seconds, while processes die too."""
    known, fair = run.carrier.auth_token, run.carrier.weather
    while run.texting.is_set():
        run.pause(1, 3)
        match run.chance.randrange(3):
            case 0:
                run.carrier.auth_token = "revoked"
            case 1:
                run.carrier.weather = Weather(broken=1)
            case _:
                run.carrier.weather = Weather(hangs_up_after=0.5, hangs_up=0.5)
        run.pause(3, 6)
        run.fleet.kill(run.chance.choice([member.name for member in run.fleet.members]))
        run.carrier.auth_token, run.carrier.weather = known, fair
        run.clock.step(timedelta(minutes=2))  # it is asked again after one


def both_accounts_were_used(run: Run, found: Verdict) -> None:
    assert run.second is not None
    for name, carrier in (("first", run.carrier), ("second", run.second)):
        run.notes[f"sent by the {name} account"] = len(carrier.accepted)
        found.expect(bool(carrier.accepted), f"nothing was sent by the {name} account")


POISONED = 5  # of each kind


def poisoned_rows(run: Run) -> None:
    """Some patients' names and some phones' numbers are damaged before their reminders are due, and mended later."""
    names = select(Appointment.patient_id).distinct().order_by(Appointment.patient_id)
    with run.db.begin() as session:
        patients = session.scalars(names.limit(2 * POISONED)).all()
        of_names, of_numbers = patients[:POISONED], patients[POISONED:]
        phones = session.scalars(select(Contact.phone_id).where(Contact.patient_id.in_(of_numbers))).all()
        kept = [
            *_damaged(session, "patient", "given_name", of_names),
            *_damaged(session, "phone", "number", phones),
        ]
    until = time.monotonic() + 60
    while (_reminded(run) < run.size.reminders - len(phones) or run.texting.is_set()) and time.monotonic() < until:
        run.pause(0.5, 1)
    run.notes["reminders that went beside damaged rows"] = _reminded(run)
    with run.db.begin() as session:
        for table, column, row, value in kept:
            session.execute(text(f"UPDATE {table} SET {column} = :value WHERE id = :id"), {"value": value, "id": row})


def _damaged(session: Session, table: str, column: str, ids: Sequence[int]) -> list[tuple[str, str, int, bytes]]:
    """Damage a sealed value of these rows as a bad disk would, and return what stood there."""
    kept = []
    for row in ids:
        value = session.execute(text(f"SELECT {column} FROM {table} WHERE id = :id"), {"id": row}).scalar_one()
        kept.append((table, column, row, bytes(value)))
        broken = bytes(value)[:40] + b"\0\0\0" + bytes(value)[43:]
        session.execute(text(f"UPDATE {table} SET {column} = :value WHERE id = :id"), {"value": broken, "id": row})
    return kept


def _reminded(run: Run) -> int:
    """Count the reminders that are with the carrier."""
    states = (DeliveryState.ACCEPTED, DeliveryState.SENT, DeliveryState.DELIVERED)
    went = select(func.count()).where(OutboundMessage.reminder_id.is_not(None), OutboundMessage.state.in_(states))
    with run.db.read() as session:
        return session.scalar(went) or 0


def nobody_waited_for_them(run: Run, found: Verdict) -> None:
    went, wanted = run.notes["reminders that went beside damaged rows"], run.size.reminders - POISONED
    found.expect(went >= wanted, f"only {went} of {wanted} reminders went while {2 * POISONED} rows were damaged")
    with run.db.read() as session:
        told = session.scalars(select(Task.reason).where(Task.reason == UNREADABLE)).all()
    found.expect(len(told) >= POISONED, f"a nurse was told of {len(told)} of {POISONED}")


def clock_stepped(run: Run) -> None:
    """Forwards and back by hours, as a machine's clock is that was set wrongly and is put right."""
    for hours in (1, -1, 3, -2):
        run.pause(2, 4)
        run.clock.step(timedelta(hours=hours))


def over_the_change(run: Run) -> None:
    """Over the hour that comes twice or not at all, a clock set by hand as well; then up to the morning."""
    day = run.scenario.day
    for minutes in (8, 5, -4, 40, -60, 75, 60):
        run.pause(1, 2)
        run.clock.step(timedelta(minutes=minutes))
    run.pause(1, 2)
    run.clock.to(day.due_at - timedelta(minutes=61))  # an hour early by a wrong offset would be now
    run.pause(4, 5)
    run.clock.to(day.due_at - timedelta(seconds=2))


def reminders_came_in_the_morning(run: Run, found: Verdict) -> None:
    """Ten o'clock is ten o'clock on both sides of the change."""
    day = run.scenario.day
    with run.db.read() as session:
        due = set(session.scalars(select(Reminder.due_at).where(Reminder.state == ReminderState.QUEUED)))
        first = session.scalar(
            select(func.min(OutboundMessage.created_at)).where(OutboundMessage.reminder_id.is_not(None))
        )
    found.expect(due == {day.due_at}, f"reminders were due at {sorted(due)}, not at {day.due_at}")
    found.expect(first is not None and first >= day.due_at, f"the first reminder left at {first}")


def a_thousand_at_once(run: Run) -> None:
    """A thousand connections, each with a text, before any is answered."""
    run.pause(1, 2)
    answered = asyncio.run(_burst(run, 1_000))
    run.notes["of a thousand at once, answered"] = answered


async def _burst(run: Run, many: int) -> int:
    opened = asyncio.Barrier(many) if hasattr(asyncio, "Barrier") else None

    async def one(n: int) -> bool:
        sid = f"SMb{n:031x}"
        body = _form(run, line.phone(n % run.size.patients), _words(n), sid)
        place = urlsplit(run.fleet.webs[n % len(run.fleet.webs)])
        try:
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
            if opened is not None:
                await opened.wait()
            writer.write(body)
            await writer.drain()
            status = await asyncio.wait_for(reader.readline(), 60)
            answer = await reader.read()
            writer.close()
        except (OSError, TimeoutError):
            if opened is not None:
                await opened.abort()
            return False
        return b" 200 " in status and b"<Response>" in answer

    run.sids += [f"SMb{n:031x}" for n in range(many)]
    for n in range(many):
        run.carrier.miss(line.phone(n % run.size.patients), _words(n), f"SMb{n:031x}")
    return sum(await asyncio.gather(*[one(n) for n in range(many)]))


def _words(n: int) -> str:
    """Each its own: who says the same again and again is taken for a machine, and answered no more."""
    return f"Can I travel with my pump, question {n}?"


def _form(run: Run, sender: str, words: str, sid: str) -> bytes:
    form = {"MessageSid": sid, "AccountSid": run.carrier.account_sid, "From": sender, "To": run.carrier.number}
    form |= {"Body": words, "NumMedia": "0"}
    signature = RequestValidator(run.carrier.auth_token).compute_signature(f"{line.PUBLIC_URL}/twilio/sms", form)
    body = urlencode(form)
    head = (
        "POST /twilio/sms HTTP/1.1\r\nHost: pumpline.test\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"X-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


_REMINDERS = tuple(point for point in SENDING if "reminder" in point or point.startswith("text owed"))

SHORT = Scenario(
    "kill -9 at every crash point, in foul weather",
    every_point,
    _EITHER,
    weather=FOUL,
    points=(*_REMINDERS, *[point for point in SENDING if point not in _REMINDERS], *WEB),
    lasts=45,
    after=points_were_reached,
)

SCENARIOS = (
    Scenario("a fair day", nothing, _EITHER),
    Scenario("kill -9 at random moments", kill_at_random, _EITHER, lasts=40),
    Scenario(
        "kill -9 at every crash point",
        every_point,
        _EITHER,
        weather=Weather(hangs_up_after=0.05, report_lost=0.05),
        points=(*SHORT.points, *MISSED),
        lasts=120,
        after=points_were_reached,
    ),
    Scenario("the line down for a while", line_dead, _EITHER, lasts=25),
    Scenario(
        "database stopped",
        database_stopped,
        {"postgresql": many_machines},
        points=tuple(SPOOL),
        lasts=40,
        after=points_were_reached,
    ),
    Scenario("database read-only", database_read_only, {"postgresql": many_machines}, lasts=40),
    Scenario("database slow", database_slow, _EITHER),
    Scenario("disk full", disk_full, {"sqlite": one_machine}, points=tuple(SPOOL), lasts=40, after=points_were_reached),
    Scenario("a carrier in foul weather", nothing, _EITHER, weather=FOUL, lasts=25),
    Scenario(
        "a carrier whose list lags",
        nothing,
        _EITHER,
        weather=Weather(hangs_up_after=0.1, hides=0.3),
        lasts=25,
    ),
    Scenario(
        "the first account fails",
        account_fails,
        _EITHER,
        lasts=40,
        two_accounts=True,
        after=both_accounts_were_used,
    ),
    Scenario("poisoned rows", poisoned_rows, _EITHER, lasts=25, after=nobody_waited_for_them),
    Scenario("the clock set forwards and back", clock_stepped, _EITHER, lasts=25),
    Scenario(
        "over the hour that comes twice",
        over_the_change,
        _EITHER,
        lasts=25,
        day=line.HOUR_TWICE,
        after=reminders_came_in_the_morning,
    ),
    Scenario(
        "over the hour that is missing",
        over_the_change,
        _EITHER,
        lasts=25,
        day=line.HOUR_MISSING,
        after=reminders_came_in_the_morning,
    ),
    Scenario("two schedulers on one file", kill_at_random, {"sqlite": two_on_one_file}, lasts=40),
    Scenario("a thousand webhooks at once", a_thousand_at_once, _EITHER, lasts=20),
)

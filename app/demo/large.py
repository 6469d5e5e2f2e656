"""Make the large demo in an empty database, or in one that holds nothing but the small demo."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.add_staff import add_staff
from app.actions.change_schedule import ScheduleChange, change_schedule
from app.actions.errors import Refused
from app.actions.line import Line, policy_of
from app.actions.plan_care import A_BEAT, plan_new_pumps
from app.actions.plan_reminders import plan_reminders
from app.actions.prepare import DEMO_SIGN_IN, the_clinic
from app.actions.seal_audit import seal_audit
from app.actions.seed_demo import demo_mrns
from app.channels.simulator import SimulatorChannel
from app.db.care import Appointment
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Clinic, Patient, Staff
from app.db.work import Task
from app.demo.day import DAY, Day
from app.demo.history import EVERY, OPENS, History, history_of
from app.demo.names import STAFF
from app.demo.people import Person, most_people, mrn_of, people_of
from app.demo.phrases import Phrases, read_phrases
from app.demo.rows import Rows, share_of
from app.demo.talk import Exchange, talk_of
from app.demo.texts import TextWriter
from app.demo.threads import close_history
from app.demo.writer import Known, Writer, opted_out, remember_asking
from app.domain.visit_hours import MOST_PLACES
from app.jobs import run_due
from app.simulation.parameters import stream

MOST_VISITS_EACH, MOST_TEXTS_EACH = 20, 1_000
PLACES_PER_1000 = 26  # visits a day for a thousand patients: one comes about every nine weeks, and some miss theirs
Told = Callable[[str, int], None]


@dataclass(frozen=True)
class Sizes:
    patients: int = 5_000
    visits: int = 50_000
    messages: int = 500_000


@dataclass(frozen=True)
class Made:
    """What stands in the database afterwards, the small demo's rows included."""

    patients: int
    visits: int
    messages: int
    tasks: int
    open_tasks: int


def check(line: Line, sizes: Sizes) -> None:
    """Raise Refused where the demo may not be made, or not of these sizes."""
    if line.channel != "simulator":
        raise Refused("the demo works only with PUMPLINE_CHANNEL=simulator: this line is live")
    if not 1 <= sizes.patients <= most_people():
        raise Refused(f"--patients: from 1 to {most_people():,}, for so many have a number kept for fiction")
    if sizes.visits > MOST_VISITS_EACH * sizes.patients:
        raise Refused(f"--visits: at most {MOST_VISITS_EACH} a patient, for a pump is replaced after seven years")
    if sizes.messages > MOST_TEXTS_EACH * sizes.patients:
        raise Refused(f"--messages: at most {MOST_TEXTS_EACH:,} a patient")
    hashes = {line.db.hash_of(mrn) for mrn in demo_mrns()}
    with line.db.read() as session:
        known = set(session.scalars(select(Patient.mrn_hash)))
    if line.db.hash_of(mrn_of(1)) in known:
        raise Refused("the large demo is here already: for another one, start with an empty database", "conflict")
    if known - hashes:
        raise Refused(
            f"this database has {len(known - hashes)} patients who are not of the demo: nothing was changed. Name "
            "another folder with PUMPLINE_INSTANCE_DIR, or another database with PUMPLINE_DATABASE_URL",
            "conflict",
        )


def make_large(line: Line, now: datetime, sizes: Sizes, seed: int, told: Told) -> Made:
    """Make it, as of `now`; the same seed and sizes at the same moment give the same people, visits and words.

    History is one transaction; then every pump and visit is planned, and the last day is lived. `told` hears of what
    goes on: a name, and by how much. Raises Refused.
    """
    check(line, sizes)
    began = now - DAY
    nurses = _hire(line, began)
    _make_room(line, sizes, began)
    with line.db.begin() as session:
        clinic = the_clinic(session)
        zone = ZoneInfo(clinic.time_zone)
        phrases = read_phrases(line, clinic, began)
        everybody = _draw(sizes, seed, began, zone)
        known = _write(line, session, clinic, nurses, phrases, everybody, sizes, seed, began, lambda n: told("rows", n))
    while planned := plan_new_pumps(line, began):
        told("pumps", planned)
        if planned < A_BEAT:
            break
    plan_reminders(line, began)
    by_patient = {known[person.number].patient: (person, known[person.number]) for person, _ in everybody}
    beat = run_due(line, SimulatorChannel())
    Day(line, beat, by_patient, nurses, phrases, zone, stream(seed, "day"), began, now).live(lambda n: told("day", n))
    while seal_audit(line, now):
        pass
    return _made(line)


def _hire(line: Line, at: datetime) -> list[int]:
    """Return the demo's nurses, made where they are not: one can sign in, the others have no password."""
    email, password = DEMO_SIGN_IN
    with line.db.read() as session:
        has_ana = session.scalar(select(Staff.id).where(Staff.email == email)) is not None
    if not has_ana:
        add_staff(line.db, email, "Ana Lindqvist, RN", "nurse", password, at)
    with line.db.begin() as session:
        clinic = the_clinic(session)
        for name in STAFF:
            address = f"{name.split()[0].lower()}@northgate.example"
            if session.scalar(select(Staff.id).where(Staff.email == address)) is None:
                session.add(Staff(clinic_id=clinic.id, email=address, name=name, password_hash="", created_at=at))
        session.flush()
        emails = [email, *(f"{name.split()[0].lower()}@northgate.example" for name in STAFF)]
        return list(session.scalars(select(Staff.id).where(Staff.email.in_(emails)).order_by(Staff.id)))


def _make_room(line: Line, sizes: Sizes, at: datetime) -> None:
    """Give the clinic places for so many visits: what the demo books in its busiest weeks, and a fifth more."""
    with line.db.read() as session:
        clinic_id = the_clinic(session).id
    places = min(MOST_PLACES, max(8, sizes.patients * PLACES_PER_1000 // 1_000))
    change = ScheduleChange(places=(places,) * 5 + (0, 0), opens=OPENS, slot_minutes=EVERY.seconds // 60)
    change_schedule(line, clinic_id, change, at, "demo")


def _draw(sizes: Sizes, seed: int, began: datetime, zone: ZoneInfo) -> list[tuple[Person, History]]:
    people = people_of(sizes.patients, seed, began.astimezone(zone).date())
    counts = share_of(sizes.visits, sizes.patients)
    return [
        (person, history_of(person, count, seed, began, zone)) for person, count in zip(people, counts, strict=True)
    ]


def _write(
    line: Line,
    session: Session,
    clinic: Clinic,
    nurses: list[int],
    phrases: Phrases,
    everybody: list[tuple[Person, History]],
    sizes: Sizes,
    seed: int,
    began: datetime,
    told: Callable[[int], None],
) -> dict[int, Known]:
    """Write people and everything that happened to them; return their ids by number."""
    policy, counts = policy_of(clinic), share_of(sizes.messages, sizes.patients)
    exchanges: list[Exchange] = []
    for (person, history), count in zip(everybody, counts, strict=True):
        exchanges += talk_of(person, history, count, phrases, policy, seed, began)
    _confirm(exchanges)
    rows = Rows(session, told)
    writer = Writer(rows, line.db, clinic, nurses)
    writer.write(everybody)
    texts = TextWriter(writer, line, stream(seed, "texts"), began)
    exchanges.sort(key=lambda one: (one.at, one.person.number))
    writer.deeds.sort(key=lambda deed: deed.at)
    texts.write(exchanges, writer.deeds)
    rows.finish()
    remember_asking(session, texts.asked)
    opted_out(session, texts.stopped)
    close_history(session)
    return writer.known


def _confirm(exchanges: Iterable[Exchange]) -> None:
    for one in exchanges:
        if one.what == "confirm" and one.visit is not None:
            one.visit.confirmed_at = one.at


def _made(line: Line) -> Made:
    from sqlalchemy import func

    with line.db.read() as session:

        def count(table: type, *where: object) -> int:
            return int(session.scalar(select(func.count()).select_from(table).where(*where)) or 0)  # type: ignore[arg-type]

        return Made(
            patients=count(Patient),
            visits=count(Appointment),
            messages=count(InboundMessage) + count(OutboundMessage),
            tasks=count(Task),
            open_tasks=count(Task, Task.state != "resolved"),
        )

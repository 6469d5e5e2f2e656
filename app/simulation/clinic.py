"""A throw-away clinic: a database of its own, filled through the real import."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event, update

from app.actions.change_clinic import ClinicChange, change_clinic
from app.actions.import_patients import import_patients
from app.actions.line import Line
from app.actions.plan_care import plan_new_pumps
from app.actions.prepare import FirstClinic, prepare, the_clinic
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.migrate import migrate
from app.db.people import Contact, ContactKind, Staff
from app.domain.texts import Words
from app.simulation.agenda import instant
from app.simulation.nurses import Desk
from app.simulation.on_call import OnCall
from app.simulation.parameters import ZONE, Shard
from app.simulation.patients import Owner, Patient
from app.simulation.people import Person, people_of
from app.simulation.rows import Rows
from app.simulation.world import LINE_NUMBER, ON_CALL_NUMBER, World

_CLINIC = FirstClinic(
    name="Simulated Pump Clinic",
    phone="+16145559992",
    after_hours_phone="+16145559993",
    on_call_phone=ON_CALL_NUMBER,
    emergency_number="911",
    time_zone=ZONE,
    sender=LINE_NUMBER,
)
PHONE_OFF, DEAD_NUMBER = 30003, 30005  # the provider's codes
REPAIRED_EVERY_DAYS = 28  # every six hours in truth: it takes a third of a second each time, and finds nothing to do
_COLUMNS = (
    "mrn",
    "given_name",
    "family_name",
    "language",
    "time_zone",
    "phone",
    "contact",
    "reminders",
    "consent",
    "pump_model",
    "reservoir_size_ml",
    "implanted_on",
    "concentration_mcg_per_ml",
    "daily_dose_mcg",
    "alarm_volume_ml",
    "last_filled_on",
    "reservoir_volume_ml",
)


@contextmanager
def simulated_clinic(shard: Shard, words: Words, folder: Path) -> Iterator[World]:
    """Yield a world on its first morning, with its database in `folder`: whoever made that takes it away again."""
    file = folder / f"clinic-{shard.number}.db"
    db = Database(f"sqlite:///{file}", Keyring([Keyring.new_key()]))
    event.listen(db.engine, "connect", _in_haste)
    try:
        migrate(db)
        rows = Rows(file)
        try:
            yield _furnished(shard, Line(db, words, channel="twilio"), rows, folder)
        finally:
            rows.close()
    finally:
        db.close()


def _in_haste(connection: Any, _: object) -> None:
    """Nothing here must survive a power cut."""
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-32000")


def _furnished(shard: Shard, line: Line, rows: Rows, folder: Path) -> World:
    start = instant(0)
    prepare(line.db, _CLINIC, start)
    if shard.off("quiet-hours"):
        all_day = ClinicChange(texts_from=time(0), texts_until=time(23, 59), remind_at=time(6))
        change_clinic(line, all_day, start, "simulation")
    if shard.off("acknowledging"):
        change_clinic(line, ClinicChange(on_call_phone=""), start, "simulation")
    world = World(shard, line, rows)
    world.staff = _hire(line, start)
    world.desk = Desk(world)
    people = people_of(shard)
    _import(line, people, folder)
    _move_in(world, people)
    plan_new_pumps(line, start)
    _begin(world)
    return world


def _hire(line: Line, now: datetime) -> tuple[int, ...]:
    """Two nurses, without a password: nobody signs in."""
    with line.db.begin() as session:
        clinic = the_clinic(session)
        nurses = [
            Staff(clinic_id=clinic.id, email=f"{name}@simulation.example", name=name, password_hash="", created_at=now)
            for name in ("ana", "ben")
        ]
        session.add_all(nurses)
        session.flush()
        return tuple(nurse.id for nurse in nurses)


def _import(line: Line, people: tuple[Person, ...], folder: Path) -> None:
    file = folder / f"patients-{people[0].number}.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, _COLUMNS)
        writer.writeheader()
        writer.writerows(row for person in people for row in _lines_of(person))
    report = import_patients(line, file, instant(0))
    if report.checked.error_count:
        raise RuntimeError(f"the simulated patients cannot be imported: {report.errors[0]}")


def _lines_of(person: Person) -> Iterator[dict[str, object]]:
    today, pump = instant(0).date(), person.pump
    who = {"mrn": person.mrn, "given_name": person.given_name, "family_name": "Simulated", "consent": "yes"}
    who |= {"language": person.language, "time_zone": person.zone}
    held = {
        "pump_model": "SynchroMed II",
        "reservoir_size_ml": pump.size_ml,
        "implanted_on": today - timedelta(days=pump.implanted_days_ago),
        "concentration_mcg_per_ml": pump.concentration,
        "daily_dose_mcg": pump.dose,
        "alarm_volume_ml": pump.alarm_ml,
        "last_filled_on": today - timedelta(days=pump.filled_days_ago),
        "reservoir_volume_ml": pump.size_ml,
    }
    if person.own_phone:
        yield who | {"phone": person.phone} | held
    if person.carer_phone:
        reminders = "yes" if person.carer_gets_reminders else "no"
        yield who | {"phone": person.carer_phone, "contact": "carer", "reminders": reminders} | held


def _move_in(world: World, people: tuple[Person, ...]) -> None:
    """Give everybody their phone. Ids are those of the import: in the order of the file."""
    ids = [row[0] for row in world.rows.all("SELECT id FROM patient ORDER BY id")]
    by_phone: dict[str, list[Patient]] = {}
    for id_, person in zip(ids, people, strict=True):
        world.patients[id_] = patient = Patient(world, person, id_)
        for number in filter(None, (person.phone if person.own_phone else None, person.carer_phone)):
            by_phone.setdefault(number, []).append(patient)
    for number, patients in by_phone.items():
        carer = number == patients[0].person.carer_phone
        owner = Owner(world, number, patients, carer=carer)
        person = patients[0].person
        fails = PHONE_OFF if person.unreachable and not person.dead_number else DEAD_NUMBER
        world.add_phone(number, owner.read, fails if person.unreachable and not carer else None)
        for patient in patients:
            patient.owners.append(owner)
    world.add_phone(ON_CALL_NUMBER, OnCall(world).read)
    told = [patient.id for patient in world.patients.values() if patient.person.told_if_missed]
    with world.line.db.begin() as session:  # the import file has no column for it
        carers = update(Contact).where(Contact.kind == ContactKind.CARER, Contact.patient_id.in_(told))
        session.execute(carers.values(told_if_missed=True))


def _begin(world: World) -> None:
    for patient in world.patients.values():
        patient.begin()
        if patient.person.booked:
            world.desk.books_first(patient)
    world.desk.begin()
    for day in range(1, world.days + 1):
        world.agenda.at(world.opening.at_hour(day, 3), partial(world.night, repairs=day % REPAIRED_EVERY_DAYS == 0))

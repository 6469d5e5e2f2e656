"""Second pass of an import: a chunk of checked rows becomes rows of the database, whatever stood there before.

Whole chunks are looked up and written at once; a row a time would take an hour for a hundred thousand. A blank
cell leaves what is known as it is, and nothing is ever deleted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.actions.import_care import CareWriter
from app.actions.import_journal import Change, with_fresh_ids
from app.actions.import_rows import Numbered, Patients, Tally, differing, insert_returning, merged
from app.actions.import_visits import VisitWriter
from app.db.directory import number_again
from app.db.engine import Database
from app.db.name_index import Named, index_names
from app.db.people import Clinic, ConsentEvent, ConsentKind, Contact, ContactKind, Patient, PatientState, Phone
from app.db.supply import Supply
from app.integrations.csv_columns import Values


class ChunkWriter:
    """Writes the chunks of one file, in order, each within the caller's transaction."""

    def __init__(self, db: Database, clinic: Clinic, now: datetime, tally: Tally, actor: str = "command") -> None:
        self._db = db
        self._clinic = clinic
        self._now = now
        self._tally = tally
        self._care = CareWriter(clinic, now, tally)
        self._visits = VisitWriter(clinic, now, tally, actor)
        self._noted: dict[str, int] = {}

    def write(self, session: Session, chunk: Sequence[Numbered]) -> None:
        patients = self._patients(session, [values for _, values in chunk])
        phones = self._phones(session, [values for _, values in chunk])
        self._contacts(session, chunk, patients, phones)
        self._consents(session, [values for _, values in chunk], phones)
        self._care.write(session, [values for _, values in chunk], patients.ids, patients.created)
        self._visits.write(session, chunk, patients)
        self._dates_are_stale(session, patients)

    def _dates_are_stale(self, session: Session, patients: Patients) -> None:
        """Have the dates of known pumps worked out anew, soon: a file may have brought refills, doses or visits."""
        known = set(patients.ids.values()) - patients.created
        if known:
            session.execute(update(Supply).where(Supply.patient_id.in_(known)).values(stale=True))

    def changes_since_noted(self) -> dict[str, int]:
        """Return what changed since this was last asked, without the zeros."""
        changes = self._tally.changes()
        fresh = {kind: count - self._noted.get(kind, 0) for kind, count in changes.items()}
        self._noted = changes
        return {kind: count for kind, count in fresh.items() if count}

    def written_since_noted(self) -> list[Change]:
        """Return the rows written since this was last asked, where they are gathered."""
        return self._tally.taken()

    def _patients(self, session: Session, rows: Iterable[Values]) -> Patients:
        wanted = merged(rows, lambda values: values.mrn, _patient_cells)
        hashes = {self._db.hash_of(mrn): mrn for mrn in wanted}
        table = Patient.__table__
        known = session.execute(
            select(
                table.c.id,
                table.c.mrn_hash,
                table.c.given_name,
                table.c.family_name,
                table.c.born_on,
                table.c.language,
                table.c.time_zone,
                table.c.version,
                table.c.state,
            ).where(table.c.clinic_id == self._clinic.id, table.c.mrn_hash.in_(hashes))
        ).all()
        found, named = Patients(), []
        for row in known:
            mrn = hashes.pop(row.mrn_hash)
            changed = differing(row, wanted[mrn])
            found.add(mrn, row.id, wanted[mrn].get("time_zone") or row.time_zone)
            if row.state != PatientState.ACTIVE:
                found.inactive.add(row.id)
            if "time_zone" in changed:
                found.zone_changed.add(row.id)
            if changed:
                session.execute(update(table).where(table.c.id == row.id).values(**changed, version=row.version + 1))
            if {"given_name", "family_name"} & changed.keys():
                names = {"given_name": row.given_name, "family_name": row.family_name} | changed
                named.append(Named(row.id, self._clinic.id, names["given_name"], names["family_name"]))
            self._tally.met("patients", row, changed)
        defaults = {"born_on": None, "language": "en", "time_zone": self._clinic.time_zone}
        new = [
            {"clinic_id": self._clinic.id, "mrn": mrn, "mrn_hash": mrn_hash, "created_at": self._now}
            | defaults
            | wanted[mrn]
            for mrn_hash, mrn in hashes.items()
        ]
        for row in insert_returning(session, table, with_fresh_ids(session, new), "mrn_hash"):
            mrn = hashes[row.mrn_hash]
            found.add(mrn, row.id, wanted[mrn].get("time_zone") or self._clinic.time_zone)
            found.created.add(row.id)
            named.append(Named(row.id, self._clinic.id, wanted[mrn]["given_name"], wanted[mrn]["family_name"]))
        index_names(self._db, session, named)
        self._tally.created("patients", found.created)
        return found

    def _phones(self, session: Session, rows: Iterable[Values]) -> "Phones":
        hashes = {number: self._db.hash_of(number) for number in dict.fromkeys(values.phone for values in rows)}
        table = Phone.__table__
        known = session.execute(
            select(table.c.id, table.c.number_hash, table.c.number_gone).where(
                table.c.clinic_id == self._clinic.id, table.c.number_hash.in_(set(hashes.values()))
            )
        ).all()
        ids = {row.number_hash: row.id for row in known}
        numbers = {number_hash: number for number, number_hash in hashes.items()}
        for row in known:
            self._tally.met("phones", row, {})
            if row.number_gone:
                number_again(session, row.id, numbers[row.number_hash])
        new = [
            {"clinic_id": self._clinic.id, "number": number, "number_hash": number_hash, "created_at": self._now}
            for number, number_hash in hashes.items()
            if number_hash not in ids
        ]
        created: set[int] = set()
        for row in insert_returning(session, table, new, "number_hash"):
            ids[row.number_hash] = row.id
            created.add(row.id)
        self._tally.created("phones", created)
        return Phones({number: ids[number_hash] for number, number_hash in hashes.items()}, created)

    def _contacts(self, session: Session, chunk: Sequence[Numbered], patients: Patients, phones: "Phones") -> None:
        rows = [values for _, values in chunk]
        wanted = merged(rows, lambda v: (patients.ids[v.mrn], phones.ids[v.phone]), _contact_cells)
        table = Contact.__table__
        old = {patient_id for patient_id, _ in wanted} - patients.created
        known = (
            session.execute(
                select(
                    table.c.id,
                    table.c.patient_id,
                    table.c.phone_id,
                    table.c.kind,
                    table.c.name,
                    table.c.relation,
                    table.c.gets_reminders,
                    table.c.told_if_missed,
                    table.c.version,
                ).where(table.c.patient_id.in_(old))
            ).all()
            if old
            else ()
        )
        for row in known:
            cells = wanted.pop((row.patient_id, row.phone_id), None)
            if cells is None:
                continue
            if changed := differing(row, cells):
                session.execute(update(table).where(table.c.id == row.id).values(**changed, version=row.version + 1))
            self._tally.met("contacts", row, changed)
        defaults = {
            "kind": ContactKind.PATIENT,
            "name": None,
            "relation": None,
            "gets_reminders": True,
            "told_if_missed": False,
        }
        new = [
            {"patient_id": patient_id, "phone_id": phone_id, "created_at": self._now} | defaults | cells
            for (patient_id, phone_id), cells in wanted.items()
        ]
        self._tally.created("contacts", [row.id for row in insert_returning(session, table, new)])

    def _consents(self, session: Session, rows: Iterable[Values], phones: "Phones") -> None:
        """Record opt-ins of phones without a history: a file never overrules what a person texted."""
        agreed = {phones.ids[values.phone] for values in rows if values.consent}
        table = ConsentEvent.__table__
        old = agreed - phones.created
        events: Iterable[Any] = (
            session.execute(
                select(table.c.phone_id, table.c.kind)
                .where(table.c.phone_id.in_(old), table.c.kind != ConsentKind.SCOPE)
                .order_by(table.c.id)
            )
            if old
            else ()
        )
        latest = {event.phone_id: event.kind for event in events}
        self._tally.consents_left += sum(kind == ConsentKind.OPT_OUT for kind in latest.values())
        new = [
            {"phone_id": phone_id, "kind": ConsentKind.OPT_IN, "at": self._now, "source": "import"}
            for phone_id in sorted(agreed - latest.keys())
        ]
        if new:
            session.execute(insert(table), new)
        self._tally.consents += len(new)


@dataclass(frozen=True)
class Phones:
    ids: dict[str, int]  # by number
    created: set[int]


def _patient_cells(values: Values) -> dict[str, Any]:
    return {
        "given_name": values.given_name,
        "family_name": values.family_name,
        "born_on": values.born_on.isoformat() if values.born_on else None,
        "language": values.language,
        "time_zone": values.time_zone,
    }


def _contact_cells(values: Values) -> dict[str, Any]:
    return {
        "kind": ContactKind(values.contact) if values.contact else None,
        "name": values.carer_name,
        "relation": values.relation,
        "gets_reminders": values.reminders,
        "told_if_missed": values.told_if_missed,
    }

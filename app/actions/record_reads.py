"""Write to the audit log whose records a page showed: one event a patient opened, one for a whole list."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.actions.audit import audit
from app.actions.line import Line
from app.db.audit_log import LISTED, READ, id_list
from app.db.people import Contact
from app.db.tables import Base

Row = tuple[str, int]  # table and id


@dataclass(frozen=True)
class Shown:
    """What one page showed. `rows`: looked up one by one; `listed`: patients in a list, by where it stood."""

    page: str
    rows: tuple[Row, ...]
    listed: tuple[tuple[str, Collection[int]], ...]


def record_reads(line: Line, shown: Shown, actor: str, clinic_id: int, now: datetime) -> None:
    with line.db.begin() as session:
        for subject, phone_id in _subjects(session, shown.rows).items():
            detail = {"phone": phone_id} if phone_id is not None else {}
            audit(session, now, actor, READ, subject, page=shown.page, **detail)
        for place, patient_ids in shown.listed:
            audit(session, now, actor, LISTED, f"clinic:{clinic_id}", page=place, patients=id_list(patient_ids))


def _subjects(session: Session, rows: Collection[Row]) -> dict[str, int | None]:
    """Return whose records were read, with the phone that led there: everybody's behind it, or the phone's own."""
    found: dict[str, int | None] = {}
    for table, row_id in rows:
        patient_id, phone_id = _behind(session, table, row_id)
        if patient_id is not None:
            found.setdefault(f"patient:{patient_id}", None)
        elif phone_id is not None:
            people = session.scalars(select(Contact.patient_id).where(Contact.phone_id == phone_id)).all()
            for subject in [f"patient:{one}" for one in people] or [f"phone:{phone_id}"]:
                found.setdefault(subject, phone_id)
    return found


def _behind(session: Session, table: str, row_id: int) -> tuple[int | None, int | None]:
    """Return the patient, or else the phone, that a row is about; neither for one that is about no patient."""
    if table == "patient":
        return row_id, None
    if table == "phone":
        return None, row_id
    found: list[int | None] = []
    columns = Base.metadata.tables[table].c
    for name in ("patient_id", "phone_id"):
        found.append(session.scalar(select(columns[name]).where(columns.id == row_id)) if name in columns else None)
    return found[0], found[1]

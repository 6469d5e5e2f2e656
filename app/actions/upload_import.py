"""Take a file of patients, to be imported in further steps: it waits sealed, for whoever brought it."""

from datetime import datetime

from sqlalchemy import func, select

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.line import Line
from app.db.imports import ImportBatch, ImportState
from app.db.inserts import insert_once
from app.integrations.csv_headers import LARGEST_FILE, guess_columns, read_header, read_text

MOST_WAITING = 5  # of one person
TOO_LARGE = "the file is larger than 5 MB: split it, or have it imported with `pumpline import`"


def upload_import(line: Line, clinic_id: int, staff_id: int, form_key: str, content: bytes, now: datetime) -> int:
    """Keep a file and what its columns seem to be, and return its batch. The same form sent twice is one batch.

    Raises FormatError for what is no table with a header, Refused for one too large or one too many.
    """
    if len(content) > LARGEST_FILE:
        raise Refused(TOO_LARGE)
    text = read_text(content)
    header = read_header(text)
    with line.db.begin() as session:
        waiting = select(func.count()).where(ImportBatch.staff_id == staff_id, ImportBatch.state == ImportState.WAITING)
        if (session.scalar(waiting) or 0) >= MOST_WAITING:
            raise Refused(f"{MOST_WAITING} of your files wait already: import or cancel one of them first", "conflict")
        batch_id = insert_once(
            session,
            ImportBatch,
            ("form_key",),
            clinic_id=clinic_id,
            staff_id=staff_id,
            form_key=form_key,
            state=ImportState.WAITING,
            content=text,
            rows=header.rows,
            columns=list(guess_columns(header.names)),
            valid_only=False,
            version=1,
            created_at=now,
        )
        if batch_id is not None:
            audit(session, now, f"staff:{staff_id}", "import uploaded", f"import:{batch_id}", rows=header.rows)
            return batch_id
        same = session.execute(select(ImportBatch.id, ImportBatch.staff_id).where(ImportBatch.form_key == form_key))
        row = same.one()
        if row.staff_id != staff_id:
            raise Refused("this form was sent already: open the page again", "conflict")
        return int(row.id)

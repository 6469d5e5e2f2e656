"""Give up a file that waits: nothing of it was written, and it is not kept."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.errors import Refused
from app.actions.import_batches import the_batch
from app.actions.line import Line
from app.db.imports import ImportState


def drop_import(line: Line, batch_id: int, now: datetime, actor: str) -> None:
    """Forget the file. Doing it twice changes nothing. Raises Refused for an import that has begun."""
    with line.db.begin() as session:
        batch = the_batch(session, batch_id)
        if batch.state is ImportState.DROPPED:
            return
        if batch.state is not ImportState.WAITING:
            raise Refused("this file is imported already: it can be undone, not cancelled", "conflict")
        batch.state, batch.content, batch.version = ImportState.DROPPED, None, batch.version + 1
        audit(session, now, actor, "import cancelled", f"import:{batch_id}")

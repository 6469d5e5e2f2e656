"""Take the patients of a list out as a file: an event says who took how many."""

from datetime import datetime

from app.actions.audit import audit
from app.actions.line import Line


def export_patients(line: Line, clinic_id: int, count: int, filters: dict[str, str], now: datetime, actor: str) -> None:
    """Record it before the first row leaves. `filters` are known words; a search is told by a yes alone."""
    said = {name: value for name, value in filters.items() if name != "found"}
    if "found" in filters:
        said["search"] = "yes"
    with line.db.begin() as session:
        audit(session, now, actor, "exported patients", f"clinic:{clinic_id}", rows=count, **said)


def export_drawing(line: Line, patient_id: int, now: datetime, actor: str) -> None:
    """Record that the numbers of one patient's pump are taken out."""
    with line.db.begin() as session:
        audit(session, now, actor, "exported the pump's drawing", f"patient:{patient_id}")

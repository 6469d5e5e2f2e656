"""The labels that stand beside a conversation."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.learning import Label
from app.db.people import Staff


@dataclass(frozen=True)
class LabelRow:
    topic: str
    by: str  # the nurse's name


def labels_of(session: Session, inbound_ids: Sequence[int]) -> dict[int, LabelRow]:
    """Return by inbound text what it was labelled with, for those that were."""
    rows = session.execute(
        select(Label.inbound_id, Label.topic, Staff.name)
        .join(Staff, Staff.id == Label.labelled_by)
        .where(Label.inbound_id.in_(inbound_ids))
    )
    return {inbound_id: LabelRow(topic, name) for inbound_id, topic, name in rows}

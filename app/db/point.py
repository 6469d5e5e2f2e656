"""The point of restore: the newest things that a snapshot of the database holds, by id and instant."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, select

from app.db.messages import InboundMessage, OutboundMessage
from app.db.work import AuditEvent


@dataclass(frozen=True)
class Newest:
    id: int
    at: str  # ISO, UTC


@dataclass(frozen=True)
class Point:
    """`head`: hash of the last sealed event, for `pumpline audit verify --head`."""

    taken_at: str  # ISO, UTC: what was committed by then is in it
    text_in: Newest | None
    text_out: Newest | None
    event: Newest | None
    head: str | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        newest = {name: Newest(**said[name]) if said[name] else None for name in ("text_in", "text_out", "event")}
        return cls(taken_at=said["taken_at"], head=said["head"], **newest)

    @property
    def at(self) -> datetime:
        return datetime.fromisoformat(self.taken_at)


def point_of(connection: Connection, now: datetime) -> Point:
    """Read it from a snapshot taken at `now`."""
    chained = AuditEvent.__table__.c
    head = connection.execute(
        select(chained.hash).where(chained.position.is_not(None)).order_by(chained.position.desc()).limit(1)
    ).scalar()
    return Point(
        taken_at=now.isoformat(timespec="seconds"),
        text_in=_newest(connection, InboundMessage.__table__.c.received_at),
        text_out=_newest(connection, OutboundMessage.__table__.c.created_at),
        event=_newest(connection, AuditEvent.__table__.c.at),
        head=head,
    )


def _newest(connection: Connection, instant: Any) -> Newest | None:
    found = connection.execute(select(instant.table.c.id, instant).order_by(instant.table.c.id.desc()).limit(1)).first()
    return Newest(int(found[0]), found[1].isoformat(timespec="seconds")) if found else None

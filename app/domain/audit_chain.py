"""The chain of the audit log: each event's hash covers its fields and the hash before it. Pure."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

BEGINNING = "0" * 64  # what the first event's hash goes on from


@dataclass(frozen=True)
class Event:
    """What the hash of one event covers. `position` is its place in the chain: 1, 2, 3, without a gap."""

    position: int
    id: int
    at: datetime
    actor: str
    verb: str
    subject: str
    detail: dict[str, Any] | None


def hash_of(event: Event, prev_hash: str) -> str:
    """Return the hash, in hex: of the hash before and the event's fields as JSON of one form only."""
    fields = [
        event.position,
        event.id,
        event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        event.actor,
        event.verb,
        event.subject,
        event.detail,
    ]
    form = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(f"{prev_hash}\n{form}".encode("ascii")).hexdigest()

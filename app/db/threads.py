"""One conversation a phone, as the inbox sorts it: its state, who has it, who waits; notes, read marks, history."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, state_column
from app.db.types import Id, SealedWords


class ThreadState(StrEnum):
    OPEN = "open"
    WAITING = "waiting_on_patient"  # a person answered last
    SNOOZED = "snoozed"
    CLOSED = "closed"


# The order of the list. Within the first three whoever waits longest is first, in the last whoever texted last.
URGENT, FAILED, WAITS, REST = range(4)
ACTIVE = (ThreadState.OPEN, ThreadState.WAITING)
COUNTED = 100  # beyond it a count says 99+
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # `since` of a thread in which nobody waits


class PhoneThread(Base):
    """Kept in step by whatever changes a text, a task or a state: app.actions.threads."""

    __tablename__ = "phone_thread"
    __table_args__ = (
        Index("ix_phone_thread_sorted", "clinic_id", "state", "rank", "since", "last_at"),
        Index("ix_phone_thread_assignee", "assignee_id", "state"),
        Index(
            "ix_phone_thread_snoozed",
            "snoozed_until",
            sqlite_where=text("state = 'snoozed'"),
            postgresql_where=text("state = 'snoozed'"),
        ),
    )
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"), primary_key=True, autoincrement=False)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    state: Mapped[ThreadState] = mapped_column(state_column(ThreadState), default=ThreadState.OPEN)
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    snoozed_until: Mapped[datetime | None]
    last_in_id: Mapped[int | None] = mapped_column(Id)
    last_in_at: Mapped[datetime | None]
    last_out_id: Mapped[int | None] = mapped_column(Id)
    last_out_at: Mapped[datetime | None]
    last_at: Mapped[datetime]  # of the newest text, in or out
    urgent_since: Mapped[datetime | None]  # the oldest alert about it that nobody has resolved
    failed_at: Mapped[datetime | None]  # of the newest text out, where it failed
    waiting_since: Mapped[datetime | None]  # the oldest text that a person is wanted for and has not answered
    rank: Mapped[int]  # URGENT to REST
    since: Mapped[datetime]  # what the rank is sorted by; NEVER in REST
    language: Mapped[str]  # as last texted, else the patient's
    paused_until: Mapped[datetime | None]  # until then the assistant leaves questions to people
    paused_by: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    version: Mapped[int] = mapped_column(default=1)

    def place(self) -> None:
        """Set where it stands in the list."""
        self.rank, self.since = REST, NEVER
        for rank, since in ((WAITS, self.waiting_since), (FAILED, self.failed_at), (URGENT, self.urgent_since)):
            if since is not None:
                self.rank, self.since = rank, since


class ThreadSeen(Base):
    """Up to which text one nurse has read one thread."""

    __tablename__ = "thread_seen"
    __table_args__ = (Index("ix_thread_seen_phone_id", "phone_id"),)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True, autoincrement=False)
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"), primary_key=True, autoincrement=False)
    seen_id: Mapped[int] = mapped_column(Id)  # inbound_message.id; 0 for none


class ThreadNote(Base):
    """What staff tell each other beside a conversation. Never sent."""

    __tablename__ = "thread_note"
    __table_args__ = (Index("ix_thread_note_phone_id", "phone_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"))
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    form_key: Mapped[str] = mapped_column(unique=True)  # the same form sent twice is one note
    body: Mapped[str] = mapped_column(SealedWords)
    at: Mapped[datetime]


class ThreadChange(Base):
    """What somebody did to a thread, and how it was before: so that it can be put back. Only ever added to."""

    __tablename__ = "thread_change"
    __table_args__ = (Index("ix_thread_change_phone_id", "phone_id", "id"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # None: by itself
    at: Mapped[datetime]
    did: Mapped[str]  # assigned, closed, reopened, snoozed, woken, paused, resumed, undone
    to_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # to whom it was assigned
    until: Mapped[datetime | None]  # of a snooze or a pause
    state_before: Mapped[ThreadState] = mapped_column(state_column(ThreadState))
    assignee_before: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    snoozed_before: Mapped[datetime | None]
    version: Mapped[int]  # of the thread, after it

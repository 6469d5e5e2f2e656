"""Who: clinic, staff, patient, phone, contact, and the history of consent."""

from datetime import datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Time, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.db.base import Base, state_column
from app.db.types import Id, Sealed, SealedOrNone, SealedWords
from app.domain.permissions import Role as Role


class PatientState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"  # in hospital, travelling with another clinic
    LEFT = "left"
    DECEASED = "deceased"


class ContactKind(StrEnum):
    PATIENT = "patient"
    CARER = "carer"


class ConsentKind(StrEnum):
    OPT_IN = "opt_in"
    OPT_OUT = "opt_out"
    SCOPE = "scope"  # what this phone may be told about a patient has changed


class Clinic(Base):
    """One clinic: who answers, when, in which time zone, from which sender, with which reminder policy."""

    __tablename__ = "clinic"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str]  # as patients read it; GSM-7, at most 40 characters
    phone: Mapped[str]  # E.164
    after_hours_phone: Mapped[str]  # E.164
    on_call_phone: Mapped[str | None] = mapped_column(SealedOrNone)  # E.164; a nurse's own number
    emergency_number: Mapped[str] = mapped_column(default="911")
    country: Mapped[str] = mapped_column(default="US")
    time_zone: Mapped[str]
    hours: Mapped[str] = mapped_column(default="")  # as patients read them
    sender: Mapped[str | None] = mapped_column(index=True)  # E.164 or a Messaging Service (MG...)
    ladder_days: Mapped[list[int]] = mapped_column(JSON, default=lambda: [14, 7, 2, 1])
    remind_at: Mapped[time] = mapped_column(Time, default=time(10))
    texts_from: Mapped[time] = mapped_column(Time, default=time(8))
    texts_until: Mapped[time] = mapped_column(Time, default=time(21))
    missed_after_minutes: Mapped[int] = mapped_column(default=60)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class Staff(Base):
    __tablename__ = "staff"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), index=True)
    email: Mapped[str] = mapped_column(unique=True)  # lower case
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(state_column(Role), default=Role.NURSE)
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    language: Mapped[str] = mapped_column(default="", server_default="")  # of the console; empty: as the browser asks
    twelve_hours: Mapped[bool] = mapped_column(default=False, server_default=false())  # 2:30 PM for 14:30
    clinic: Mapped[Clinic] = relationship()


class StaffSession(Base):
    """One signed-in browser. The cookie holds a random token; only its hash is kept here."""

    __tablename__ = "staff_session"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    pending: Mapped[bool] = mapped_column(default=False)  # the password was right, a second factor is still asked for
    strong: Mapped[bool] = mapped_column(default=False)  # a second factor was proved, here or by the hospital
    proven_at: Mapped[datetime]  # when whoever sits there last proved to be who they are
    browser: Mapped[str] = mapped_column(default="")  # in words, as "Firefox on Windows"
    staff: Mapped[Staff] = relationship()


class SignInAttempt(Base):
    """A failed sign-in, by keyed hashes of the e-mail, of the address and of the browser, where it is known."""

    __tablename__ = "sign_in_attempt"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email_hash: Mapped[str] = mapped_column(index=True)
    address_hash: Mapped[str] = mapped_column(index=True)
    device_hash: Mapped[str] = mapped_column(default="")  # of a browser on which this account signed in before
    at: Mapped[datetime] = mapped_column(index=True)


class Patient(Base):
    __tablename__ = "patient"
    __table_args__ = (
        UniqueConstraint("clinic_id", "mrn_hash"),
        Index(
            "ix_patient_names_to_index",
            "clinic_id",
            sqlite_where=text("NOT names_indexed"),
            postgresql_where=text("NOT names_indexed"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"), index=True)
    mrn: Mapped[str] = mapped_column(SealedWords)  # the clinic's own record number
    mrn_hash: Mapped[str]
    given_name: Mapped[str] = mapped_column(SealedWords)
    family_name: Mapped[str] = mapped_column(SealedWords)
    born_on: Mapped[str | None] = mapped_column(SealedWords)  # ISO date
    language: Mapped[str] = mapped_column(default="en")
    time_zone: Mapped[str]
    names_indexed: Mapped[bool] = mapped_column(default=False)  # whether name_key stands for the names as they are
    state: Mapped[PatientState] = mapped_column(state_column(PatientState), default=PatientState.ACTIVE)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]  # since when nothing here says who it was
    clinic: Mapped[Clinic] = relationship()
    contacts: Mapped[list["Contact"]] = relationship(back_populates="patient", order_by="Contact.id")

    @validates("given_name", "family_name")
    def _named_anew(self, _: str, name: str) -> str:
        """A new name is not in the index yet: until it is, a search opens it."""
        self.names_indexed = False
        return name


class Phone(Base):
    """One phone as one clinic knows it, of a patient, a carer, several of them, or a stranger.

    What the carrier blocks and what a person was last asked belong to the phone, not to the patient.
    """

    __tablename__ = "phone"
    __table_args__ = (UniqueConstraint("clinic_id", "number_hash"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey("clinic.id"))
    number: Mapped[str] = mapped_column(Sealed)  # E.164, or as the provider gave it (short codes)
    number_hash: Mapped[str] = mapped_column(index=True)
    language: Mapped[str | None]  # as last texted; the patient's own where nothing was
    opted_out_at: Mapped[datetime | None]
    asked: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # domain.conversation: what we last asked, until when
    created_at: Mapped[datetime]
    # its person was erased, and only the hash is kept because it opted out; whoever uses the number brings it again
    number_gone: Mapped[bool | None]
    contacts: Mapped[list["Contact"]] = relationship(back_populates="phone", order_by="Contact.id")


class Contact(Base):
    """A person we may text about a patient: the patient or a carer, on a phone that others may share."""

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("patient_id", "phone_id"), Index("ix_contact_phone_id", "phone_id"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"))
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"))
    kind: Mapped[ContactKind] = mapped_column(state_column(ContactKind), default=ContactKind.PATIENT)
    name: Mapped[str | None] = mapped_column(SealedWords)  # of a carer
    relation: Mapped[str | None] = mapped_column(SealedWords)  # "wife"
    gets_reminders: Mapped[bool] = mapped_column(default=True)
    told_if_missed: Mapped[bool] = mapped_column(default=False)  # a carer the patient lets us tell of a missed refill
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    patient: Mapped[Patient] = relationship(back_populates="contacts")
    phone: Mapped[Phone] = relationship(back_populates="contacts")


class ConsentEvent(Base):
    """Who agreed or refused, when, how and in which words. Only ever added to.

    Of a scope: about which patient, and what this phone may be told from then on.
    """

    __tablename__ = "consent_event"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    phone_id: Mapped[int] = mapped_column(ForeignKey("phone.id"), index=True)
    kind: Mapped[ConsentKind] = mapped_column(state_column(ConsentKind))
    at: Mapped[datetime]
    source: Mapped[str]  # text, carrier, import, staff, demo
    words: Mapped[str | None] = mapped_column(SealedWords)
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound_message.id"))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    # patient.id; no foreign key: SQLite could not add one in place
    patient_id: Mapped[int | None] = mapped_column(Id, index=True)
    scope: Mapped[str | None]  # "reminders missed", "reminders", "missed", "nothing": domain.consent_scope

"""Every table, in one import."""

from app.db.base import Base
from app.db.care import Appointment, AppointmentState, EntryState, Program, Pump, Refill, Reminder, ReminderState
from app.db.learning import Feedback, Label
from app.db.messages import DeliveryEvent, InboundMessage, OutboundMessage, Purpose
from app.db.people import (
    Clinic,
    ConsentEvent,
    ConsentKind,
    Contact,
    ContactKind,
    Patient,
    PatientState,
    Phone,
    Role,
    SignInAttempt,
    Staff,
    StaffSession,
)
from app.db.supply import CarePolicy, CareStep, Referral, ReferralState, Scan, StepState, Supply
from app.db.threads import PhoneThread, ThreadChange, ThreadNote, ThreadSeen, ThreadState
from app.db.work import AuditEvent, Installation, JobHealth, Task, TaskKind, TaskState, TaskText

__all__ = [
    "Appointment",
    "AppointmentState",
    "AuditEvent",
    "Base",
    "CarePolicy",
    "CareStep",
    "Clinic",
    "ConsentEvent",
    "ConsentKind",
    "Contact",
    "ContactKind",
    "DeliveryEvent",
    "EntryState",
    "Feedback",
    "InboundMessage",
    "Installation",
    "JobHealth",
    "Label",
    "OutboundMessage",
    "Patient",
    "PatientState",
    "Phone",
    "PhoneThread",
    "Program",
    "Pump",
    "Purpose",
    "Referral",
    "ReferralState",
    "Refill",
    "Reminder",
    "ReminderState",
    "Role",
    "Scan",
    "SignInAttempt",
    "Staff",
    "StaffSession",
    "StepState",
    "Supply",
    "Task",
    "TaskKind",
    "TaskState",
    "TaskText",
    "ThreadChange",
    "ThreadNote",
    "ThreadSeen",
    "ThreadState",
]

"""Every table, in one import."""

from app.db.base import Base
from app.db.care import Appointment, AppointmentState, Program, Pump, Refill, Reminder, ReminderState
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
from app.db.work import AuditEvent, Installation, JobHealth, Task, TaskKind, TaskState, TaskText

__all__ = [
    "Appointment",
    "AppointmentState",
    "AuditEvent",
    "Base",
    "Clinic",
    "ConsentEvent",
    "ConsentKind",
    "Contact",
    "ContactKind",
    "DeliveryEvent",
    "Feedback",
    "InboundMessage",
    "Installation",
    "JobHealth",
    "Label",
    "OutboundMessage",
    "Patient",
    "PatientState",
    "Phone",
    "Program",
    "Pump",
    "Purpose",
    "Refill",
    "Reminder",
    "ReminderState",
    "Role",
    "SignInAttempt",
    "Staff",
    "StaffSession",
    "Task",
    "TaskKind",
    "TaskState",
    "TaskText",
]

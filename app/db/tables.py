"""Every table, in one import."""

from app.db.accounts import Authenticator, Invitation, Passkey, RecoveryCode
from app.db.base import Base
from app.db.calls import PhoneCall
from app.db.care import Appointment, AppointmentState, EntryState, Program, Pump, Refill, Reminder, ReminderState
from app.db.finding import NameKey, PatientSearch, SavedView
from app.db.imports import ImportBatch, ImportChange, ImportState
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
from app.db.provider_account import ProviderAccount
from app.db.retention import Forgotten, LegalHold
from app.db.supply import CarePolicy, CareStep, Referral, ReferralState, Scan, StepState, Supply
from app.db.tally import Tally
from app.db.threads import PhoneThread, ThreadChange, ThreadNote, ThreadSeen, ThreadState
from app.db.turns import SenderTurn
from app.db.visit_hours import ClinicSchedule, Closure
from app.db.work import AuditEvent, Installation, JobHealth, Task, TaskKind, TaskState, TaskText

__all__ = [
    "Appointment",
    "AppointmentState",
    "AuditEvent",
    "Authenticator",
    "Base",
    "CarePolicy",
    "CareStep",
    "Clinic",
    "ClinicSchedule",
    "Closure",
    "ConsentEvent",
    "ConsentKind",
    "Contact",
    "ContactKind",
    "DeliveryEvent",
    "EntryState",
    "Feedback",
    "Forgotten",
    "ImportBatch",
    "ImportChange",
    "ImportState",
    "InboundMessage",
    "Installation",
    "Invitation",
    "JobHealth",
    "Label",
    "LegalHold",
    "NameKey",
    "OutboundMessage",
    "Passkey",
    "Patient",
    "PatientSearch",
    "PatientState",
    "Phone",
    "PhoneCall",
    "PhoneThread",
    "Program",
    "ProviderAccount",
    "Pump",
    "Purpose",
    "RecoveryCode",
    "Referral",
    "ReferralState",
    "Refill",
    "Reminder",
    "ReminderState",
    "Role",
    "SavedView",
    "Scan",
    "SenderTurn",
    "SignInAttempt",
    "Staff",
    "StaffSession",
    "StepState",
    "Supply",
    "Tally",
    "Task",
    "TaskKind",
    "TaskState",
    "TaskText",
    "ThreadChange",
    "ThreadNote",
    "ThreadSeen",
    "ThreadState",
]

"""What each role may do: the one table. Pages, buttons and the tests of every route are derived from it."""

from enum import StrEnum


class Role(StrEnum):
    NURSE = "nurse"
    LEAD_NURSE = "lead_nurse"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    READ_ONLY = "read_only"


class Permission(StrEnum):
    OWN_ACCOUNT = "own_account"  # sign out, one's own password and second factor
    READ_PATIENTS = "read_patients"
    WRITE_PATIENTS = "write_patients"  # book, move, reply, acknowledge, record, confirm as the second person
    READ_CONTENT = "read_content"  # the answers and how they fare: nothing about a patient
    MANAGE_CONTENT = "manage_content"  # approve what patients are sent
    APPROVE_LIMITS = "approve_limits"  # the clinic's limits about pumps
    MANAGE_ROTA = "manage_rota"  # who is on call when
    MANAGE_SCHEDULE = "manage_schedule"  # visits a day, hours, closed days: nothing about a patient
    READ_FIGURES = "read_figures"  # counts over everybody, of nobody in particular
    EXPORT = "export"  # take lists of patients out as files
    IMPORT_PATIENTS = "import_patients"  # bring patients in from a file, and undo that
    READ_ACCESS = "read_access"  # who read or changed one patient's record
    READ_AUDIT = "read_audit"  # everything that anybody did
    HOLD_RECORDS = "hold_records"  # place and lift legal holds, by a patient's number
    ERASE_PATIENTS = "erase_patients"  # for good, by a patient's number: nothing about a patient is shown
    MANAGE_STAFF = "manage_staff"
    MANAGE_SETTINGS = "manage_settings"


_P = Permission
_ALL = frozenset({_P.OWN_ACCOUNT, _P.READ_CONTENT})
_READS = _ALL | {_P.READ_PATIENTS, _P.READ_FIGURES}
_NURSES = _READS | {_P.WRITE_PATIENTS}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.NURSE: _NURSES,
    Role.LEAD_NURSE: _NURSES
    | {_P.MANAGE_CONTENT, _P.APPROVE_LIMITS, _P.MANAGE_ROTA, _P.MANAGE_SCHEDULE, _P.EXPORT, _P.READ_ACCESS}
    | {_P.IMPORT_PATIENTS, _P.HOLD_RECORDS},
    Role.ADMINISTRATOR: _ALL
    | {_P.READ_FIGURES, _P.MANAGE_SCHEDULE, _P.MANAGE_STAFF, _P.MANAGE_SETTINGS}
    | {_P.HOLD_RECORDS, _P.ERASE_PATIENTS},
    Role.AUDITOR: _READS | {_P.EXPORT, _P.READ_ACCESS, _P.READ_AUDIT},
    Role.READ_ONLY: _READS,
}

ROLE_WORDS = {
    Role.NURSE: "nurse",
    Role.LEAD_NURSE: "lead nurse",
    Role.ADMINISTRATOR: "administrator",
    Role.AUDITOR: "auditor",
    Role.READ_ONLY: "read only",
}

# "Your role does not let you ..."
PERMISSION_WORDS = {
    _P.OWN_ACCOUNT: "change your own account",
    _P.READ_PATIENTS: "see patients",
    _P.WRITE_PATIENTS: "change a patient's record or write to patients",
    _P.READ_CONTENT: "read the answers",
    _P.MANAGE_CONTENT: "approve answers",
    _P.APPROVE_LIMITS: "set the clinic's limits",
    _P.MANAGE_ROTA: "change who is on call",
    _P.MANAGE_SCHEDULE: "change the clinic's days",
    _P.READ_FIGURES: "see the figures",
    _P.EXPORT: "take lists out as files",
    _P.IMPORT_PATIENTS: "bring patients in from files",
    _P.READ_ACCESS: "see who opened a patient's record",
    _P.READ_AUDIT: "read the audit log",
    _P.HOLD_RECORDS: "place or lift legal holds",
    _P.ERASE_PATIENTS: "erase a patient",
    _P.MANAGE_STAFF: "change who may sign in",
    _P.MANAGE_SETTINGS: "change the clinic's settings",
}


def may(role: Role, permission: Permission) -> bool:
    return permission in PERMISSIONS[role]


def whom_to_ask(permission: Permission) -> tuple[str, ...]:
    """Return the roles to ask, in words: those who may and do the clinic's work; where none does, an auditor."""
    able = [role for role in Role if may(role, permission)]
    at_work = [role for role in able if role not in (Role.AUDITOR, Role.READ_ONLY)]
    return tuple(ROLE_WORDS[role] for role in at_work or able)

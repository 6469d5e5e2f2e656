"""The audit log in plain words, for pages, files and commands. Pure."""

from collections.abc import Mapping
from typing import Any

_PAGES = {
    "patient": "the record and conversation",
    "pump": "the pump page",
    "phone": "the phone's conversation",
    "access": "who read and changed the record",
    "patients": "the list of patients",
    "search": "what a search found",
    "save_view_form": "the list of patients",
    "change_view_form": "the list of patients",
    "export_list": "a file of patients",
    "timeline": "the time line",
    "record_call_form": "the time line",
    "contacts": "the contacts",
    "add_contact_form": "the contacts",
    "change_contact_form": "the contacts",
    "remove_contact_form": "the contacts",
    "details": "the patient's details",
    "change_details": "the patient's details",
    "set_state": "the patient's details",
    "add_patient_form": "the form for a new patient",
    "refills": "the list of refills due",
    "today": "Today",
    "refill_list": "the list of refill day",
    "refill_day": "the refill form",
    "refill_day_form": "the refill form",
    "refill_second": "the refill form",
    "urgent strip": "the urgent strip",
    "inbox": "the list of the inbox",
    "inbox_thread": "the conversation in the inbox",
    "inbox_reply": "the conversation in the inbox",
    "inbox_note": "the conversation in the inbox",
    "inbox_assign": "the conversation in the inbox",
    "inbox_close": "the conversation in the inbox",
    "inbox_reopen": "the conversation in the inbox",
    "inbox_snooze": "the conversation in the inbox",
    "inbox_undo": "the conversation in the inbox",
    "inbox_take_back": "the conversation in the inbox",
    "urgent": "the urgent alerts",
}
_NO_STAFF = {
    "system": "Pumpline",
    "command": "the command line",
    "simulator": "the simulator",
}
_SUBJECTS = {
    "appointment": "visit",
    "inbound": "text in",
    "message": "text out",
}
_TOLD = {"page", "patients", "phone"}  # what the words themselves say


def who(actor: str, name: str | None) -> str:
    """Return whose deed it was: a name, or what did it."""
    if name:
        return name
    kind, _, row_id = actor.partition(":")
    if kind == "phone":
        return f"somebody texting from phone {row_id}"
    return _NO_STAFF.get(kind, f"{kind} {row_id}".strip())


def did(verb: str, detail: Mapping[str, Any]) -> str:
    """Return what was done: "opened the pump page", "visit booked (state booked)"."""
    page = str(detail.get("page", ""))
    place = _PAGES.get(page, page.replace("_", " "))
    if verb == "read":
        return f"opened {place}"
    if verb == "saw a list":
        return f"saw in {place}, with {_others(detail)}"
    more = ", ".join(f"{name.replace('_', ' ')} {_said(value)}" for name, value in detail.items() if name not in _TOLD)
    return f"{verb} ({more})" if more else verb


def about(subject: str) -> str:
    """Return which row: "visit 12"."""
    kind, _, row_id = subject.partition(":")
    return f"{_SUBJECTS.get(kind, kind.replace('_', ' '))} {row_id}".strip()


def _others(detail: Mapping[str, Any]) -> str:
    count = len(str(detail.get("patients", "")).split())
    return f"{count} patient{'' if count == 1 else 's'} shown"


def _said(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(str(one) for one in value) or "none"
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "none"}[value]
    return str(value)

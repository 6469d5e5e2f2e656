"""The audit log in plain words, for files and commands; pages say the same in their reader's language. Pure."""

from collections.abc import Mapping
from typing import Any

PAGES = {
    "patient": "the record and conversation",
    "pump": "the pump page",
    "phone": "the phone's conversation",
    "access": "who read and changed the record",
    "patients": "the list of patients",
    "search": "what a search found",
    "save_view_form": "the list of patients",
    "change_view_form": "the list of patients",
    "export_list": "a file of patients",
    "export_drawing_form": "the pump's drawing as a file",
    "undo_import_form": "an import that could not be undone",
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
    "inbox_send_now": "the conversation in the inbox",
    "inbox_retry": "the conversation in the inbox",
    "reply_to_patient": "the record and conversation",
    "reply_to_phone": "the phone's conversation",
    "book": "the record and conversation",
    "move": "the record and conversation",
    "cancel": "the record and conversation",
    "attended": "the record and conversation",
    "missed": "the record and conversation",
    "refill": "the pump page",
    "program": "the pump page",
    "settle_entry": "the pump page",
    "record_pump_form": "the pump page",
    "record_indicator": "the pump page",
    "referral": "the pump page",
    "scan": "the pump page",
    "schedule": "the schedule",
    "schedule_feed": "the schedule",
    "visit": "a visit of the schedule",
    "move_visit": "a visit of the schedule",
    "choose_patient": "whom to book",
    "find_to_book": "whom to book",
    "book_form": "the booking form",
    "book_visit": "the booking form",
    "schedule_days": "the clinic's days",
    "set_days": "the clinic's days",
    "add_closures": "the clinic's days",
    "remove_closure": "the clinic's days",
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
    if verb == "read":
        return f"opened {place(detail)}"
    if verb == "saw a list":
        count = shown_with(detail)
        return f"saw in {place(detail)}, with {count} patient{'' if count == 1 else 's'} shown"
    more = ", ".join(f"{name} {' '.join(values)}" for name, values in particulars(detail))
    return f"{verb} ({more})" if more else verb


def place(detail: Mapping[str, Any]) -> str:
    """Return where something was read: "the pump page"."""
    page = str(detail.get("page", ""))
    return PAGES.get(page, page.replace("_", " "))


def shown_with(detail: Mapping[str, Any]) -> int:
    """Return how many patients a list showed."""
    return len(str(detail.get("patients", "")).split())


def particulars(detail: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what the words of a deed do not say themselves, by name: ("state", ("booked",))."""
    return tuple((name.replace("_", " "), _said(value)) for name, value in detail.items() if name not in _TOLD)


def about(subject: str) -> str:
    """Return which row: "visit 12"."""
    kind, _, row_id = subject.partition(":")
    return f"{_SUBJECTS.get(kind, kind.replace('_', ' '))} {row_id}".strip()


def _said(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(one) for one in value) or ("none",)
    if value is None or isinstance(value, bool):
        return ({True: "yes", False: "no", None: "none"}[value],)
    return (str(value),)

"""How imports speak on pages: columns, kinds of rows, states, and why one cannot be undone."""

from app.db.imports import ImportState
from app.domain.import_undo import Why
from app.integrations.csv_columns import COLUMNS, REQUIRED
from app.web.language import N_
from app.web.language import gettext as _

COLUMN_WORDS = {
    "mrn": N_("Record number (MRN)"),
    "given_name": N_("Given name"),
    "family_name": N_("Family name"),
    "born_on": N_("Date of birth"),
    "language": N_("Language"),
    "time_zone": N_("Time zone"),
    "phone": N_("Phone"),
    "contact": N_("Whose phone: patient or carer"),
    "carer_name": N_("Name of the carer"),
    "relation": N_("Relation of the carer"),
    "reminders": N_("Gets reminders: yes or no"),
    "told_if_missed": N_("Carer told of a missed refill: yes or no"),
    "consent": N_("Agreed to texts: yes or no"),
    "pump_model": N_("Pump model"),
    "reservoir_size_ml": N_("Reservoir size, mL"),
    "implanted_on": N_("Day of the implant"),
    "concentration_mcg_per_ml": N_("Concentration, mcg/mL"),
    "daily_dose_mcg": N_("Daily dose, mcg"),
    "alarm_volume_ml": N_("Alarm volume, mL"),
    "last_filled_on": N_("Day of the last refill"),
    "reservoir_volume_ml": N_("Volume after that refill, mL"),
    "appointment_at": N_("Next visit, day and hour"),
    "appointment_id": N_("Key of the visit in your system"),
}
GROUPS = (
    (N_("Patient"), COLUMNS[: COLUMNS.index("phone")]),
    (N_("Phone"), COLUMNS[COLUMNS.index("phone") : COLUMNS.index("pump_model")]),
    (N_("Pump"), COLUMNS[COLUMNS.index("pump_model") : COLUMNS.index("appointment_at")]),
    (N_("Visit"), COLUMNS[COLUMNS.index("appointment_at") :]),
)
NEEDED = REQUIRED
KIND_WORDS = {
    "patients": N_("Patients"),
    "phones": N_("Phones"),
    "contacts": N_("Contacts"),
    "pumps": N_("Pumps"),
    "programs": N_("Programs"),
    "refills": N_("Refills"),
    "visits": N_("Visits"),
}
STATE_WORDS = {
    ImportState.WAITING: N_("waits, nothing is written yet"),
    ImportState.WRITING: N_("is being written"),
    ImportState.STOPPED: N_("stopped in the middle"),
    ImportState.DONE: N_("imported"),
    ImportState.UNDONE: N_("undone"),
    ImportState.DROPPED: N_("cancelled"),
}
WHY_NOT = {
    Why.TEXTED: N_("Texts went to them or came from them since"),
    Why.VISIT: N_("A visit was announced, confirmed, moved or had since"),
    Why.RECORD: N_("Something was written into the record since"),
    Why.CHANGED: N_("What the file wrote was changed since"),
    Why.LATER: N_("A later import changed it again: undo that one first"),
    Why.PAST: N_("The visit cannot go back: the time it had is past or taken, or it had been missed"),
}
WORDS_OF_CELLS = (  # what the errors of rows name in passing
    N_("yes or no"),
    N_("patient or carer"),
    N_("en or es"),
)


def in_words(columns: tuple[str, ...]) -> str:
    """Return columns by their names on the page, one after the other."""
    return ", ".join(_(COLUMN_WORDS[name]) for name in columns)

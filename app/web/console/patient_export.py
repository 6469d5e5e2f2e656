"""The list of patients as a file: exactly the rows that its filters show, sent in parts."""

from collections.abc import Iterator, Sequence
from datetime import date

from flask import Response, request
from flask.typing import ResponseReturnValue

from app.actions.export_patients import export_patients
from app.db.pages import ClinicFacts
from app.db.patient_list import Listed, every_id, rows_of
from app.domain.csv_out import BOM, csv_rows, csv_text
from app.domain.patient_filters import FACETS, Filters
from app.domain.permissions import Permission
from app.domain.phone import readable
from app.web import current
from app.web.console import bp
from app.web.console.fresh import fresh
from app.web.console.gate import staff
from app.web.console.patient_list import asked_for, whom
from app.web.console.permits import needs
from app.web.console.reading import listed
from faq.languages import languages

AT_ONCE = 200
HEADINGS = (
    "family name",
    "given name",
    "born",
    "MRN",
    "state",
    "language",
    "time zone",
    "phone",
    "phone state",
    "pump",
    "filled on",
    "plan by",
    "empty, earliest",
    "empty, nominal",
    "days left, earliest",
    "next visit",
    "visit confirmed",
    "visit days after plan-by",
    "missed, not booked again",
)


@bp.post("/patients/export")
@needs(Permission.EXPORT)
@fresh
def export_list() -> ResponseReturnValue:
    """Give the list as a file."""
    line, signed, now = current.line(), staff(), current.now()
    asked = asked_for(signed, Filters.of(request.form))
    with line.db.read() as session:
        ids = every_id(session, signed.clinic.id, whom(session, signed, asked), asked.filters.sort)
    export_patients(line, signed.clinic.id, len(ids), asked.filters.address, now, signed.actor)
    listed(ids)
    clinic, today = signed.clinic, now.astimezone(signed.clinic.zone).date()

    def parts() -> Iterator[str]:
        yield BOM + csv_text(HEADINGS, ())
        for start in range(0, len(ids), AT_ONCE):
            with line.db.read() as reading:
                rows = rows_of(reading, clinic, ids[start : start + AT_ONCE])
            yield csv_rows(_cells(row, clinic, today) for row in rows)

    name = f"patients-{today.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(parts(), mimetype="text/csv", headers=headers)


def _cells(row: Listed, clinic: ClinicFacts, today: date) -> Sequence[object]:
    """Return one line of the file. It stays in English for every reader: other programs read it too."""
    person, early, spoken = row.person, row.early_empty_on, languages().get(row.person.language)
    return (
        person.family_name,
        person.given_name,
        person.born_on or "",
        person.mrn,
        person.state.value,
        spoken.name if spoken else person.language,
        person.time_zone,
        readable(row.number, clinic.country) if row.number else "",
        FACETS["phone"][1][row.phone],
        row.pump or "",
        row.filled_on or "",
        row.plan_by or "",
        early or "",
        row.empty_on or "",
        max((early - today).days, 0) if early else "",
        row.next_visit.astimezone(clinic.zone).isoformat() if row.next_visit else "",
        "" if row.next_visit is None else "yes" if row.confirmed else "no",
        row.days_late if row.next_visit else "",
        "yes" if row.missed else "no",
    )

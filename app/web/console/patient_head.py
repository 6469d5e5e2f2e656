"""The head of every page about one patient: the banner, and the way from one of these pages to the next."""

from typing import TypedDict

from sqlalchemy.orm import Session

from app.db.patient_banner import Banner, patient_banner
from app.db.people import PatientState
from app.web.language import gettext as _


class Head(TypedDict):
    banner: Banner
    stopped: str  # why no text goes to this patient; empty while texts do


def head_of(session: Session, patient_id: int) -> Head:
    """Return what a patient's page is rendered with, besides its own."""
    banner = patient_banner(session, patient_id)
    return Head(banner=banner, stopped=stopped(banner))


def stopped(banner: Banner) -> str:
    """Say why no text goes to this patient any more; empty while texts do."""
    match banner.person.state:
        case PatientState.DECEASED:
            return _("Deceased. No text is sent.")
        case PatientState.LEFT:
            return _("Left this clinic. No reminder is sent; an emergency text is still answered.")
    if not banner.phones:
        return _("No phone on record: call or write instead.")
    if all(state == "opted_out" for state in banner.phones):
        return _("Opted out of texts. Call instead; Send is off. An emergency text is still answered.")
    return ""

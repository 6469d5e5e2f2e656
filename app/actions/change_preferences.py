"""In which language, and with which hours, somebody reads the console."""

from sqlalchemy import update

from app.actions.errors import Refused
from app.db.engine import Database
from app.db.people import Staff

CONSOLE_LANGUAGES = ("en", "es")


def change_preferences(db: Database, staff_id: int, language: str, *, twelve_hours: bool) -> None:
    """Keep a choice for every browser of this account. An empty language follows the browser."""
    if language and language not in CONSOLE_LANGUAGES:
        raise Refused("the console is written in English and Spanish: choose one of them")
    with db.begin() as session:
        session.execute(update(Staff).where(Staff.id == staff_id).values(language=language, twelve_hours=twelve_hours))

"""What `pumpline web` and `pumpline worker` ask for before they start: a database that machines share, and its keys."""

import logging
import time

import click
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from app.commands.errors import Failed, WrongSettings
from app.commands.house import open_database
from app.db.migrate import missing
from app.keys import keys_for
from app.settings import Settings

log = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 2.0

WAIT = click.option(
    "--wait",
    "wait_seconds",
    type=click.IntRange(0, 3600),
    default=60,
    show_default=True,
    help="Seconds to wait for a database that does not answer or is not migrated yet.",
)


def require_shared(settings: Settings) -> None:
    """Raise WrongSettings where what every machine must have alike is kept on one."""
    if make_url(settings.database_url).get_backend_name() == "sqlite":
        raise WrongSettings(
            "the database is SQLite, which one machine alone can use: start `pumpline run` there, or set "
            "PUMPLINE_DATABASE_URL=postgresql://... for many"
        )
    unset = [
        name
        for name, value in (("PUMPLINE_SECRET_KEY", settings.secret_key), ("PUMPLINE_DATA_KEYS", settings.data_keys))
        if value is None
    ]
    if unset:
        raise WrongSettings(
            f"{' and '.join(unset)} must be set, to the same on every machine: make them once with `pumpline keys new`"
        )


def wait_for_database(settings: Settings, seconds: float) -> None:
    """Return once the database answers, has every table this version needs and opens with our keys.

    Raises Failed when it did not within that time, and WrongDataKey at once: waiting mends no key.
    """
    until, said = time.monotonic() + seconds, ""
    while why := _why_not(settings):
        if time.monotonic() >= until:
            raise Failed(f"{why}; waited {seconds:g} s" if seconds else why)
        if why != said:
            log.warning("%s; waiting", why)
            said = why
        time.sleep(min(LOOK_EVERY_SECONDS, max(0.0, until - time.monotonic())))


def _why_not(settings: Settings) -> str | None:
    db = open_database(settings, keys_for(settings))
    try:
        why = missing(db)
        if why is None:
            _ = db.lookup_key  # opens it: a wrong key is found here
        return why
    except DBAPIError as error:
        return f"the database does not answer ({type(error.orig).__name__}): is PUMPLINE_DATABASE_URL right?"
    finally:
        db.close()

"""Errors as a person at a terminal reads them: one line, what and what to do, and an exit code."""

from typing import IO, Any

import click
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from app.actions.errors import Refused
from app.db.crypto import WrongDataKey
from app.db.engine import NotPrepared
from app.integrations.csv_format import FormatError
from app.keys import KeysError
from app.settings import SettingsError
from faq.library import ContentError

WRONG_USAGE = 2


class Failed(click.ClickException):
    """What was asked for failed or was refused."""

    exit_code = 1

    def show(self, file: IO[Any] | None = None) -> None:
        for line in self.message.splitlines():
            click.echo(line, file=file, err=file is None)


class WrongSettings(Failed):
    exit_code = WRONG_USAGE


def in_plain_words(error: Exception) -> click.ClickException | None:
    """Return how to say an error, None for one that is a fault of ours and should be seen whole."""
    match error:
        case SettingsError():
            return WrongSettings("\n".join(error.lines))
        case Refused() | NotPrepared() | WrongDataKey() | KeysError() | ContentError() | FormatError():
            return Failed(str(error))
        case NoSuchModuleError() | ModuleNotFoundError(name="psycopg"):
            return WrongSettings(
                "PUMPLINE_DATABASE_URL: the driver is not installed; install pumpline[postgres], or use sqlite:///"
            )
        case DBAPIError():  # its words hold the statement and its values
            return Failed(
                f"the database gave an error ({type(error.orig).__name__}): run `pumpline doctor` to find out why"
            )
        case _:
            return None

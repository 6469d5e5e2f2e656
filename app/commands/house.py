"""What commands work with: settings, database, line and clock, each made when first needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.actions.advance_clock import simulated_clock
from app.actions.errors import Refused
from app.actions.line import Line
from app.clock import system_clock
from app.db.crypto import Keyring
from app.db.engine import Database, NotPrepared
from app.db.people import Clinic
from app.keys import Keys, keys_for
from app.settings import Settings, load_settings

ACTOR = "command"


def open_database(settings: Settings, keys: Keys) -> Database:
    return Database(settings.database_url, Keyring(keys.data_keys))


@dataclass
class House:
    """An opened installation."""

    settings: Settings
    keys: Keys
    db: Database
    now: datetime  # the simulator's clock may run ahead
    zone: ZoneInfo  # of the clinic

    @cached_property
    def line(self) -> Line:
        """The line, with every answer read, which takes a moment."""
        from app.wiring import line_for

        return line_for(self.settings, self.keys)

    def simulator_only(self, what: str) -> None:
        if not self.settings.is_simulator:
            raise Refused(f"{what} works only with PUMPLINE_CHANNEL=simulator: this line is live")


@contextmanager
def opened() -> Iterator[House]:
    """Open the installation that the environment names. Raises NotPrepared before `pumpline migrate`."""
    settings = load_settings()
    keys = keys_for(settings)
    db = open_database(settings, keys)
    house = None
    try:
        _ = db.lookup_key  # says by itself what to do when there are no tables yet, or other keys
        with db.read() as session:
            zone = session.scalar(select(Clinic.time_zone).order_by(Clinic.id).limit(1))
        if zone is None:
            raise NotPrepared("there is no clinic yet: run `pumpline migrate`")
        clock = simulated_clock(db, system_clock) if settings.is_simulator else system_clock
        house = House(settings, keys, db, clock(), ZoneInfo(zone))
        yield house
    finally:
        if house is not None and "line" in vars(house):
            house.line.db.close()
        db.close()

"""What people type into forms: a day and hour at the clinic, the version they saw, a text to send."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import abort

from app.domain.day_words import NoDay, day_of
from app.web.language import gettext as _
from app.web.language import tr
from app.web.wording import clock_time
from scheduler.quiet_hours import local_instant


class NotUnderstood(ValueError):
    """The entry cannot be used; the message is shown under its field."""


def version_of(form: Mapping[str, str]) -> int:
    """Return the version the form was filled from. One that is missing or no number matches no row."""
    version = form.get("version", "")
    return int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else -1


def clinic_time(entered: str, zone: ZoneInfo) -> datetime:
    """Return the instant of a day and hour at the clinic. Raises NotUnderstood, also for an hour the clocks skip."""
    try:
        local = datetime.fromisoformat(entered.strip().replace(" ", "T"))
    except ValueError:
        raise NotUnderstood(_("Give day and hour, for example 2026-12-03 10:30.")) from None
    if local.tzinfo is not None or not 1970 <= local.year <= 2200:
        raise NotUnderstood(_("Give day and hour at the clinic, for example 2026-12-03 10:30."))
    instant = local_instant(local.date(), local.time(), zone)
    there = instant.astimezone(zone).replace(tzinfo=None)
    if there != local:
        said = _(
            "The clocks go forward that night: %(missing)s does not exist. Choose %(first)s or later.",
            missing=clock_time(local),
            first=clock_time(there),
        )
        raise NotUnderstood(said)
    return instant


def clinic_day(entered: str, today: date) -> date:
    """Return the day that was typed: a date, "today", or a span like "+2w". Raises NotUnderstood."""
    try:
        return day_of(entered, today)
    except NoDay as refusal:
        raise NotUnderstood(tr(refusal)) from None


_HOUR = re.compile(r"([0-9]{1,2})(?:[:.h]?([0-5][0-9]))?")


def time_of_day(entered: str) -> time:
    """Return a time of day as typed: "09:30", "9.30", "0930", "9". Raises NotUnderstood."""
    found = _HOUR.fullmatch(entered.strip().casefold())
    if not found or int(found[1]) > 23:
        raise NotUnderstood(_("Write the time in 24 hours, for example 09:30 or 14:00."))
    return time(int(found[1]), int(found[2] or 0))


def field_day(day: date) -> str:
    """Return a day as a field holds it: "27-Nov-2026"."""
    return f"{day.day}-{day:%b-%Y}"


def field_time(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as a day-and-hour field holds it."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}"


def suggested(now: datetime, zone: ZoneInfo) -> str:
    """Return what a booking form starts with: three days ahead, 10:30."""
    day = now.astimezone(zone).date() + timedelta(days=3)
    return f"{day.isoformat()}T10:30"


LONGEST_REPLY = 1600


def reply_of(form: Mapping[str, str]) -> str:
    """Return a text as typed, with plain line ends. Raises NotUnderstood for nothing and for too much."""
    body = form.get("body", "").replace("\r\n", "\n").replace("\0", "").strip()
    if not body:
        raise NotUnderstood(_("Write something first."))
    if len(body) > LONGEST_REPLY:
        words = _(
            "%(length)d characters are too many for a text: %(most)d at most.", length=len(body), most=LONGEST_REPLY
        )
        raise NotUnderstood(words)
    return body


def row_id(said: str) -> int:
    """Return a row's id out of an address; 404 for what is none."""
    if not (said.isascii() and said.isdecimal() and len(said) < 19):
        abort(404)
    return int(said)

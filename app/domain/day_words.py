"""Days as people type them: "27-Nov-2026", "27 Nov", "2026-11-27", "today", "+2w". Pure: today is an argument.

All of it is known in English and in Spanish, for the console shows days in both: "14-ene-1945", "hoy", "+2 semanas".
"""

import re
import unicodedata
from datetime import date, timedelta

from scheduler.ladders import months_before

EXAMPLES = "27-Nov-2026, 2026-11-27, today, +10d, +2w or +3m"
BIRTH_EXAMPLES = "14-Jul-1945 or 1945-07-14"
FIRST_YEAR, LAST_YEAR = 1970, 2200
FIRST_BIRTH_YEAR = 1900
LONGEST = 40

_MONTHS = (
    *(("january", "enero"), ("february", "febrero"), ("march", "marzo"), ("april", "abril")),
    *(("may", "mayo"), ("june", "junio"), ("july", "julio"), ("august", "agosto")),
    *(("september", "septiembre"), ("october", "octubre"), ("november", "noviembre"), ("december", "diciembre")),
)
_SPAN = re.compile(r"\+\s*([0-9]{1,4})\s*([dwsmya])[a-z]*")
_DAYS = {"d": 1, "w": 7, "s": 7}  # days, weeks, semanas
_MONTHS_OF = {"m": 1, "y": 12, "a": 12}  # months, years, anos
_SOON = {"today": 0, "hoy": 0, "tomorrow": 1, "manana": 1}
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_NAMED = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun|lun|mar|mie|jue|vie|sab|dom)[a-z]*,?\s+)?(?:el\s+)?"
    r"([0-9]{1,2})[\s-]+(?:de\s+)?([a-z]{3,10})\.?(?:[\s,-]+(?:del?\s+)?([0-9]{4}))?"
)


class NoDay(ValueError):
    """What was typed names no day; the message says how to write one."""


def day_of(entered: str, today: date) -> date:
    """Return the day that was typed. A span counts from today; a day without a year is the next one there is.

    Raises NoDay.
    """
    words = _words(entered)
    if len(words) > LONGEST:
        raise NoDay(f"Write a day like {EXAMPLES}.")
    if words in _SOON:
        return today + timedelta(days=_SOON[words])
    try:
        found = _spanned(words, today) or _dated(words) or _named(words, today)
    except (ValueError, OverflowError):
        raise NoDay(f"There is no such day. Write one like {EXAMPLES}.") from None
    if found is None:
        raise NoDay(f"Write a day like {EXAMPLES}.")
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise NoDay(f"Check the year: it must lie between {FIRST_YEAR} and {LAST_YEAR}.")
    return found


def birth_day_of(entered: str, today: date) -> date:
    """Return a day of birth, typed as other days are, with its year. Raises NoDay."""
    words = _words(entered)
    if len(words) > LONGEST:
        raise NoDay(f"Write the birth date like {BIRTH_EXAMPLES}.")
    if (named := _NAMED.fullmatch(words)) and not named[3]:
        raise NoDay(f"Give the year too, like {BIRTH_EXAMPLES}.")
    try:
        found = today if _SOON.get(words) == 0 else _spanned(words, today) or _dated(words) or _named(words, today)
    except (ValueError, OverflowError):
        raise NoDay(f"There is no such day. Write the birth date like {BIRTH_EXAMPLES}.") from None
    if found is None:
        raise NoDay(f"Write the birth date like {BIRTH_EXAMPLES}.")
    if found > today:
        raise NoDay("This day is still to come: check the year.")
    if found.year < FIRST_BIRTH_YEAR:
        raise NoDay(f"Check the year: a birth date lies no earlier than {FIRST_BIRTH_YEAR}.")
    return found


def _words(entered: str) -> str:
    """Return what was typed in small letters without their accents: half of all keyboards have none."""
    letters = unicodedata.normalize("NFD", entered.casefold())
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def _spanned(words: str, today: date) -> date | None:
    found = _SPAN.fullmatch(words)
    if not found:
        return None
    count, unit = int(found[1]), found[2]
    if unit in _DAYS:
        return today + timedelta(days=count * _DAYS[unit])
    return months_before(today, -count * _MONTHS_OF[unit])


def _dated(words: str) -> date | None:
    found = _ISO.fullmatch(words)
    return date(int(found[1]), int(found[2]), int(found[3])) if found else None


def _named(words: str, today: date) -> date | None:
    found = _NAMED.fullmatch(words)
    if not found or not (month := _month(found[2])):
        return None
    number = int(found[1])
    if found[3]:
        return date(int(found[3]), month, number)
    years = (today.year + n for n in range(9))  # the 29th of February may be far off
    days = [date(year, month, number) for year in years if _is_day(year, month, number)]
    return next(day for day in days if day >= today) if days else date(today.year, month, number)


def _month(word: str) -> int:
    """Return the month that a word begins, 0 for none."""
    return next((n for n, names in enumerate(_MONTHS, 1) if any(name.startswith(word) for name in names)), 0)


def _is_day(year: int, month: int, number: int) -> bool:
    try:
        date(year, month, number)
    except ValueError:
        return False
    return True

"""How commands print: tables with clinic-local times for people, JSON with UTC for programs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import click

from app.commands.errors import Failed


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: instants as ISO in UTC, amounts as text so that none is rounded."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{type(value).__name__} has no JSON form")


def echo_json(value: Any) -> None:
    """Print a value, or a list of them, as one JSON document."""
    click.echo(json.dumps(_dicts(value), default=plain, indent=2))


def _dicts(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (list, tuple)):
        return [_dicts(item) for item in value]
    return value


def local(at: datetime | None, zone: ZoneInfo) -> str:
    """Return an instant as the clinic's wall clock shows it, with the zone: 2026-12-03 10:30 EST."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}" if at else "-"


def one_line(text: str | None, longest: int = 60) -> str:
    """Return a text on one line, without characters that could move a terminal's cursor."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return flat if len(flat) <= longest else flat[: longest - 3] + "..."


def echo_table(headings: Sequence[str], rows: Iterable[Sequence[Any]], nothing: str, longest: int = 60) -> None:
    """Print rows under headings, or `nothing` to stderr where there are none. A longer cell is cut."""
    cells = [[one_line(str(cell) if cell is not None else "-", longest) for cell in row] for row in rows]
    if not cells:
        click.echo(nothing, err=True)
        return
    widths = [max(len(line[place]) for line in [list(headings), *cells]) for place in range(len(headings))]
    for line in [list(headings), *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def cut(rows: list[Any], limit: int) -> list[Any]:
    """Return at most `limit` rows (0: all), and say on stderr when some are left out. Ask for one more than shown."""
    if limit and len(rows) > limit:
        click.echo(f"the first {limit} are shown: --limit 0 shows all", err=True)
        return rows[:limit]
    return rows


def clinic_time(text: str, zone: ZoneInfo) -> datetime:
    """Read a day and time at the clinic, or ISO with an offset; UTC. Raises Failed."""
    example = 'write it like "2026-12-03 10:30" (the clinic\'s local time), or 2026-12-03T15:30Z'
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.UsageError(f"that is not a day and time: {example}") from None
    if len(text.strip()) < len("2026-12-03T10"):
        raise click.UsageError(f"the time of day is missing: {example}")
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    instant = at.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != at:
        raise Failed("that time does not exist: the clocks change over it that night; choose another")
    return instant


LIMIT = click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="0 shows all.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON; times are UTC.")

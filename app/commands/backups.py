"""What backing up, restoring and the drill share: keys, the version, and how a point of restore is told."""

from datetime import datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

from app.commands.errors import Failed
from app.db.backup_file import Header
from app.db.backup_keys import BackupKeys
from app.db.point import Newest, Point
from app.setting_rules import split_keys
from app.settings import Settings

UTC = ZoneInfo("UTC")


def our_version() -> str:
    return version("pumpline")


def backup_keys(settings: Settings, *, to_open: bool = False) -> BackupKeys:
    """Return the keys that the settings name. Raises Failed where there is none, or none that opens."""
    if settings.backup_key is None:
        raise Failed(
            "PUMPLINE_BACKUP_KEY is not set: make one with `pumpline keys new`, and keep a copy away from this machine"
        )
    keys = BackupKeys.of(split_keys(settings.backup_key))
    if to_open and not keys.identities:
        raise Failed("PUMPLINE_BACKUP_KEY holds only a key that writes: opening needs the AGE-SECRET-KEY-1... of it")
    return keys


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.2f} MB" if size < 10_000_000 else f"{size / 1_000_000:,.0f} MB"


def point_lines(header: Header, zone: ZoneInfo = UTC) -> list[str]:
    """Say what is in a backup by instants, ids and counts, without a name."""
    point = Point.from_json(header.point)
    rows = header.rows

    def newest(what: Newest | None) -> str:
        return f"number {what.id}, {_at(what.at, zone)}" if what else "none"

    lines = [
        f"point of restore   {_at(point.taken_at, zone)}: what was committed by then is in it",
        f"  last text in     {newest(point.text_in)}",
        f"  last text out    {newest(point.text_out)}",
        f"  last audit event {newest(point.event)}; sealed up to {point.head or 'none'}",
        f"  rows             {sum(rows.values()):,}: {rows.get('patient', 0):,} patients, "
        f"{rows.get('appointment', 0):,} visits, {rows.get('inbound_message', 0):,} texts in, "
        f"{rows.get('outbound_message', 0):,} texts out",
        f"  tables           {header.revision}, of Pumpline {header.version}, from {header.database}",
        f"  data keys        {', '.join(header.key_ids)}: not in the file; nothing sealed in it is read without them",
    ]
    if header.spooled:
        lines.append(f"  spool            {header.spooled} texts that waited for the database")
    return lines


def _at(iso: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"

"""A backup is one moment, sealed, read back and then named; whatever goes wrong leaves no file behind."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyrage
import pytest

from app.actions.back_up import Backup, back_up, record_backup
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.restore import read_header, restore
from app.db.backup_file import BadBackup, check
from app.db.backup_keys import BackupKeys, new_backup_key
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.heartbeat import BACKUP
from app.db.people import Patient
from app.db.row_copy import occupied
from app.db.shapes import shapes
from app.db.work import AuditEvent, JobHealth
from tests.actions.moving_stage import BOTH, Another, all_rows, another, lived_in, server
from tests.conftest import Desk, FrozenClock, Someone

__all__ = ["another", "lived_in", "server"]

Makes = Callable[..., Backup]


@pytest.fixture
def keys() -> BackupKeys:
    return BackupKeys.for_once()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def makes(lived_in: Line, keys: BackupKeys, folder: Path, clock: FrozenClock) -> Makes:
    """Back the line up: `makes(keep=3)`."""

    def make(db: Database = lived_in.db, **more: object) -> Backup:
        clock.forward(seconds=1)
        return back_up(db, lived_in.spool, keys, folder, "0.1.0", clock(), **more)  # type: ignore[arg-type]

    return make


@contextmanager
def full_disk(bytes_left: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes: what a full disk does to a file that is being written."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_left, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_backup_is_its_owners_alone_and_tells_what_it_holds(makes: Makes, folder: Path, lived_in: Line) -> None:
    made = makes()
    assert made.path.parent == folder
    assert (folder.stat().st_mode & 0o777, made.path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert [path.name for path in folder.iterdir()] == [made.path.name]
    assert made.header.rows == {name: len(rows) for name, rows in all_rows(lived_in.db).items()}
    assert made.point.text_in is not None
    assert (made.point.text_in.id, made.point.taken_at[:10]) == (4, "2026-11-23")
    assert len(made.point.head or "") == 64


def test_nothing_of_it_can_be_read_without_its_key(makes: Makes, keys: BackupKeys) -> None:
    made = makes()
    assert b"outbound_message" not in made.path.read_bytes()
    with pytest.raises(BadBackup, match="does not open this file"):
        check(made.path, BackupKeys.for_once().identities)
    assert check(made.path, keys.identities).header == made.header


def test_any_age_program_opens_it(makes: Makes, keys: BackupKeys) -> None:
    import gzip
    import json

    plain = gzip.decompress(pyrage.decrypt(makes().path.read_bytes(), list(keys.identities)))
    lines = [json.loads(line) for line in plain.splitlines()]
    assert lines[0]["pumpline backup"] == 1
    assert list(lines[-1]) == ["sha256"]


def test_whoever_holds_the_writing_half_alone_makes_backups_and_opens_none(
    lived_in: Line, folder: Path, clock: FrozenClock
) -> None:
    secret = new_backup_key()
    whole = BackupKeys.of([secret])
    half = BackupKeys.of([str(whole.recipients[0])])
    made = back_up(lived_in.db, None, half, folder, "0.1.0", clock())
    assert check(made.path, whole.identities).header == made.header
    assert half.identities == ()


def test_the_line_goes_on_while_it_is_backed_up_and_the_backup_is_one_moment(
    makes: Makes, texts: Callable[..., object], maria: Someone, lived_in: Line, another: Another, keys: BackupKeys
) -> None:
    before = all_rows(lived_in.db)
    count = 0

    def told(_part: str, _rows: int) -> None:
        nonlocal count
        count += 1
        texts(maria.phone, "TRAVEL", sid=f"SMmeanwhile{count}")

    made = makes(told=told)
    assert count > 10
    target = another()
    restore(made.path, keys, target, made.point.at)
    restored = all_rows(target)
    assert {name: len(rows) for name, rows in restored.items()} == {name: len(rows) for name, rows in before.items()}
    assert restored["inbound_message"] == before["inbound_message"]


@pytest.mark.parametrize("kind", BOTH)
def test_it_restores_into_either_database_with_every_value(
    makes: Makes, lived_in: Line, another: Another, keys: BackupKeys, kind: str, clock: FrozenClock
) -> None:
    before, target = all_rows(lived_in.db), another(kind)
    restored = restore(makes().path, keys, target, clock())
    assert all_rows(target) == before
    assert (restored.audit.broken, restored.audit.events) == (None, restored.header.rows["audit_event"])
    if kind != "sqlite":
        back = another("sqlite")
        restore(makes(target).path, keys, back, clock())
        assert all_rows(back) == before


def harmed(data: bytes, how: str) -> bytes:
    middle = len(data) // 2
    match how:
        case "cut":
            return data[:-1]
        case "cut in the middle":
            return data[:middle]
        case "a chunk missing at the end":
            return data[: 65_536 + 400]
        case "empty":
            return b""
        case "changed":
            return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        case "changed at the beginning":
            return data[:30] + bytes([data[30] ^ 1]) + data[31:]
        case "mixed up":
            chunk = 65_552
            start = len(data) % chunk
            return (
                data[:start]
                + data[start + chunk : start + 2 * chunk]
                + data[start : start + chunk]
                + data[start + 2 * chunk :]
            )
        case "longer":
            return data + b"x"
        case _:
            return b"a file of somebody else's\n" * 100


HARMS = (
    "cut",
    "cut in the middle",
    "a chunk missing at the end",
    "empty",
    "changed",
    "changed at the beginning",
    "mixed up",
    "longer",
    "another file",
)


def test_a_file_that_was_harmed_is_refused_and_restores_nothing(
    makes: Makes, lived_in: Line, another: Another, keys: BackupKeys, clock: FrozenClock
) -> None:
    assert lived_in.spool is not None
    lived_in.spool.keep("sms", {"Body": "x" * 300_000}, clock())  # so that there are several chunks
    path, target = makes().path, another()
    whole = path.read_bytes()
    assert len(whole) > 4 * 65_552
    for how in HARMS:
        path.write_bytes(harmed(whole, how))
        with pytest.raises(BadBackup):
            restore(path, keys, target, clock())
        with target.engine.connect() as connection:
            assert occupied(connection, shapes(connection)) == [], how
    path.write_bytes(whole)
    assert restore(path, keys, target, clock()).spool[0].content == lived_in.spool.waiting()[0].read_bytes()


def test_a_missing_data_key_is_named_before_anything_is_done(
    makes: Makes, lived_in: Line, another: Another, keys: BackupKeys, desk: Desk, maria: Someone, tmp_path: Path
) -> None:
    old = lived_in.db.keyring.ids[0]
    new = Keyring.new_key()
    path = makes().path
    with pytest.raises(Refused, match=f"does not hold \\({old}\\)"):
        read_header(path, keys, Keyring([new]).ids)
    assert read_header(path, keys, [old]).key_ids == (old,)


def test_of_several_data_keys_only_those_that_sealed_something_are_asked_for(
    settings: object, lived_in: Line, makes: Makes, tmp_path: Path
) -> None:
    first = settings.data_keys.get_secret_value()  # type: ignore[attr-defined]
    unused, second = Keyring.new_key(), Keyring.new_key()
    rotated = Database(lived_in.db.url, Keyring([second, first, unused]))
    assert makes(rotated).header.key_ids == Keyring([first]).ids
    with rotated.begin() as session:
        session.get_one(Patient, 1).given_name = "Mara"
    assert makes(rotated).header.key_ids == Keyring([second, first]).ids
    stranger = Database(lived_in.db.url, Keyring([second, unused]))
    assert makes(stranger).header.no_key > 5
    rotated.close()
    stranger.close()


def test_a_full_disk_leaves_no_file_and_the_earlier_ones(makes: Makes, folder: Path) -> None:
    earlier = makes().path
    with full_disk(4_000), pytest.raises(OSError, match="File too large"):
        makes(keep=1)
    assert list(folder.iterdir()) == [earlier]


def test_an_interrupted_one_leaves_no_file(makes: Makes, folder: Path) -> None:
    def interrupted(part: str, _rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        makes(told=interrupted)
    assert list(folder.iterdir()) == []


def test_of_older_ones_as_many_are_kept_as_asked_for_and_other_files_stay(makes: Makes, folder: Path) -> None:
    made = [makes().path for _ in range(3)]
    (folder / "notes.txt").write_text("keep me")
    newest = makes(keep=2)
    assert newest.gone == 2
    assert sorted(path.name for path in folder.iterdir()) == sorted(["notes.txt", made[2].name, newest.path.name])


def test_an_existing_file_is_not_written_over(
    lived_in: Line, keys: BackupKeys, folder: Path, clock: FrozenClock
) -> None:
    folder.mkdir()
    file = folder / "mine.age"
    file.write_text("older")
    with pytest.raises(Refused, match="name another"):
        back_up(lived_in.db, None, keys, file, "0.1.0", clock())
    assert file.read_text() == "older"


def test_that_one_was_made_is_on_record(makes: Makes, lived_in: Line, desk: Desk, clock: FrozenClock) -> None:
    rows = makes().rows
    record_backup(lived_in.db, clock(), rows, "command")
    assert [row.ok_at for row in desk.rows(JobHealth, JobHealth.name == BACKUP)] == [clock()]
    assert [row.actor for row in desk.rows(AuditEvent, AuditEvent.verb == "backup made")] == ["command"]

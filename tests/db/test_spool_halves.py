"""What a spool leaves behind: nothing after a write that failed, and no half of a process that died."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.db.crypto import Keyring
from app.db.durable import write_durably
from app.db.spool import HALVES_STAY, Spool

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


def test_a_write_that_fails_leaves_no_half(tmp_path: Path) -> None:
    in_the_way = tmp_path / "one.sealed"
    (in_the_way / "folder").mkdir(parents=True)
    with pytest.raises(OSError, match=r"one\.sealed"):
        write_durably(in_the_way, b"content", new=True)
    assert list(tmp_path.glob("*.part")) == []


def test_halves_go_after_an_hour_and_what_is_kept_or_being_written_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path, Keyring([Keyring.new_key()]))
    spool.keep("sms", {"Body": "hello"}, NOW - timedelta(days=1))
    [kept] = spool.waiting()
    kept.with_suffix(".part").write_bytes(b"half of it")
    young = tmp_path / f"{int((NOW - HALVES_STAY / 2).timestamp() * 1_000_000):017}-abc.part"
    young.write_bytes(b"half")
    (tmp_path / "note.part").write_bytes(b"not ours")
    assert spool.forget_halves(NOW) == 1
    assert {path.name for path in tmp_path.iterdir()} == {kept.name, young.name, "note.part"}

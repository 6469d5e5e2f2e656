"""Whoever opens the database a second time in a process must not take the first one's locks away."""

import sqlite3
import subprocess
import sys
from pathlib import Path

from app.db.engine import _sqlite_engine

VISITOR = """
import sqlite3, sys
visitor = sqlite3.connect(sys.argv[1])
visitor.execute("SELECT count(*) FROM kept").fetchone()
visitor.close()  # the last to leave empties the write-ahead log and deletes it
"""


def test_a_second_opening_leaves_the_write_ahead_log_to_those_who_use_it(tmp_path: Path) -> None:
    file = tmp_path / "pumpline.db"
    first = sqlite3.connect(file)
    first.execute("PRAGMA journal_mode=WAL")
    first.execute("CREATE TABLE kept (n INTEGER)")
    first.execute("INSERT INTO kept VALUES (1)")
    first.commit()
    engine, _ = _sqlite_engine(f"sqlite:///{file}")
    subprocess.run([sys.executable, "-c", VISITOR, str(file)], check=True, timeout=60)
    assert Path(f"{file}-wal").exists()
    first.execute("INSERT INTO kept VALUES (2)")
    first.commit()
    first.close()
    engine.dispose()
    with sqlite3.connect(file) as after:
        assert after.execute("SELECT count(*) FROM kept").fetchone() == (2,)

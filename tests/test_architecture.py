"""The house stands as drawn: which way imports run, one history of tables, files one can read in one sitting."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from app.db.migrate import config

ROOT = Path(__file__).parent.parent
LONGEST_FILE = 400
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]


def test_imports_run_upwards_only() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    command = [str(linter), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_part_of_the_application_has_its_line() -> None:
    parts = {
        f"app.{path.stem}"
        for path in (ROOT / "app").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"app.__init__"}
    lines = " ".join(CONTRACTS[0]["layers"])
    assert parts - set(lines.replace("|", " ").replace(":", " ").split()) == set()


def test_the_tables_have_one_history() -> None:
    assert len(ScriptDirectory.from_config(config()).get_heads()) == 1


@pytest.mark.parametrize("folder", ["app", "faq", "scheduler"])
def test_no_file_is_too_long_to_read(folder: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_nothing_but_the_settings_reads_the_environment_and_nothing_but_the_clock_the_time() -> None:
    """Decisions and actions take the time as an argument."""
    for part in ("domain", "actions", "db"):
        for path in (ROOT / "app" / part).rglob("*.py"):
            source = path.read_text("utf-8")
            for forbidden in ("datetime.now(", "utcnow(", "date.today(", "time.time(", "os.environ"):
                assert forbidden not in source, f"{path.relative_to(ROOT)}: {forbidden}"

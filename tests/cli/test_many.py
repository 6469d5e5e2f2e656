"""`pumpline web` and `pumpline worker` say what they miss before they start."""

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from app.cli import cli

NOWHERE = "postgresql://nobody:secret-word@127.0.0.1:9/none"


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> object:
    def run(command: str, **settings: str) -> Result:
        chosen = {
            "INSTANCE_DIR": str(tmp_path),
            "DATABASE_URL": NOWHERE,
            "SECRET_KEY": "s" * 40,
            "DATA_KEYS": Fernet.generate_key().decode(),
        } | settings
        for name, value in chosen.items():
            monkeypatch.setenv(f"PUMPLINE_{name}", value)
        return CliRunner().invoke(cli, [command, "--wait", "0"])

    return run


@pytest.mark.parametrize("command", ["web", "worker"])
class TestBoth:
    def test_on_the_embedded_database_they_say_what_to_run_instead(self, start, command: str) -> None:
        done = start(command, DATABASE_URL="", PORT="18999")
        assert done.exit_code == 2
        assert "which one machine alone can use: start `pumpline run`" in done.stderr

    def test_keys_that_every_machine_would_make_for_itself_are_refused(self, start, command: str, tmp_path) -> None:
        done = start(command, SECRET_KEY="")
        assert (done.exit_code, "PUMPLINE_SECRET_KEY must be set" in done.stderr) == (2, True)
        done = start(command, SECRET_KEY="", DATA_KEYS="")
        assert "PUMPLINE_SECRET_KEY and PUMPLINE_DATA_KEYS must be set" in done.stderr
        assert list(tmp_path.iterdir()) == [], "no key was made"

    def test_a_database_that_does_not_answer_ends_the_start_and_shows_no_password(self, start, command: str) -> None:
        done = start(command, PORT="18999")
        assert done.exit_code == 1
        assert done.stderr.splitlines()[-1].startswith("the database does not answer (OperationalError)")
        assert "secret-word" not in done.output


def test_a_worker_told_not_to_beat_does_not_start(start) -> None:
    done = start("worker", SCHEDULER="no")
    assert (done.exit_code, "PUMPLINE_SCHEDULER: is no" in done.stderr) == (2, True)

"""`pumpline run`, or another command that serves, as an operator starts it: on a free port, killed without warning."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from cryptography.fernet import Fernet

from tests.fakes.twilio_server import FakeTwilio

PUMPLINE = [sys.executable, "-m", "app.cli"]
START_WITHIN_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """One Pumpline on a fake Twilio; may be killed and started again on the same database."""

    def __init__(self, folder: Path, twilio: FakeTwilio, *words: str) -> None:
        self._words = words or ("run",)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PUMPLINE_")}
        self.environ = clean | {
            "PUMPLINE_CHANNEL": "twilio",
            "PUMPLINE_INSTANCE_DIR": str(folder),
            "PUMPLINE_DATABASE_URL": f"sqlite:///{folder}/pumpline.db",
            "PUMPLINE_PORT": str(self.port),
            "PUMPLINE_PUBLIC_URL": self.url,
            "PUMPLINE_TWILIO_ACCOUNT_SID": twilio.account_sid,
            "PUMPLINE_TWILIO_AUTH_TOKEN": twilio.auth_token,
            "PUMPLINE_TWILIO_SENDER": twilio.number,
            "PUMPLINE_LONG_CODE_PER_SECOND": "0",
            "PUMPLINE_TWILIO_API_URL": twilio.url,
            "PUMPLINE_ON_CALL_PHONE": "+16145550190",
            "PUMPLINE_STRANGER_ANSWERS_AN_HOUR": "1000000",  # whoever texts in a drill is nobody's phone
            "PUMPLINE_CLINIC_PHONE": "+16145550100",
            "PUMPLINE_AFTER_HOURS_PHONE": "+16145550101",
            "PUMPLINE_SECRET_KEY": "s" * 40,
            "PUMPLINE_DATA_KEYS": Fernet.generate_key().decode(),
        }

    def start(self) -> None:
        log = (self._folder / "run.log").open("ab")
        # a session of its own, so that a kill takes the web workers too, as a power cut would
        self._process = subprocess.Popen(
            [*PUMPLINE, *self._words], env=self.environ, stdout=log, stderr=log, start_new_session=True
        )
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        until = time.monotonic() + START_WITHIN_SECONDS
        while time.monotonic() < until:
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"it ended at the start: {(self._folder / 'run.log').read_text()[-2000:]}")
            try:
                with urlopen(f"{self.url}/healthz", timeout=1):
                    return
            except (URLError, OSError):
                time.sleep(0.05)
        raise RuntimeError("it did not start in time")

    def kill(self) -> None:
        """kill -9, all of it."""
        if self._process is not None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

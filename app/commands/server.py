"""The web server, gunicorn, as our commands run it: one application a process, and an engine that beats beside it."""

import gc
import os
import shutil
import socket
import tempfile
from typing import Any, Literal

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from app.commands.arriving import MOST_CONNECTIONS, MOST_HEAD, PatientWorker
from app.commands.errors import Failed
from app.logs import configure_logging
from app.settings import Settings
from app.web.live import MOST_STREAMS
from app.web.metrics import SHARED_BY_PROCESSES
from scheduler.engine import Engine

Beats = Literal["engine", "own_engine"]  # every job, or only those that belong to this machine
THREADS = 16  # beside those that live pages hold
GRACE_SECONDS = 20  # longer than the provider's time-out, so that a send under way is not lost to a stop


class OurLog(Logger):  # type: ignore[misc]
    """gunicorn's logger without handlers of its own: what it says goes to ours, which redacts (app.logs)."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Worker(PatientWorker):
    """gunicorn's worker, which ends its live streams when it is asked to stop instead of waiting for the browsers."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        self._end_streams()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        self._end_streams()
        super().handle_quit(sig, frame)

    def _end_streams(self) -> None:
        if self.wsgi is not None:
            self.wsgi.extensions["live"].stop()


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn, with the application made in each worker: no connection or lock is shared over fork."""

    def __init__(self, settings: Settings, workers: int, beats: Beats | None = None, threads: int = THREADS) -> None:
        """`beats`: as the settings say unless it is given."""
        self._settings = settings
        self._workers = workers
        # without the heartbeat, this machine still takes in what it kept while the database was down
        self._beats = beats or ("engine" if settings.scheduler else "own_engine")
        self._threads = threads + MOST_STREAMS  # a live page holds one
        self._engine: Engine | None = None
        if workers > 1:  # before anything counts: so its processes add up, and any of them answers for all
            os.environ[SHARED_BY_PROCESSES] = tempfile.mkdtemp(prefix="pumpline-metrics-")
        super().__init__()

    def load_config(self) -> None:
        chosen = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "worker_class": Worker,
            "workers": self._workers,
            "threads": self._threads,
            "worker_connections": max(MOST_CONNECTIONS, self._threads + 100),
            "limit_request_line": 8190,  # the whole head is held to MOST_HEAD before
            "limit_request_fields": 60,
            "limit_request_field_size": MOST_HEAD // 4,
            "graceful_timeout": GRACE_SECONDS,
            "timeout": 60,
            "preload_app": False,
            "reload": False,
            "accesslog": None,
            "errorlog": None,
            "logger_class": OurLog,
            "loglevel": "warning",
            "proc_name": "pumpline",
            "on_exit": lambda _server: _forget_counts(),
            "worker_exit": lambda _server, _worker: self._stop_engine(),
            "forwarded_allow_ips": "",  # no header says who calls or where we are: PUMPLINE_PUBLIC_URL does
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)
        if "control_socket_disable" in self.cfg.settings:  # a socket nobody asked for, shared by every instance
            self.cfg.set("control_socket_disable", True)

    def load(self) -> Any:
        from app import create_app

        configure_logging(self._settings.log_level)
        app = create_app(self._settings)
        set_aside()
        self._engine = app.extensions[self._beats]
        self._engine.start()
        return app

    def _stop_engine(self) -> None:
        """In a worker on its way out: wait for the jobs under way."""
        if self._engine is not None:
            self._engine.stop()


def set_aside() -> None:
    """Take what stays as long as the process out of the collector's rounds.

    A round over all of it held whatever page it met for 150 ms (the large demo, two slow cores). What is garbage by now
    stays too: collecting it first would cost each start such a round.
    """
    gc.freeze()


def _forget_counts() -> None:
    """In the process that started the others, on its way out."""
    if folder := os.environ.pop(SHARED_BY_PROCESSES, None):
        shutil.rmtree(folder, ignore_errors=True)


def require_free(settings: Settings) -> None:
    """Raise Failed where the address is taken: gunicorn would try again and again."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Failed(
                f"cannot listen on {settings.host}:{settings.port} ({error.strerror}): stop what runs there, or choose "
                "another, for example PUMPLINE_PORT=8123"
            ) from error

"""`pumpline run`: everything in one process."""

import socket
from typing import Any

import click
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.config import Config  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from app.actions.seed_demo import seed_demo
from app.clock import system_clock
from app.commands.errors import Failed
from app.commands.house import opened
from app.commands.migrate import migrate_and_prepare
from app.logs import configure_logging
from app.settings import DEMO_CLINIC_PHONE, Settings, load_settings
from app.web.live import MOST_STREAMS
from scheduler.engine import Engine

THREADS = 16 + MOST_STREAMS  # a live page holds one
GRACE_SECONDS = 20  # longer than the provider's time-out, so that a send under way is not lost to a stop


class OurLog(Logger):  # type: ignore[misc]
    """gunicorn's logger without handlers of its own: what it says goes to ours, which redacts (app.logs)."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class Worker(ThreadWorker):  # type: ignore[misc]
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

    def __init__(self, settings: Settings, workers: int) -> None:
        self._settings = settings
        self._workers = workers
        self._engine: Engine | None = None
        super().__init__()

    def load_config(self) -> None:
        chosen = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "worker_class": Worker,
            "workers": self._workers,
            "threads": THREADS,
            "graceful_timeout": GRACE_SECONDS,
            "timeout": 60,
            "preload_app": False,
            "reload": False,
            "accesslog": None,
            "errorlog": None,
            "logger_class": OurLog,
            "loglevel": "warning",
            "proc_name": "pumpline",
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
        if self._settings.scheduler:
            self._engine = app.extensions["engine"]
            self._engine.start()
        return app

    def _stop_engine(self) -> None:
        """In a worker on its way out: wait for the jobs under way."""
        if self._engine is not None:
            self._engine.stop()


@click.command()
@click.option("--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="Web processes.")
def run(workers: int) -> None:
    """Start everything in one process: web, webhooks and periodic jobs.

    Brings the database up to date first, and makes keys, a clinic and (in the simulator) demo patients where there
    are none. Ctrl-C stops it once the requests under way are answered.
    """
    settings = load_settings()
    configure_logging(settings.log_level)
    _require_free(settings)
    migrate_and_prepare(settings)
    _seed_demo(settings)
    click.echo(_welcome(settings))
    Server(settings, workers).run()


def _require_free(settings: Settings) -> None:
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


def _seed_demo(settings: Settings) -> None:
    with opened() as house:
        if settings.is_simulator:
            seed_demo(house.line, system_clock())
        elif settings.clinic_phone == DEMO_CLINIC_PHONE:
            click.echo("PUMPLINE_CLINIC_PHONE is not set: check what patients read with `pumpline doctor`", err=True)


def _welcome(settings: Settings) -> str:
    if not settings.is_simulator:
        return "\n".join(
            (
                f"Pumpline is live on Twilio, listening on {settings.host}:{settings.port}",
                f"  Twilio calls   {settings.public_url}/twilio/sms",
                f"  staff pages    {settings.public_url}/staff/",
                "  check it with  pumpline doctor",
            )
        )
    return "\n".join(
        (
            f"Pumpline: open {settings.public_url}/",
            f"  a phone to try it on   {settings.public_url}/simulator   text ALARM, REFILL, TRAVEL or MENU",
            f"  the nurses' pages      {settings.public_url}/staff/",
            '  from a terminal        pumpline text "ALARM" --from +16145550142',
            "  Ctrl-C stops it. Nothing leaves this machine: this is the simulator.",
        )
    )

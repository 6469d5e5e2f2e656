"""`pumpline worker`: the periodic jobs, shared among any number of machines."""

import os
import signal
import socket

import click

from app.commands.errors import Failed, WrongSettings
from app.commands.many import WAIT, require_shared, wait_for_database
from app.logs import configure_logging
from app.settings import load_settings
from app.wiring import worker_engine

_STOP = {signal.SIGTERM, signal.SIGINT}
_LOOK_EVERY_SECONDS = 1


@click.command()
@click.option("--name", help="How logs call this worker; the machine's name and the process otherwise.")
@click.option(
    "--concurrency",
    type=click.IntRange(2, 64),
    help="Jobs at once; a thread for each job otherwise, so that none waits for another.",
)
@WAIT
def worker(name: str | None, concurrency: int | None, wait_seconds: int) -> None:
    """Run periodic jobs (reminders, pages, sending), on any number of machines.

    Each job runs once wherever it runs; what a dead worker held is taken over by the others. Needs PostgreSQL, and
    `pumpline migrate` before. Ctrl-C or SIGTERM stops it once the jobs under way are done, a second one at once.
    """
    settings = load_settings()
    configure_logging(settings.log_level)
    require_shared(settings)
    if not settings.scheduler:
        raise WrongSettings("PUMPLINE_SCHEDULER: is no, and a worker does nothing else; unset it for this process")
    wait_for_database(settings, wait_seconds)
    name = name or f"{socket.gethostname()}:{os.getpid()}"
    engine = worker_engine(settings, name, concurrency)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)  # in the engine's threads too: only this one hears them
    engine.start()
    click.echo(f"Pumpline worker {name}: at work")
    while not signal.sigtimedwait(_STOP, _LOOK_EVERY_SECONDS):
        if not engine.running:
            raise Failed("the engine ended by itself: read the log, and start this again")
    for stop in _STOP:
        signal.signal(stop, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)
    click.echo(f"Pumpline worker {name}: stopping once the jobs under way are done")
    engine.stop()

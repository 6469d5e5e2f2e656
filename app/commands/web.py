"""`pumpline web`: pages and webhooks on one of many machines."""

import click

from app.commands.many import WAIT, require_shared, wait_for_database
from app.commands.server import THREADS, Server, require_free
from app.logs import configure_logging
from app.settings import load_settings


@click.command()
@click.option("--workers", type=click.IntRange(1, 32), default=2, show_default=True, help="Web processes.")
@click.option(
    "--threads",
    type=click.IntRange(2, 128),
    default=THREADS,
    show_default=True,
    help="Requests at once in each process, beside its live pages.",
)
@WAIT
def web(workers: int, threads: int, wait_seconds: int) -> None:
    """Serve web pages and webhooks, on any number of machines.

    Periodic work is left to `pumpline worker`; only texts that this machine kept while the database was down are taken
    in here. Needs PostgreSQL, and `pumpline migrate` before. Ctrl-C or SIGTERM stops it once requests are answered.
    """
    settings = load_settings()
    configure_logging(settings.log_level)
    require_shared(settings)
    require_free(settings)
    wait_for_database(settings, wait_seconds)
    click.echo(f"Pumpline web: listening on {settings.host}:{settings.port} for {settings.public_url}")
    Server(settings, workers, "own_engine", threads).run()

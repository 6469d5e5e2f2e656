"""`pumpline run`: everything in one process."""

import click

from app.actions.seed_demo import seed_demo
from app.clock import system_clock
from app.commands.house import opened
from app.commands.migrate import migrate_and_prepare
from app.commands.server import Server, require_free
from app.logs import configure_logging
from app.settings import DEMO_CLINIC_PHONE, Settings, load_settings


@click.command()
@click.option("--workers", type=click.IntRange(1, 32), default=1, show_default=True, help="Web processes.")
def run(workers: int) -> None:
    """Start everything in one process: web, webhooks and periodic jobs.

    Brings the database up to date first, and makes keys, a clinic and (in the simulator) demo patients where there
    are none. Ctrl-C stops it once the requests under way are answered.
    """
    settings = load_settings()
    configure_logging(settings.log_level)
    require_free(settings)
    migrate_and_prepare(settings)
    _seed_demo(settings)
    click.echo(_welcome(settings))
    Server(settings, workers).run()


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

"""`pumpline demo`: fictional patients for a simulator, a handful or thousands."""

import time

import click

from app.actions.prepare import DEMO_SIGN_IN
from app.actions.seed_demo import seed_demo
from app.commands.bars import bars
from app.commands.house import House, opened
from app.commands.migrate import migrate_and_prepare
from app.demo.day import DAY
from app.demo.large import Made, Sizes, make_large
from app.settings import load_settings

_USUAL = Sizes()
_LABELS = {"rows": "Writing history", "pumps": "Planning pumps", "day": "Living the last day"}


@click.command()
@click.option("--large", is_flag=True, help="A clinic of thousands, with years of history.")
@click.option("--patients", type=click.IntRange(min=1), default=_USUAL.patients, show_default=True)
@click.option("--visits", type=click.IntRange(min=0), default=_USUAL.visits, show_default=True)
@click.option("--messages", type=click.IntRange(min=0), default=_USUAL.messages, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed gives the same people and words.")
def demo(large: bool, patients: int, visits: int, messages: int, seed: int) -> None:
    """Fill an empty simulator with fictional patients, a few or thousands.

    Without --large the eight of the small demo, which `pumpline run` makes by itself. With it a clinic of thousands,
    in order, with a few dozen things to do. It is made only in a database that is empty or holds the small demo.
    """
    settings = load_settings()
    migrate_and_prepare(settings)
    with opened() as house:
        house.simulator_only("the demo")
        if large:
            _large(house, Sizes(patients, visits, messages), seed)
        elif not seed_demo(house.line, house.now):
            click.echo("there are patients already: nothing was changed")
            return
        else:
            click.echo("the small demo is made")
    email, password = DEMO_SIGN_IN
    click.echo(f"  start it   pumpline run\n  sign in    {settings.public_url}/staff/   {email}   {password}")


def _large(house: House, sizes: Sizes, seed: int) -> None:
    began = time.monotonic()
    lengths = {
        "rows": sizes.patients + sizes.visits + sizes.messages,
        "pumps": sizes.patients,
        "day": int(DAY.total_seconds()),
    }
    with bars(_LABELS, lengths) as told:
        made = make_large(house.line, house.now, sizes, seed, told)
    click.echo(_said(made, time.monotonic() - began))


def _said(made: Made, seconds: float) -> str:
    return (
        f"the large demo is made in {seconds:,.0f} s: {made.patients:,} patients, {made.visits:,} visits, "
        f"{made.messages:,} texts, {made.tasks:,} tasks of which {made.open_tasks:,} are open"
    )

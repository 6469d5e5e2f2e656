"""`pumpline demo`: fictional patients for a simulator, a handful or thousands."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from app.actions.prepare import DEMO_SIGN_IN
from app.actions.seed_demo import seed_demo
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
    with _bars(sizes) as told:
        made = make_large(house.line, house.now, sizes, seed, told)
    click.echo(_said(made, time.monotonic() - began))


def _said(made: Made, seconds: float) -> str:
    return (
        f"the large demo is made in {seconds:,.0f} s: {made.patients:,} patients, {made.visits:,} visits, "
        f"{made.messages:,} texts, {made.tasks:,} tasks of which {made.open_tasks:,} are open"
    )


@contextmanager
def _bars(sizes: Sizes) -> Iterator[Callable[[str, int], None]]:
    """Show how far each part is, one bar after the other; a line for each where there is no terminal."""
    if not sys.stderr.isatty():
        begun: set[str] = set()

        def line(name: str, _count: int) -> None:
            if name not in begun:
                begun.add(name)
                click.echo(f"{_LABELS[name]} ...", err=True)

        yield line
        return
    lengths = {
        "rows": sizes.patients + sizes.visits + sizes.messages,
        "pumps": sizes.patients,
        "day": int(DAY.total_seconds()),
    }
    shown: list[tuple[str, Any]] = []

    def told(name: str, count: int) -> None:
        if not shown or shown[-1][0] != name:
            if shown:
                shown[-1][1].__exit__(None, None, None)
            bar = click.progressbar(length=lengths[name], label=f"{_LABELS[name]:20}", file=sys.stderr)
            shown.append((name, bar))
            bar.__enter__()
        shown[-1][1].update(count)

    try:
        yield told
    finally:
        if shown:
            shown[-1][1].__exit__(None, None, None)

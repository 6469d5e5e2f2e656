"""`pumpline simulate`: a year of a clinic in minutes, and whether anybody was forgotten."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from app.commands.printing import AS_JSON, echo_json
from app.simulation import report
from app.simulation.page import as_page
from app.simulation.parameters import SWITCHES, Parameters, shards_of
from app.simulation.run import simulate as run

_SHARE = click.FloatRange(0, 1)
_OFF = "Switch this off, to see that the checks can fail; repeatable."


class _WithSwitches(click.Command):
    """Names the switches under the options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("What --without can switch off, and the figure that shows it"):
            formatter.write_dl(list(SWITCHES.items()))


@click.command("simulate", cls=_WithSwitches)
@click.option("--patients", type=click.IntRange(1, 10_000), default=500, show_default=True)
@click.option("--days", type=click.IntRange(1, 730), default=365, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed and options give the same report.")
@click.option("--no-shows", type=_SHARE, default=0.2, show_default=True, help="Share of visits to which nobody comes.")
@click.option("--unreachable", type=_SHARE, default=0.05, show_default=True, help="Share of patients out of reach.")
@click.option(
    "--outages", type=click.IntRange(0, 100), default=3, show_default=True, help="Of the provider, for hours."
)
@click.option("--without", multiple=True, type=click.Choice(tuple(SWITCHES)), metavar="WHAT", help=_OFF)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with charts here as well.")
@AS_JSON
def simulate(
    patients: int,
    days: int,
    seed: int,
    no_shows: float,
    unreachable: float,
    outages: int,
    without: tuple[str, ...],
    page: Path | None,
    as_json: bool,
) -> None:
    """Simulate a clinic, and look whether anybody was forgotten.

    The real verbs, database and jobs run under a virtual clock, with simulated patients, nurses and provider, on a
    database of its own that is thrown away. Five figures must be 0; exit 1 where one is not.

    --page runs it a second time with escalation switched off, and sets both side by side.
    """
    parameters = Parameters(patients, days, seed, no_shows, unreachable, outages, frozenset(without))
    runs = [parameters]
    if page is not None:
        runs.append(replace(parameters, without=parameters.without | {"escalation"}))
    with _bar(sum(one.days * len(shards_of(one)) for one in runs)) as told:
        found = [run(one, told) for one in runs]
    if page is not None:
        page.write_text(as_page(parameters, found[0], found[1], _as_typed(parameters, page)), encoding="utf-8")
    if as_json:
        echo_json(report.as_json(parameters, found[0]))
    else:
        for line in report.as_text(parameters, found[0]):
            click.echo(line)
    if not report.passed(found[0]):
        raise SystemExit(1)


def _as_typed(parameters: Parameters, page: Path) -> str:
    """Return the command that makes this page again; what was left as usual is left out."""
    usual = Parameters(parameters.patients, parameters.days, parameters.seed)
    words = ["pumpline simulate", f"--patients {parameters.patients}", f"--days {parameters.days}"]
    words.append(f"--seed {parameters.seed}")
    for name in ("no_shows", "unreachable", "outages"):
        if (value := getattr(parameters, name)) != getattr(usual, name):
            words.append(f"--{name.replace('_', '-')} {value}")
    words += [f"--without {what}" for what in sorted(parameters.without)]
    return " ".join([*words, f"--page {page}"])


@contextmanager
def _bar(days: int) -> Iterator[Callable[[int], None]]:
    """Show how many days have passed, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=days, label="Simulating", file=sys.stderr) as bar:
        yield bar.update

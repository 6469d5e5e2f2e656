"""How far a long command is: one bar after the other on a terminal, a line for each part anywhere else."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click


@contextmanager
def bars(labels: Mapping[str, str], lengths: Mapping[str, int]) -> Iterator[Callable[[str, int], None]]:
    """Yield what is told of each step: the part's name, and by how much it went on."""
    if not sys.stderr.isatty():
        begun: set[str] = set()

        def line(name: str, _count: int) -> None:
            if name not in begun:
                begun.add(name)
                click.echo(f"{labels[name]} ...", err=True)

        yield line
        return
    widest = max(len(label) for label in labels.values())
    shown: list[tuple[str, Any]] = []

    def told(name: str, count: int) -> None:
        if not shown or shown[-1][0] != name:
            if shown:
                shown[-1][1].__exit__(None, None, None)
            bar = click.progressbar(
                length=max(lengths.get(name, 1), 1), label=f"{labels[name]:{widest}}", file=sys.stderr
            )
            shown.append((name, bar))
            bar.__enter__()
        shown[-1][1].update(count)

    try:
        yield told
    finally:
        if shown:
            shown[-1][1].__exit__(None, None, None)

"""`pumpline evaluate`: how well a clinic's own labelled messages are understood."""

import json
from typing import IO

import click

from app.commands.printing import AS_JSON, echo_json
from faq.evaluate import BadLabel, Row, Scored, by_label, confusions, median_us, read_labelled, score, table
from faq.library import load
from faq.understand import prepare


@click.command("evaluate")
@click.argument("files", type=click.File("rb"), nargs=-1, required=True)
@click.option("--labels", is_flag=True, help="Also print a line for every label.")
@click.option("--wrong", is_flag=True, help="Also print every message that was misunderstood, with the reason.")
@click.option("--strict", is_flag=True, help="Exit 1 where a target is missed.")
@AS_JSON
def evaluate(files: tuple[IO[bytes], ...], labels: bool, wrong: bool, strict: bool, as_json: bool) -> None:
    """Score your own labelled messages, before a content change.

    JSON lines with id, text, lang, context, kind and topic, intent, category or tag.

    kind is urgent, topic, admin or unknown; tag says what an unknown one is: out_of_scope, dose_request or calm.
    The messages never leave this machine, and none is kept.
    """
    library = load()
    prepare(library)
    try:
        messages = [message for file in files for message in read_labelled(file)]
    except BadLabel as error:
        raise click.ClickException(str(error)) from error
    if not messages:
        raise click.ClickException("the files hold no message; a line is like the one in docs/understanding.md")
    scored = score(messages, library)
    rows = [*table(scored), Row("time a message, microseconds (median)", median_us(messages, library), len(messages))]
    if as_json:
        echo_json([{"what": r.what.strip(), "value": r.share, "of": r.of, "target": r.target} for r in rows])
    else:
        _print(rows, scored, labels=labels, wrong=wrong)
    if strict and any(row.reached is False for row in rows):
        raise SystemExit(1)


def _print(rows: list[Row], scored: list[Scored], *, labels: bool, wrong: bool) -> None:
    click.echo(f"{'':58} {'':>8} {'of':>5}  target")
    for row in rows:
        value = "-" if row.share is None else f"{row.share:.0f}" if "micro" in row.what else f"{100 * row.share:.1f} %"
        sign = "at most" if row.at_most else "at least"
        target = f"{sign} {100 * row.target:.0f} %" if row.target is not None else ""
        short = "  SHORT" if row.reached is False else ""
        click.echo(f"{row.what:58} {value:>8} {row.of:>5}  {target}{short}")
    click.echo("\nTaken for something else (label, understood as, how often):")
    for meant, said, count in confusions(scored):
        click.echo(f"{count:4}  {meant}  ->  {said}")
    if labels:
        click.echo("\nlabel, messages, understood, offered in a menu")
        for label, of, right, offered in by_label(scored):
            click.echo(f"{label:40} {of:5} {right:5} {offered:5}")
    if wrong:
        click.echo("")
        for one in scored:
            if one.message.label != one.said:
                line = {"id": one.message.id, "label": one.message.label, "understood": one.said}
                click.echo(json.dumps({**line, "text": one.message.text, "why": one.meaning.why}, ensure_ascii=False))

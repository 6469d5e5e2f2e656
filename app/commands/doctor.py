"""`pumpline doctor`: what is wrong with this installation, and how to mend it."""

from collections import Counter
from dataclasses import asdict

import click

from app.commands.checkup import examine
from app.commands.errors import Failed
from app.commands.findings import Check
from app.commands.printing import AS_JSON, echo_json


@click.command()
@AS_JSON
def doctor(as_json: bool) -> None:
    """Check this installation and say how to mend it.

    Looks at settings, content, keys, database, on-call phone, accounts and jobs; on Twilio also at the backup, at what
    watches the line, at the account and at our own public address. Exit 1 when something fails.
    """
    checks = []
    for check in examine():
        checks.append(check)
        if not as_json:  # each as it is known: asking Twilio takes a while
            _echo(check)
    if as_json:
        echo_json([asdict(check) for check in checks])
    counts = Counter(check.result for check in checks)
    if counts["fail"]:
        raise Failed(f"{counts['fail']} failed, {counts['warn']} warnings")
    if not as_json:
        click.echo(f"nothing failed, {counts['warn']} warnings")


def _echo(check: Check) -> None:
    colour = {"ok": "green", "warn": "yellow", "fail": "red"}[check.result]
    click.echo(f"{click.style(check.result.ljust(4), fg=colour)}  {check.name}: {check.what}")
    if check.remedy:
        click.echo(f"      -> {check.remedy}")

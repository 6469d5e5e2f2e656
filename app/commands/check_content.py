"""`pumpline check-content`: every answer, before a patient reads it."""

import os
from pathlib import Path

import click

from app.clock import system_clock
from app.commands.errors import Failed
from app.commands.printing import AS_JSON, echo_json
from app.domain.replies import check_replies, load_replies
from app.domain.texts import TEXTS_DIR
from faq.checks import check
from faq.library import Library, load


@click.command("check-content")
@AS_JSON
def check_content(as_json: bool) -> None:
    """Check every answer and saved reply patients may be sent: complete, short, GSM-7, no dose, review not past.

    Answers are also checked for sources and for how hard they are to read.
    """
    folder = os.environ.get("PUMPLINE_ANSWERS_DIR")  # read alone: other settings may be wrong on a machine that checks
    library = load(Path(folder)) if folder else load()
    today = system_clock().date()
    findings = [*check(library, today), *check_replies(load_replies(TEXTS_DIR / "replies"), today)]
    if as_json:
        echo_json(findings)
    else:
        for finding in findings:
            click.echo(f"{finding.file}: {finding.what}; {finding.remedy}")
    drafts = sum(answer.state == "draft" for answers in library.answers.values() for answer in answers.values())
    if findings:
        raise Failed(f"{len(findings)} findings")
    if not as_json:
        click.echo(f"{_count(library)} answers are in order; {drafts} of them are drafts no clinician has signed")


def _count(library: Library) -> int:
    return sum(len(answers) for answers in library.answers.values())

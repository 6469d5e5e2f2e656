"""The command line, `pumpline`. A command's module is loaded when it is asked for, so that --help is quick.

Exit codes: 0 done, 1 it failed or was refused, 2 wrong usage or settings.
"""

import sys
from importlib import import_module
from typing import Any

import click

# name -> (where it lives, its first line of help)
COMMANDS = {
    "run": ("app.commands.run:run", "Start everything in one process: web, webhooks and periodic jobs."),
    "web": ("app.commands.web:web", "Serve web pages and webhooks, on any number of machines."),
    "worker": (
        "app.commands.worker:worker",
        "Run periodic jobs (reminders, pages, sending), on any number of machines.",
    ),
    "migrate": ("app.commands.migrate:migrate", "Bring the database to this version's tables."),
    "doctor": ("app.commands.doctor:doctor", "Check this installation and say how to mend it."),
    "text": ("app.commands.text:text", "Text the line as a patient would (simulator only)."),
    "demo": ("app.commands.demo:demo", "Fill an empty simulator with fictional patients, a few or thousands."),
    "clock": ("app.commands.clock:clock", "Show the time, or push the simulator's clock forward."),
    "pump": ("app.commands.pump:pump", "Work out until when a pump holds drug, with the band around it."),
    "simulate": ("app.commands.simulate:simulate", "Simulate a clinic, and look whether anybody was forgotten."),
    "import": ("app.commands.importing:import_file", "Import patients, phones, pumps and visits from a CSV file."),
    "patients": ("app.commands.patients:patients", "List patients, show one, change a state, record a scan."),
    "clinic": ("app.commands.clinic:clinic", "Show the clinic, or change its phones, name, hours and limits."),
    "appointments": ("app.commands.appointments:appointments", "List, book, move and settle refill visits."),
    "refills": (
        "app.commands.refills:refills",
        "Show who is due for a refill; record, confirm or decline one.",
    ),
    "programs": (
        "app.commands.programs:programs",
        "Change a pump's program between refills.",
    ),
    "pumps": (
        "app.commands.pumps:pumps",
        "List and record pumps, and the referral for their replacement.",
    ),
    "reminders": ("app.commands.reminders:reminders", "List reminders, or re-plan them all."),
    "steps": ("app.commands.steps:steps", "List the steps owed because of pumps, visits and scans."),
    "messages": ("app.commands.messages:messages", "List texts, in and out, with what became of them."),
    "tasks": ("app.commands.tasks:tasks", "List what nurses must do; acknowledge or resolve it."),
    "staff": ("app.commands.staff:staff", "Add staff accounts, change roles, reset a lost second factor."),
    "audit": ("app.commands.audit:audit", "Check the audit log; report who read or changed a record."),
    "understand": ("app.commands.understand:understand_lines", "Say what texts mean: JSON lines in, JSON lines out."),
    "evaluate": ("app.commands.evaluate:evaluate", "Score your own labelled messages, before a content change."),
    "learn": ("app.commands.learn:learn", "Show how answers fare; export labelled texts for review."),
    "check-content": (
        "app.commands.check_content:check_content",
        "Check every answer and saved reply.",
    ),
    "move-database": (
        "app.commands.move_database:move_database_command",
        "Move everything to another database, SQLite or PostgreSQL.",
    ),
    "backup": ("app.commands.backup:backup", "Back up the line while it runs: one sealed file, read back at once."),
    "restore": ("app.commands.restore:restore_command", "Restore a backup into an empty database, or check one."),
    "drill": ("app.commands.drill:drill", "Rehearse what one hopes never to need, and leave no trace."),
    "holds": ("app.commands.holds:holds", "Hold records for a court or an inquiry: nothing of them is erased."),
    "retention": ("app.commands.retention:retention", "Show how long things are kept; put out what is older."),
    "keys": ("app.commands.keys:keys", "Make keys, and change them while the line runs."),
}


class LazyGroup(click.Group):
    """Knows its commands by name and imports one when it runs; turns our errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, OSError):
            raise
        except Exception as error:
            from app.commands.errors import in_plain_words

            plain = in_plain_words(error)
            if plain is None:
                raise
            raise plain from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="pumpline", prog_name="pumpline")
def cli() -> None:
    """Pumpline: a text line for people who live with a baclofen pump.

    `pumpline run` starts it. Settings come from PUMPLINE_* variables: docs/settings.md.
    """


def main() -> None:
    sys.exit(cli())


if __name__ == "__main__":
    main()

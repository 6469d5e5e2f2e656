"""`pumpline staff`: accounts for the staff pages."""

import sys

import click
from sqlalchemy import select

from app.actions.add_staff import add_staff
from app.actions.change_password import change_password
from app.actions.change_role import change_role
from app.actions.second_factor import reset_second_factor
from app.clock import system_clock
from app.commands.house import ACTOR, opened
from app.commands.printing import AS_JSON, echo_json, echo_table
from app.db.listing import list_staff
from app.db.people import Staff
from app.domain.password_rules import SHORTEST_PASSWORD
from app.domain.permissions import ROLE_WORDS, Role

ROLES = click.Choice([role.value for role in Role])


@click.group()
def staff() -> None:
    """Add staff accounts, change roles, reset a lost second factor."""


@staff.command()
@click.argument("email")
@click.option("--name", prompt="Name, as colleagues know it", help="As colleagues know it.")
@click.option("--role", type=ROLES, default="nurse", show_default=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of standard input.")
def add(email: str, name: str, role: str, password_stdin: bool) -> None:
    """Add an account. Asks for a password of at least 12 characters unless it comes by --password-stdin."""
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt(
            f"Password (at least {SHORTEST_PASSWORD} characters)", hide_input=True, confirmation_prompt=True
        )
    with opened() as house:
        staff_id = add_staff(house.db, email, name, role, password, system_clock())
    click.echo(f"account {staff_id} added: sign in at {house.settings.public_url}/staff/")


@staff.command("role")
@click.argument("email")
@click.argument("role", type=ROLES)
def role_(email: str, role: str) -> None:
    """Give an account another role."""
    with opened() as house:
        staff_id = change_role(house.db, email, role, house.now, ACTOR)
    click.echo(f"account {staff_id} is now: {ROLE_WORDS[Role(role)]}")


@staff.command()
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Set a new password too, read from standard input.")
def reset(email: str, password_stdin: bool) -> None:
    """Remove an account's second factor and passkeys, and end every session: for a phone that is lost."""
    with opened() as house:
        with house.db.read() as session:
            staff_id = session.scalar(select(Staff.id).where(Staff.email == email.strip().lower()))
        if staff_id is None:
            raise click.ClickException("no account has that e-mail: see `pumpline staff list`")
        if password_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
            change_password(house.db, staff_id, password, system_clock(), ACTOR)
        reset_second_factor(house.db, staff_id, system_clock(), ACTOR)
    click.echo(f"account {staff_id}: second factor and passkeys are removed, every session has ended")


@staff.command("list")
@AS_JSON
def list_(as_json: bool) -> None:
    """List accounts."""
    with opened() as house:
        with house.db.read() as session:
            found = list_staff(session)
        if as_json:
            echo_json(found)
            return
        echo_table(
            ("ID", "E-MAIL", "NAME", "ROLE", "ACTIVE"),
            ((s.id, s.email, s.name, s.role, "yes" if s.active else "no") for s in found),
            "no accounts: add the first with `pumpline staff add you@clinic.example --role lead_nurse`",
        )

"""`pumpline pumps`: which pump a patient has, how long it may stay, and the referral for its replacement."""

from datetime import date
from decimal import Decimal

import click

from app.actions.pumps import PumpEntry, record_pump, record_replacement_indicator
from app.actions.referrals import move_referral, open_referral
from app.commands.house import ACTOR, opened
from app.commands.options import AMOUNT, DAY, PATIENT, staff_of
from app.commands.printing import AS_JSON, LIMIT, cut, echo_json, echo_table, local
from app.db.care_listing import PumpListed, list_pumps
from app.db.supply import ReferralState
from app.domain.pump import in_figures


@click.group()
def pumps() -> None:
    """List and record pumps, and the referral for their replacement."""


@pumps.command("list")
@LIMIT
@AS_JSON
def list_(limit: int, as_json: bool) -> None:
    """List pumps with replacement indicator and referral, those to be replaced first."""
    with opened() as house:
        with house.db.read() as session:
            found = cut(list_pumps(session, limit and limit + 1), limit)
        if as_json:
            echo_json(found)
            return
        echo_table(
            ("PATIENT", "NAME", "MODEL", "ML", "IMPLANTED", "REPLACE BY", "INDICATOR", "REFERRAL", "OWNER", "SINCE"),
            (
                (
                    p.patient_id,
                    p.patient,
                    p.model,
                    in_figures(p.reservoir_size_ml),
                    p.implanted_on,
                    p.replace_by,
                    _indicator(p),
                    f"{p.referral_id} {p.referral_state}" if p.referral_id else None,
                    p.referral_owner,
                    local(p.referral_state_at, house.zone),
                )
                for p in found
            ),
            "no pumps: record one with `pumpline pumps record`",
        )


def _indicator(pump: PumpListed) -> str | None:
    if pump.replacement_indicator_on is None:
        return None
    return f"{pump.replacement_indicator_on}, may stop {pump.replacement_indicator_ends_on}"


@pumps.command()
@PATIENT
@click.option("--model", required=True, help="As its card says: SynchroMed II.")
@click.option("--size", type=AMOUNT, metavar="ML", required=True, help="What the reservoir holds.")
@click.option("--implanted-on", type=DAY, metavar="DATE", help="Day of the implant.")
@click.option("--replace-by", type=DAY, metavar="DATE", help="Where it is not what the model's battery says.")
@click.option("--replaces", is_flag=True, help="It takes the place of the one before, which is out.")
def record(
    patient_id: int, model: str, size: Decimal, implanted_on: date | None, replace_by: date | None, replaces: bool
) -> None:
    """Record a patient's pump, or correct the one on record."""
    with opened() as house:
        entry = PumpEntry(model, size, implanted_on, replace_by, replaces)
        pump_id = record_pump(house.line, patient_id, entry, house.now, ACTOR)
        click.echo(f"pump {pump_id} of patient {patient_id}: {model}, {in_figures(size)} mL")
        if replaces:
            click.echo("the one before is out: record the filling of this one with `pumpline refills record`")


@pumps.command("replacement-indicator")
@PATIENT
@click.option("--seen-on", type=DAY, metavar="DATE", required=True, help="The first day on which it was seen.")
def replacement_indicator(patient_id: int, seen_on: date) -> None:
    """Record that the elective replacement indicator shows: 90 days until the pump may stop."""
    with opened() as house:
        record_replacement_indicator(house.line, patient_id, seen_on, house.now, ACTOR)
        with house.db.read() as session:
            pump = next(p for p in list_pumps(session) if p.patient_id == patient_id)
        click.echo(f"the indicator shows since {pump.replacement_indicator_on}: "
                   f"the pump may stop from {pump.replacement_indicator_ends_on} on")  # fmt: skip


@pumps.command()
@PATIENT
@click.option("--owner", "email", metavar="EMAIL", required=True, help="Who of the staff sees to it.")
def referral(patient_id: int, email: str) -> None:
    """Record that the referral for the pump's replacement was sent, and who owns it."""
    with opened() as house:
        referral_id = open_referral(house.line, patient_id, staff_of(house, email), house.now, ACTOR)
        click.echo(f"referral {referral_id} sent: {email} sees to it")


@pumps.command("referral-state")
@click.argument("referral_id", metavar="ID", type=int)
@click.argument("state", type=click.Choice([state.value for state in ReferralState]))
@click.option("--owner", "email", metavar="EMAIL", help="Give it to somebody else of the staff.")
def referral_state(referral_id: int, state: str, email: str | None) -> None:
    """Move a referral on: sent, received, booked (the surgery), done."""
    with opened() as house:
        owner_id = staff_of(house, email) if email else None
        move_referral(house.line, referral_id, house.now, ACTOR, state=ReferralState(state), owner_id=owner_id)
        click.echo(f"referral {referral_id} is {state}{f', {email} sees to it' if email else ''}")

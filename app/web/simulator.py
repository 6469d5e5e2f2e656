"""The simulator: a page that looks like a phone, a clock to push, and beside it what Pumpline did and why.

Its texts take the same way as Twilio's: app.actions.receive_text and the same outbox. Registered only on the
simulator channel.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.actions.advance_clock import advance_clock, next_due
from app.actions.book_appointment import book_appointment
from app.actions.errors import Refused
from app.actions.mark_attended import mark_attended
from app.actions.mark_missed import mark_missed
from app.actions.pick_phone import pick_phone
from app.actions.receive_text import InboundText, receive_text
from app.db.care import AppointmentState
from app.db.pages import ClinicFacts, Person, VisitRow, first_clinic
from app.db.simulator_pages import Pick, Planned, beside_phone, phone_id_of, pick_for, picks, visit_at_hand
from app.db.thread import Thread, thread
from app.web import current
from app.web.console.entry import NotUnderstood, clinic_time, suggested, version_of
from app.web.machine import machine_clock, run_due
from app.web.trace import trace_lines

bp = Blueprint("simulator", __name__, url_prefix="/simulator", template_folder="templates")

UNKNOWN = "+16145550177"
MOST_PICKS = 12
TEXTS = 80
LONGEST_TEXT = 1600
JUMPS = {"1": timedelta(days=1), "7": timedelta(days=7)}


@dataclass(frozen=True)
class Picked:
    """The phone in hand. `name` is what an address calls it: a row's id, "unknown" or "on-call"; never a number."""

    name: str
    number: str
    pick: Pick | None  # None before its first text
    label: str

    @property
    def people(self) -> tuple[Person, ...]:
        return self.pick.people if self.pick else ()


@dataclass(frozen=True)
class AtHand:
    """A patient's visit to settle, if there is one."""

    person: Person
    visit: VisitRow | None
    planned: tuple[Planned, ...]


@bp.get("")
def phone() -> ResponseReturnValue:
    line, now = current.line(), current.now()
    with line.db.read() as session:
        clinic = the_clinic(session)
        offered = picks(session, clinic.id, MOST_PICKS)
        first = str(offered[0].phone_id) if offered else "unknown"
        picked = _picked(session, clinic, request.args.get("phone", first))
        said = thread(session, [picked.pick.phone_id], TEXTS) if picked.pick else Thread()
        patient_ids = [person.id for person in picked.people]
        beside = beside_phone(session, picked.pick.phone_id, patient_ids) if picked.pick else None
        at_hand = [AtHand(person, *visit_at_hand(session, person)) for person in picked.people]
    return render_template(
        "simulator.html",
        clinic=clinic,
        zone=clinic.zone,
        phone_zone=picked.people[0].zone if picked.people else clinic.zone,
        now=now,
        picks=offered,
        picked=picked,
        thread=said,
        lines=trace_lines(said.texts, beside) if beside else (),
        at_hand=at_hand,
        own_next=own_next(at_hand, clinic, now),
        next_due=next_due(line, now),
        suggested=suggested(now, clinic.zone),
        unknown=UNKNOWN,
    )


@bp.post("/pick")
def pick() -> ResponseReturnValue:
    """Take up a phone by its number, typed by hand."""
    try:
        return _to(str(pick_phone(current.line(), request.form.get("number", ""), current.now())))
    except Refused as refusal:
        flash(f"No phone picked: {refusal}", "failed")
        return _to(request.form.get("phone", ""))


@bp.post("/send")
def send() -> ResponseReturnValue:
    line = current.line()
    with line.db.read() as session:
        clinic = the_clinic(session)
        picked = _picked(session, clinic, request.form.get("phone", ""))
    inbound = InboundText(
        provider_id=f"SIM{uuid.uuid4().hex}",
        sender=picked.number,
        recipient="",
        body=request.form.get("body", "").replace("\r\n", "\n")[:LONGEST_TEXT],
        channel="simulator",
    )
    receive_text(line, inbound, current.now())
    return _to(picked.name)


@bp.post("/jump")
def jump() -> ResponseReturnValue:
    """Push the clock ahead; what falls due on the way is done at its own time."""
    line, now, by = current.line(), current.now(), request.form.get("by", "")
    if target := _target(by, now):
        advance_clock(line, target, now, machine_clock(), run_due())
    else:
        flash("Nothing is due: book a refill first.")
    return _to(request.form.get("phone", ""))


def _target(by: str, now: datetime) -> datetime | None:
    if by in JUMPS:
        return now + JUMPS[by]
    if by == "own":
        with current.line().db.read() as session:
            clinic = the_clinic(session)
            people = _picked(session, clinic, request.form.get("phone", "")).people
            return own_next([AtHand(person, *visit_at_hand(session, person)) for person in people], clinic, now)
    return next_due(current.line(), now)


def own_next(at_hand: Sequence[AtHand], clinic: ClinicFacts, now: datetime) -> datetime | None:
    """Return when the phone in hand gets its next text: a planned one, or the one that follows a missed visit."""
    after = timedelta(minutes=clinic.missed_after_minutes)
    moments = [text.due_at for hand in at_hand for text in hand.planned]
    moments += [
        hand.visit.starts_at + after
        for hand in at_hand
        if hand.visit and hand.visit.state is AppointmentState.BOOKED and not hand.planned
    ]
    return min((moment for moment in moments if moment > now), default=None)


LATE_HERE = "booked in the simulator"


@bp.post("/book")
def book() -> ResponseReturnValue:
    """Book as staff do; a visit after the plan-by date is given a reason, and the page says that it needs one."""
    clinic, person = _person_in_hand()
    line, now = current.line(), current.now()
    try:
        starts_at = clinic_time(request.form.get("starts_at", ""), clinic.zone)
        try:
            book_appointment(line, person.id, starts_at, now, "simulator")
        except Refused as refusal:
            if refusal.kind != "late":
                raise
            book_appointment(line, person.id, starts_at, now, "simulator", late_reason=LATE_HERE)
            flash(f"Booked all the same. On the staff pages: {refusal}.")
    except (NotUnderstood, Refused) as refusal:
        flash(f"Not booked: {refusal}", "failed")
    return _to(request.form.get("phone", ""))


@bp.post("/settle")
def settle() -> ResponseReturnValue:
    """Mark the visit at hand attended or missed."""
    _, person = _person_in_hand()
    with current.line().db.read() as session:
        visit, _ = visit_at_hand(session, person)
    act: Callable[..., None] = mark_attended if request.form.get("as") == "attended" else mark_missed
    try:
        if visit is None or str(visit.id) != request.form.get("visit"):
            raise Refused("this visit was settled meanwhile", "conflict")
        act(current.line(), visit.id, current.now(), "simulator", version=version_of(request.form))
    except Refused as refusal:
        flash(f"Not marked: {refusal}", "failed")
    return _to(request.form.get("phone", ""))


def the_clinic(session: Session) -> ClinicFacts:
    clinic = first_clinic(session)
    if clinic is None:
        abort(404)
    return clinic


def _picked(session: Session, clinic: ClinicFacts, name: str) -> Picked:
    """Find the phone an address names. 404 for one of another clinic, or none."""
    numbers = {"unknown": UNKNOWN, "on-call": clinic.on_call_phone}
    if name in numbers:
        number = numbers[name]
        if number is None:
            abort(404)
        phone_id = phone_id_of(session, clinic.id, current.line().db.hash_of(number))
        label = "Someone unknown" if name == "unknown" else "On-call phone"
        return Picked(name, number, pick_for(session, clinic.id, phone_id) if phone_id else None, label)
    known = pick_for(session, clinic.id, int(name)) if name.isascii() and name.isdecimal() and len(name) < 18 else None
    if known is None:
        abort(404)
    return Picked(name, known.number, known, label_of(known))


def label_of(pick: Pick) -> str:
    if pick.carer:
        return pick.carer
    if pick.people:
        return " and ".join(f"{person.given_name} {person.family_name}" for person in pick.people)
    return "Someone unknown"


def _person_in_hand() -> tuple[ClinicFacts, Person]:
    with current.line().db.read() as session:
        clinic = the_clinic(session)
        picked = _picked(session, clinic, request.form.get("phone", ""))
    wanted = request.form.get("patient", 0, type=int)
    person = next((person for person in picked.people if person.id == wanted), None)
    if person is None:
        abort(404)
    return clinic, person


def _to(name: str) -> ResponseReturnValue:
    return redirect(url_for("simulator.phone", phone=name or None))

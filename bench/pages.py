"""`python -m bench.pages`: every page of the console, of a database that is there (the large demo).

    PUMPLINE_INSTANCE_DIR=... PUMPLINE_DATABASE_URL=... python -m bench.pages [--times 15]

Server time is that of the whole request in one process, without the network; bytes are those of gzip.
"""

import argparse
import gzip
import math
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from app import create_app
from app.actions.add_staff import add_staff
from app.actions.errors import Refused
from app.actions.line import Line
from app.clock import system_clock
from app.commands.server import set_aside
from app.db.care import Appointment
from app.db.messages import InboundMessage
from app.db.people import Contact, Patient, Staff
from app.db.threads import PhoneThread
from app.db.work import Task
from app.domain.permissions import Permission, Role, may
from app.settings import load_settings
from app.web import console
from app.web.console.permits import needed_by

PASSWORD = "a heron eats plums at noon"
NOT_PAGES = {"console.live"}
MORE = (  # addresses beside the plain ones
    "/staff/patients?visit=none&sort=visit",
    "/staff/patients?visit=late",
    "/staff/patients?left=14",
    "/staff/inbox?tab=unassigned",
    "/staff/inbox?status=closed",
    "/staff/schedule?view=month",
    "/staff/schedule?view=list",
)


@dataclass
class Figures:
    path: str
    median_ms: float
    p95_ms: float
    worst_ms: float
    queries: int
    kilobytes: float


def rows_of(line: Line) -> dict[str, int]:
    """Return one busy row for every name that an address may hold."""
    with line.db.read() as session:
        phone = session.scalars(select(PhoneThread.phone_id).order_by(PhoneThread.rank, PhoneThread.since)).first()
        busiest = session.execute(
            select(Contact.patient_id, func.count(InboundMessage.id).label("texts"))
            .join(InboundMessage, InboundMessage.phone_id == Contact.phone_id)
            .group_by(Contact.patient_id)
            .order_by(func.count(InboundMessage.id).desc())
        ).first()
        patient = busiest[0] if busiest else session.scalars(select(Patient.id)).first()
        return {
            "patient_id": patient or 1,
            "phone_id": phone or 1,
            "contact_id": session.scalars(select(Contact.id).where(Contact.patient_id == patient)).first() or 1,
            "visit_id": session.scalars(
                select(Appointment.id).where(Appointment.patient_id == patient).order_by(Appointment.id.desc())
            ).first()
            or 1,
            "task_id": session.scalars(select(Task.id)).first() or 1,
            "inbound_id": session.scalars(select(InboundMessage.id).order_by(InboundMessage.id.desc())).first() or 1,
            "staff_id": session.scalars(select(Staff.id)).first() or 1,
        }


def addresses(app: Flask, rows: dict[str, int]) -> dict[Role, list[str]]:
    """Return every page of the staff, by the first role that may open it."""
    found: dict[Role, list[str]] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda one: one.rule):
        if not rule.rule.startswith("/staff") or "GET" not in (rule.methods or ()) or rule.endpoint in NOT_PAGES:
            continue
        if (
            rule.endpoint in console.OPEN_TO_ALL
            or rule.endpoint in console.HALF_WAY
            or not rule.arguments <= rows.keys()
        ):
            continue
        needed = needed_by(app.view_functions[rule.endpoint])
        role = next(
            who
            for who in (Role.LEAD_NURSE, Role.AUDITOR, Role.ADMINISTRATOR)
            if may(who, needed or Permission.OWN_ACCOUNT)
        )
        built = rule.build({name: rows[name] for name in rule.arguments})
        assert built
        found.setdefault(role, []).append(str(built[1]))
    found[Role.LEAD_NURSE] += MORE
    return found


def signed_in(app: Flask, line: Line, role: Role) -> FlaskClient:
    email = f"bench.{role.value}@pumpline.example"
    try:
        add_staff(line.db, email, f"Bench {role.value}", role.value, PASSWORD, system_clock())
    except Refused as refusal:
        if refusal.kind != "conflict":
            raise
    client = app.test_client()
    page = client.get("/staff/sign-in").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = client.post("/staff/sign-in", data={"csrf_token": token, "email": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.status_code
    return client


@contextmanager
def counted(line: Line) -> Iterator[list[str]]:
    said: list[str] = []

    def heard(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            said.append(statement)

    event.listen(line.db.engine, "before_cursor_execute", heard)
    try:
        yield said
    finally:
        event.remove(line.db.engine, "before_cursor_execute", heard)


def measure(client: FlaskClient, line: Line, path: str, times: int) -> Figures:
    client.get(path)  # templates and plans are there after the first
    took = []
    for _ in range(times):
        began = time.perf_counter()
        answer = client.get(path)
        body = answer.get_data()
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code in (200, 302), (path, answer.status_code)
    with counted(line) as said:
        client.get(path)
    p95 = sorted(took)[min(len(took) - 1, math.ceil(len(took) * 0.95) - 1)]
    return Figures(path, statistics.median(took), p95, max(took), len(said), len(gzip.compress(body, 6)) / 1024)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--most-ms", type=float, default=100)
    parser.add_argument("--most-queries", type=int, default=25)
    wanted = parser.parse_args()
    app = create_app(load_settings())
    set_aside()  # as the server does
    line: Line = app.extensions["line"]
    found = []
    for role, paths in addresses(app, rows_of(line)).items():
        client = signed_in(app, line, role)
        found += [measure(client, line, path, wanted.times) for path in paths]
    print(f"{line.db.engine.dialect.name}: median ms, 95th percentile, slowest, queries, kB by gzip")
    too_much = 0
    for one in sorted(found, key=lambda one: -one.median_ms):
        bad = one.median_ms > wanted.most_ms or one.queries > wanted.most_queries
        too_much += bad
        mark = "  <--" if bad else ""
        times = f"{one.median_ms:8.1f} {one.p95_ms:8.1f} {one.worst_ms:8.1f}"
        print(f"{times} {one.queries:4} {one.kilobytes:7.1f}  {one.path}{mark}")
    line.db.close()
    return 1 if too_much else 0


if __name__ == "__main__":
    sys.exit(main())

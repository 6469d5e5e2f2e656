"""What an attacker tries, and what comes of it: the rest of docs/threat-model.md that no other story tells."""

import ast
import csv
import io
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.actions.line import Line
from app.db.base import Base
from app.db.messages import InboundMessage
from app.db.people import StaffSession
from app.domain.csv_out import csv_text
from tests.conftest import FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio
from tests.fakes.twilio_webhooks import post_form
from tests.web.conftest import Visitor

ROOT = Path(__file__).parent.parent.parent
COOKIE = "__Host-pumpline-staff"


def rows_of_everything(line: Line) -> dict[str, int]:
    """Count each table's rows; what was only looked at does not count."""
    with line.db.read() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


# webhooks


@pytest.mark.parametrize("body", ["ALARM", "STOP", "1", "REFILL"])
def test_a_signed_form_repeated_months_later_says_the_same_and_does_nothing(
    body: str,
    twilio: FakeTwilio,
    client: FlaskClient,
    line: Line,
    clock: FrozenClock,
    maria: Someone,
    beat: Callable[[], None],
) -> None:
    form = {"MessageSid": "SM" + "7" * 32, "AccountSid": twilio.account_sid, "From": maria.phone, "Body": body}
    form |= {"To": twilio.number, "NumMedia": "0"}
    first = post_form(client, twilio.public_url, "/twilio/sms", form, twilio.auth_token)
    beat()
    twilio.deliver(client, maria.phone, "START")  # what came since must stand
    clock.forward(days=180)
    beat()
    before, sent = rows_of_everything(line), len(twilio.requests)
    again = post_form(client, twilio.public_url, "/twilio/sms", form, twilio.auth_token)
    assert again == first
    assert rows_of_everything(line) == before
    beat()
    assert len(twilio.requests) == sent
    with line.db.read() as session:
        assert session.scalar(select(func.count(InboundMessage.id))) == 2


# pictures


@contextmanager
def somewhere_inside() -> Iterator[tuple[int, list[Any]]]:
    """A server of our own network that nobody outside can reach; whoever connects is noted."""
    came: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                came.append(address)
                connection.close()

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_nothing_ever_connects_to_where_a_picture_is_said_to_lie(
    twilio: FakeTwilio, client: FlaskClient, nurse: Visitor, maria: Someone, beat: Callable[[], None]
) -> None:
    with somewhere_inside() as (port, came):
        inside = [(f"{scheme}://127.0.0.1:{port}/secret", "image/png") for scheme in ("https", "HTTPS", "http", "ftp")]
        inside.append((f"https://example.org@127.0.0.1:{port}/", f"https://127.0.0.1:{port}/image"))
        assert twilio.deliver(client, maria.phone, f"see https://127.0.0.1:{port}/link", media=inside).replies
        beat()
        for path in ("/staff/", f"/staff/inbox/{maria.phone_id}", f"/staff/patients/{maria.id}"):
            page = nurse.page(path)
            loaded = re.findall(r"<(?:img|iframe|script|link|video|audio|source|embed|object)\b[^>]*", page)
            assert not [tag for tag in loaded if str(port) in tag], path
        assert came == []
        socket.create_connection(("127.0.0.1", port)).close()  # it would have been seen
        for _ in range(100):
            if came:
                break
            threading.Event().wait(0.01)
        assert len(came) == 1


# signing in


@contextmanager
def hashing() -> Iterator[list[str]]:
    """What is hashed meanwhile by argon2 itself: the cost that each hash asks for."""
    costs: list[str] = []

    def seen(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_name == "verify_secret" and "argon2" in frame.f_code.co_filename:
            wanted = frame.f_locals["hash"]
            costs.append("$".join(wanted.decode().split("$")[:4]))
        if event == "call" and frame.f_code.co_name == "hash_secret" and "argon2" in frame.f_code.co_filename:
            costs.append("made")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        yield costs
    finally:
        sys.setprofile(before)


def test_a_sign_in_does_the_same_hashing_whether_the_e_mail_is_known_or_not(visitor: Visitor, staff_id: int) -> None:
    visitor.sign_in("first@clinic.example", "x")  # nobody's hash is made once a process
    done = {}
    for email in ("ana@clinic.example", "nobody@clinic.example"):
        with hashing() as costs:
            assert visitor.sign_in(email, "not the password").status_code == 401
        done[email] = costs
    known, unknown = done.values()
    assert known == unknown
    assert len(known) == 1
    assert known[0].startswith("$argon2id$")  # how strong it ships: tests/actions/test_passwords.py


def test_a_planted_session_is_never_adopted(app: Flask, nurse: Visitor, staff_id: int, line: Line) -> None:
    """The attacker puts a session, invented or their own, into a browser before somebody signs in on it."""
    theirs = nurse.client.get_cookie(COOKIE)
    assert theirs
    for planted in (theirs.value, "a" * 43, ""):
        victim, attacker = Visitor(app.test_client()), Visitor(app.test_client())
        victim.client.set_cookie(COOKIE, planted)
        victim.client.set_cookie("__Host-pumpline-form", "planted")
        assert victim.sign_in("ana@clinic.example").status_code == 302
        mine = victim.client.get_cookie(COOKIE)
        assert mine
        assert mine.value != planted
        assert victim.get("/staff/").status_code == 200
        attacker.client.set_cookie(COOKIE, planted)
        assert attacker.get("/staff/").status_code == 302
    with line.db.read() as session:
        hashes = session.scalars(select(StaffSession.token_hash)).all()
    assert len(set(hashes)) == len(hashes) == 4


@pytest.mark.parametrize("where", ["/staff/patients?staff={0}&token={0}", "/staff/?__Host-pumpline-staff={0}"])
def test_a_session_in_an_address_opens_nothing(app: Flask, nurse: Visitor, where: str) -> None:
    theirs = nurse.client.get_cookie(COOKIE)
    assert theirs
    assert app.test_client().get(where.format(theirs.value)).status_code == 302


# files that leave

OURS_ALONE = {"app/web/console/imports.py", "app/commands/importing.py", "app/simulation/clinic.py"}  # our own words


def test_every_csv_that_leaves_goes_through_the_guard() -> None:
    writers = set()
    for file in (ROOT / "app").rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        if any(isinstance(node, ast.Attribute) and node.attr in ("writer", "DictWriter") for node in ast.walk(tree)):
            writers.add(str(file.relative_to(ROOT)))
    assert writers == OURS_ALONE | {"app/domain/csv_out.py"}


@given(st.text(max_size=12))
@example("=1+1")
@example("\n=1+1")
@example("＝1+1")
@example("\t@x")
def test_no_cell_that_leaves_begins_a_formula(cell: str) -> None:
    rows = list(csv.reader(io.StringIO(csv_text(["h"], [[cell]]), newline="")))
    ((back,),) = rows[1:]
    assert back in (cell, f"'{cell}")
    assert not back.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


# sizes


def test_an_address_or_a_form_of_any_size_gets_an_answer(nurse: Visitor, twilio: FakeTwilio) -> None:
    for path in ("/staff/patients?" + urlencode({"page": "9" * 5000}), "/staff/patients?" + "a=1&" * 20_000):
        assert nurse.get(path).status_code in (200, 302, 400, 404, 413, 414), path[:40]
    many = "&".join(f"f{n}=x" for n in range(20_000))
    kinds = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/staff/sign-in", "/twilio/sms", "/twilio/status"):
        answer = nurse.client.post(path, data=many.encode(), headers=kinds)
        assert answer.status_code in (400, 403, 413), path

"""Live pages: every console hears within two seconds that something changed."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from werkzeug.serving import make_server

from app.actions.line import Line
from app.actions.receive_text import InboundText, receive_text
from app.actions.sign_in import sign_out
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.migrate import migrate
from app.db.pulse import pulse
from app.web.live import MOST_STREAMS, Live
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import Visitor


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    app.extensions["live"].stop()
    server.shutdown()
    thread.join()


def cookie_of(nurse: Visitor) -> str:
    return str(nurse.client.application.config["STAFF_COOKIE"])


def token_of(nurse: Visitor) -> str:
    cookie = nurse.client.get_cookie(cookie_of(nurse))
    assert cookie
    return cookie.value


@contextmanager
def listening(address: str, nurse: Visitor) -> Iterator[HTTPResponse]:
    connection = HTTPConnection(address, timeout=20)
    connection.request("GET", "/staff/live", headers={"Cookie": f"{cookie_of(nurse)}={token_of(nurse)}"})
    yield connection.getresponse()
    connection.close()


def next_event(stream: HTTPResponse) -> tuple[str, dict[str, int]]:
    name = ""
    while line := stream.readline().decode():
        if line.startswith("event: "):
            name = line.removeprefix("event: ").strip()
        if line.startswith("data: "):
            return name, json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


def until(stream: HTTPResponse, wanted: str) -> dict[str, int]:
    for _ in range(50):
        name, data = next_event(stream)
        if name == wanted:
            return data
    raise AssertionError(f"no {wanted}")


def say(line: Line, clock: FrozenClock, number: int, body: str, sender: str = "+16145550142") -> None:
    receive_text(line, InboundText(f"SM{number:032d}", sender, "", body, channel="simulator"), clock())


def test_an_alert_reaches_an_open_page_and_its_acknowledgement_too(
    address: str, nurse: Visitor, line: Line, clock: FrozenClock, maria: Someone
) -> None:
    with listening(address, nurse) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert next_event(stream) == ("tick", {"waiting": 0, "texts": 0, "mine": 0})
        say(line, clock, 1, "my pump is alarming", maria.phone)
        assert until(stream, "changed")["waiting"] == 1
        nurse.post("/staff/tasks/1/acknowledge", seen_on="/staff/", version=1)
        assert until(stream, "changed")["waiting"] == 0


def test_a_page_that_is_as_new_as_its_stream_need_not_fetch_itself_again(
    address: str, nurse: Visitor, line: Line, clock: FrozenClock, maria: Someone
) -> None:
    def mark_of_page() -> str:
        found = re.search(r'data-mark="([^"]+)"', nurse.client.get("/staff/").text)
        assert found
        return found[1]

    def first_mark(stream: HTTPResponse) -> str:
        while line := stream.readline().decode():
            if line.startswith("id: "):
                return line.removeprefix("id: ").strip()
        raise AssertionError("the stream ended")

    with listening(address, nurse) as stream:
        until(stream, "tick")  # somebody has looked
    page = mark_of_page()
    with listening(address, nurse) as stream:
        assert first_mark(stream) == page
    say(line, clock, 1, "my pump is alarming", maria.phone)
    with listening(address, nurse) as stream:
        assert first_mark(stream) != page, "a text came after the page was made"
    assert Live(line.db).mark() != Live(line.db).mark(), "another process counts otherwise"


def test_an_alert_of_another_clinic_is_not_counted_here(
    address: str, stranger_nurse: Visitor, line: Line, clock: FrozenClock, maria: Someone
) -> None:
    with listening(address, stranger_nurse) as stream:
        until(stream, "tick")
        say(line, clock, 1, "my pump is alarming", maria.phone)
        assert until(stream, "changed")["waiting"] == 0


def test_a_page_hears_how_many_texts_came_and_how_many_of_them_to_its_own_threads(
    address: str, nurse: Visitor, stranger_nurse: Visitor, line: Line, clock: FrozenClock, maria: Someone
) -> None:
    say(line, clock, 1, "hello there", maria.phone)
    thread = f"/staff/inbox/{maria.phone_id}"
    nurse.post(f"{thread}/assign", seen_on=thread, to="me", seen="0")
    with listening(address, nurse) as stream, listening(address, stranger_nurse) as elsewhere:
        until(stream, "tick")
        until(elsewhere, "tick")
        say(line, clock, 2, "hello again", maria.phone)
        assert until(stream, "changed") == {"waiting": 0, "texts": 1, "mine": 1}
        assert until(elsewhere, "changed") == {"waiting": 0, "texts": 0, "mine": 0}
        say(line, clock, 3, "who is this", "+16145550188")
        assert until(stream, "changed") == {"waiting": 0, "texts": 1, "mine": 0}


def test_a_quiet_stream_still_says_that_it_lives(address: str, nurse: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Live.after, "__defaults__", (0.05,))
    with listening(address, nurse) as stream:
        for _ in range(3):
            assert until(stream, "tick") == {"waiting": 0, "texts": 0, "mine": 0}


def test_nobody_listens_without_a_session_or_after_it(
    address: str, nurse: Visitor, line: Line, clock: FrozenClock
) -> None:
    connection = HTTPConnection(address, timeout=20)
    connection.request("GET", "/staff/live")
    assert connection.getresponse().status == 401
    connection.close()
    with listening(address, nurse) as stream:
        until(stream, "tick")
        sign_out(line.db, token_of(nurse), clock())
        say(line, clock, 1, "hello there")
        assert until(stream, "over") == {}
        assert stream.read().strip() == b""


def test_a_stream_keeps_no_session_alive(address: str, nurse: Visitor, clock: FrozenClock) -> None:
    clock.forward(minutes=29)
    with listening(address, nurse) as stream:
        until(stream, "tick")
    clock.forward(minutes=2)
    assert nurse.get("/staff/").status_code == 302


def test_who_comes_when_all_streams_are_taken_is_told_to_ask_instead(app: Flask, nurse: Visitor) -> None:
    live: Live = app.extensions["live"]
    for _ in range(MOST_STREAMS):
        assert live.open() is not None
    answer = nurse.get("/staff/live")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    live.close()
    with nurse.client.get("/staff/live", buffered=False) as answer:
        assert answer.status_code == 200
    assert live.open() is not None  # the closed one made room again
    live.stop()


def test_whatever_a_page_shows_moves_the_marks(
    line: Line, desk: Desk, maria: Someone, clock: FrozenClock, beat: Callable[[], None], nurse: Visitor
) -> None:
    def moved(deed: Callable[[], object]) -> bool:
        with line.db.read() as session:
            before = pulse(session)
        deed()
        with line.db.read() as session:
            return pulse(session) != before

    def nothing() -> None: ...

    assert not moved(nothing)
    assert not moved(lambda: nurse.page(f"/staff/patients/{maria.id}"))  # it is read, and recorded as read
    assert moved(lambda: say(line, clock, 1, "TRAVEL", maria.phone))
    assert moved(lambda: desk.books(maria, clock() + timedelta(days=1)))
    assert moved(lambda: say(line, clock, 2, "my pump is alarming", maria.phone))
    assert moved(beat)  # the page to the on-call phone leaves
    assert moved(lambda: desk.fills(maria))


def test_a_database_that_cannot_be_asked_is_asked_again(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'late.db'}", Keyring([Fernet.generate_key().decode()]))
    live = Live(database, look_every=0.01)
    beat = live.open()
    assert beat is not None
    assert live.after(beat, 0.05) == beat  # there are no tables yet
    migrate(database)
    assert live.after(beat, 20).changes > beat.changes
    live.stop()
    database.close()

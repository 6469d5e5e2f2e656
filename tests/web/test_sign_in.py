"""The door of the staff pages."""

import hashlib

import pytest
from flask import Flask
from sqlalchemy import select

from app.actions.add_staff import add_staff
from app.actions.errors import Refused
from app.actions.line import Line
from app.actions.sign_in import DEMO_EMAIL, DEMO_PASSWORD
from app.db.people import SignInAttempt, Staff, StaffSession
from app.web.console.sign_in import own_page
from tests.conftest import FrozenClock
from tests.web.conftest import PASSWORD, Visitor


def wrong(visitor: Visitor, email: str = "ana@clinic.example", **more: str) -> int:
    return visitor.sign_in(email, "not the password", **more).status_code


def test_a_nurse_signs_in_and_sees_today(visitor: Visitor, staff_id: int) -> None:
    answer = visitor.sign_in(" Ana@Clinic.Example ")
    assert (answer.status_code, answer.location) == (302, "/staff/")
    assert "Nobody is waiting for you" in visitor.page("/staff/")


def test_without_a_session_every_staff_page_leads_to_the_door(visitor: Visitor) -> None:
    answer = visitor.get("/staff/patients?page=2")
    assert answer.location == "/staff/sign-in?next=%2Fstaff%2Fpatients%3Fpage%3D2"


def test_the_cookie_is_kept_from_scripts_and_from_plain_connections(visitor: Visitor, staff_id: int) -> None:
    cookies = visitor.sign_in("ana@clinic.example").headers.getlist("Set-Cookie")
    (cookie,) = [cookie for cookie in cookies if cookie.startswith("__Host-pumpline-staff=")]
    assert "HttpOnly" in cookie
    assert "Secure" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_the_database_keeps_only_the_tokens_hash(visitor: Visitor, staff_id: int, line: Line) -> None:
    visitor.sign_in("ana@clinic.example")
    cookie = visitor.client.get_cookie("__Host-pumpline-staff")
    assert cookie is not None
    with line.db.read() as session:
        kept = session.scalars(select(StaffSession.token_hash)).one()
    assert kept == hashlib.sha256(cookie.value.encode()).hexdigest()


def test_signing_in_again_gives_a_new_token_and_ends_the_old_one(app: Flask, nurse: Visitor) -> None:
    old = nurse.client.get_cookie("__Host-pumpline-staff")
    assert old is not None
    nurse.sign_in("ana@clinic.example")
    thief = Visitor(app.test_client())
    thief.client.set_cookie("__Host-pumpline-staff", old.value)
    assert thief.get("/staff/").status_code == 302
    assert nurse.get("/staff/").status_code == 200


def test_signing_out_ends_the_session_on_the_server(app: Flask, nurse: Visitor) -> None:
    token = nurse.client.get_cookie("__Host-pumpline-staff")
    assert token is not None
    assert nurse.post("/staff/sign-out", seen_on="/staff/").location == "/staff/sign-in"
    thief = Visitor(app.test_client())
    thief.client.set_cookie("__Host-pumpline-staff", token.value)
    assert thief.get("/staff/").status_code == 302


def test_half_an_hour_without_an_act_ends_a_session(nurse: Visitor, clock: FrozenClock) -> None:
    clock.forward(minutes=29)
    assert nurse.get("/staff/").status_code == 200
    clock.forward(minutes=29)
    assert nurse.get("/staff/").status_code == 200
    clock.forward(minutes=31)
    assert nurse.get("/staff/").status_code == 302


def test_a_page_that_refreshes_itself_keeps_no_session_alive(nurse: Visitor, clock: FrozenClock) -> None:
    for _ in range(3):
        clock.forward(minutes=9)
        assert nurse.get("/staff/", **{"HX-Request": "true"}).status_code == 200
    clock.forward(minutes=4)
    answer = nurse.get("/staff/", **{"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/staff/sign-in?next=%2Fstaff%2F"


def test_twelve_hours_end_a_session_whatever_was_done(nurse: Visitor, clock: FrozenClock) -> None:
    for _ in range(35):
        clock.forward(minutes=20)
        assert nurse.get("/staff/").status_code == 200
    clock.forward(minutes=20)
    assert nurse.get("/staff/").status_code == 302


def test_an_account_that_was_closed_is_out_at_once(nurse: Visitor, line: Line) -> None:
    with line.db.begin() as session:
        session.scalars(select(Staff)).one().active = False
    assert nurse.get("/staff/").status_code == 302
    assert nurse.sign_in("ana@clinic.example").status_code == 401


def test_an_unknown_e_mail_is_told_the_same_as_a_wrong_password(visitor: Visitor, staff_id: int) -> None:
    unknown = visitor.sign_in("nobody@clinic.example", "x")
    known = visitor.sign_in("ana@clinic.example", "x")
    assert unknown.status_code == known.status_code == 401
    assert "E-mail or password is wrong" in unknown.text
    assert "E-mail or password is wrong" in known.text


def test_after_five_failures_this_pair_waits(visitor: Visitor, staff_id: int, clock: FrozenClock) -> None:
    assert [wrong(visitor) for _ in range(6)] == [401] * 5 + [429]
    answer = visitor.sign_in("ana@clinic.example")
    assert answer.status_code == 429
    assert "Wait 15 min" in answer.text
    clock.forward(minutes=15)
    assert visitor.sign_in("ana@clinic.example").status_code == 302


def test_waiting_is_not_prolonged_by_trying(visitor: Visitor, staff_id: int, clock: FrozenClock) -> None:
    for _ in range(5):
        wrong(visitor)
    for _ in range(4):
        clock.forward(minutes=4)
        wrong(visitor)
    assert visitor.sign_in("ana@clinic.example").status_code == 302


def test_another_address_is_not_locked_out(app: Flask, visitor: Visitor, staff_id: int) -> None:
    for _ in range(7):
        wrong(visitor)
    elsewhere = Visitor(app.test_client())
    elsewhere.client.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert elsewhere.sign_in("ana@clinic.example").status_code == 302


def test_one_address_cannot_try_many_e_mails(visitor: Visitor, staff_id: int) -> None:
    codes = [wrong(visitor, f"nurse{n}@clinic.example") for n in range(31)]
    assert codes == [401] * 30 + [429]


def test_a_right_password_clears_the_count(visitor: Visitor, staff_id: int, line: Line) -> None:
    for _ in range(4):
        wrong(visitor)
    assert visitor.sign_in("ana@clinic.example").status_code == 302
    with line.db.read() as session:
        assert session.scalars(select(SignInAttempt)).all() == []


def test_attempts_are_kept_without_e_mail_or_address(visitor: Visitor, staff_id: int, line: Line) -> None:
    wrong(visitor)
    with line.db.read() as session:
        kept = session.execute(select(SignInAttempt.email_hash, SignInAttempt.address_hash)).one()
    assert "ana" not in kept.email_hash
    assert "127.0.0.1" not in kept.address_hash
    assert len(kept.email_hash) == len(kept.address_hash) == 64


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/staff/",
        "/\\evil.example/staff/",
        "/staff//evil.example",
        "javascript:alert(1)",
        "/",
        "staff/",
        "/staff/\r\nSet-Cookie: a=b",
        "",
    ],
)
def test_after_sign_in_nobody_is_led_to_another_site(app: Flask, wanted: str) -> None:
    with app.test_request_context():
        assert own_page(wanted) == "/staff/"


def test_after_sign_in_one_is_where_one_wanted_to_be(visitor: Visitor, staff_id: int) -> None:
    assert visitor.sign_in("ana@clinic.example", next="/staff/patients?page=1").location == "/staff/patients?page=1"


def test_a_nul_in_the_e_mail_reaches_no_database(visitor: Visitor, staff_id: int) -> None:
    """PostgreSQL refuses to compare with it, which would be an error page."""
    assert visitor.sign_in("an\0a@clinic.example\0").status_code == 302


def test_a_form_without_its_token_is_refused(app: Flask, nurse: Visitor) -> None:
    answer = nurse.client.post("/staff/sign-out")
    assert answer.status_code == 400
    assert "open too long" in answer.text
    assert nurse.get("/staff/").status_code == 200


def test_a_form_from_another_site_is_refused(nurse: Visitor) -> None:
    nurse.headers["Sec-Fetch-Site"] = "cross-site"
    assert nurse.post("/staff/sign-out", seen_on="/staff/").status_code == 400


@pytest.mark.parametrize(
    ("email", "name", "role", "password"),
    [
        ("not an address", "Ana", "nurse", PASSWORD),
        ("@", "Ana", "nurse", PASSWORD),
        ("ana@clinic.example", "  ", "nurse", PASSWORD),
        ("ana@clinic.example", "Ana", "owner", PASSWORD),
        ("ana@clinic.example", "Ana", "nurse", "elevenchars"),
        ("ana@clinic.example", "Ana", "nurse", "x" * 1025),
    ],
)
def test_an_account_needs_an_address_a_name_a_role_and_a_long_password(
    line: Line, clock: FrozenClock, email: str, name: str, role: str, password: str
) -> None:
    with pytest.raises(Refused):
        add_staff(line.db, email, name, role, password, clock())


def test_two_accounts_cannot_share_an_e_mail(line: Line, staff_id: int, clock: FrozenClock) -> None:
    with pytest.raises(Refused):
        add_staff(line.db, "ANA@clinic.example", "Another", "nurse", PASSWORD, clock())


def test_the_demo_nurse_gets_in_only_in_the_simulator(
    visitor: Visitor, newcomer: Visitor, line: Line, clock: FrozenClock
) -> None:
    add_staff(line.db, DEMO_EMAIL, "Demo", "nurse", DEMO_PASSWORD, clock())
    assert visitor.sign_in(DEMO_EMAIL, DEMO_PASSWORD).status_code == 401
    assert DEMO_PASSWORD not in visitor.page("/")
    assert DEMO_PASSWORD not in visitor.page("/staff/sign-in")
    assert newcomer.sign_in(DEMO_EMAIL, DEMO_PASSWORD).status_code == 302
    assert DEMO_PASSWORD in newcomer.page("/")


def test_a_pushed_clock_ends_no_session(newcomer: Visitor, clock: FrozenClock) -> None:
    newcomer.sign_in(DEMO_EMAIL, DEMO_PASSWORD)
    newcomer.post("/simulator/jump", seen_on="/simulator", by="7")
    assert newcomer.get("/staff/").status_code == 200
    clock.forward(minutes=31)
    assert newcomer.get("/staff/").status_code == 302


def test_the_door_speaks_the_browsers_language_and_an_account_its_own(
    visitor: Visitor, staff_id: int, clock: FrozenClock
) -> None:
    visitor.headers["Accept-Language"] = "es-US,es;q=0.9"
    door = visitor.page("/staff/sign-in")
    for words in ('<html lang="es"', "<h1>Iniciar sesión</h1>", "Correo electrónico del trabajo", '"hide": "Ocultar"'):
        assert words in door, words
    assert "El correo electrónico o la contraseña no son correctos." in visitor.sign_in("ana@clinic.example", "no").text
    visitor.sign_in("ana@clinic.example")
    page = visitor.page("/staff/account")
    assert "Ana Lindqvist, enfermera en " in page
    assert "Un navegador" in page
    visitor.post("/staff/account/preferences", seen_on="/staff/account", language="en", hours="24")
    assert "Ana Lindqvist, nurse at " in visitor.page("/staff/account")
    visitor.post("/staff/sign-out", seen_on="/staff/account")
    assert "Ha cerrado sesión." in visitor.page("/staff/sign-in")

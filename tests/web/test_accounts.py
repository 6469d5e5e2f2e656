"""Accounts: second factor, recovery codes, sessions, proving again, invitations, colleagues, waiting after failures."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pyotp
import pytest
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import select, text

from app import create_app
from app.actions.add_staff import add_staff
from app.actions.line import Line
from app.db.accounts import Authenticator, RecoveryCode
from app.db.people import Staff, StaffSession
from app.db.work import AuditEvent
from app.domain.permissions import Role
from app.settings import Settings
from tests.conftest import Desk, FrozenClock
from tests.web.conftest import PASSWORD, TOKEN, Visitor

ANA = "ana@clinic.example"


def code_at(clock: FrozenClock, secret: str) -> str:
    return pyotp.TOTP(secret).at(clock())


@pytest.fixture
def secret(nurse: Visitor, line: Line, clock: FrozenClock) -> str:
    """Ana sets up an authenticator; return what her phone holds."""
    page = nurse.page("/staff/account/authenticator")
    shown = re.search(r'<code class="typed-code" translate="no">([A-Z2-7 ]+)</code>', page)
    assert shown
    held = shown[1].replace(" ", "")
    done = nurse.post("/staff/account/authenticator", seen_on="/staff/account/authenticator", code=code_at(clock, held))
    assert "Your recovery codes" in done.text
    nurse.codes = re.findall(r"<li><code>([a-z0-9-]+)</code>", done.text)  # type: ignore[attr-defined]
    clock.forward(minutes=1)
    return held


@pytest.fixture
def someone_new(app: Flask) -> Callable[[], Visitor]:
    return lambda: Visitor(app.test_client())


def second(visitor: Visitor, code: str) -> int:
    return visitor.post("/staff/second-step", seen_on="/staff/second-step", code=code).status_code


def test_after_the_password_a_code_is_asked_for_and_nothing_opens_before_it(
    someone_new: Callable[[], Visitor], secret: str, clock: FrozenClock
) -> None:
    ana = someone_new()
    assert ana.sign_in(ANA, next="/staff/patients").location == "/staff/second-step?next=/staff/patients"
    assert ana.get("/staff/patients").location.startswith("/staff/second-step")
    assert ana.get("/staff/live").status_code == 401
    assert second(ana, "000000") == 401
    assert second(ana, code_at(clock, secret)) == 302
    assert ana.get("/staff/patients").status_code == 200


def test_a_code_counts_once_and_only_around_now(
    someone_new: Callable[[], Visitor], secret: str, clock: FrozenClock
) -> None:
    used = code_at(clock, secret)
    first, thief, late = someone_new(), someone_new(), someone_new()
    for visitor in (first, thief, late):
        visitor.sign_in(ANA)
    assert second(first, used) == 302
    assert second(thief, used) == 401
    clock.forward(minutes=2)
    assert second(late, used) == 401
    assert second(late, pyotp.TOTP(secret).at(clock() - timedelta(seconds=30))) == 302


def test_a_recovery_code_opens_once(
    someone_new: Callable[[], Visitor], nurse: Visitor, secret: str, desk: Desk
) -> None:
    [code, other, *_] = nurse.codes  # type: ignore[attr-defined]
    assert not any(code.replace("-", "") in kept.code_hash for kept in desk.rows(RecoveryCode))
    first, again = someone_new(), someone_new()
    first.sign_in(ANA)
    assert second(first, code.upper().replace("-", " ")) == 302
    again.sign_in(ANA)
    assert second(again, code) == 401
    assert second(again, other) == 302
    assert "8 recovery codes left" in again.page("/staff/account")


def test_the_secret_is_sealed_and_shown_only_until_it_is_confirmed(
    nurse: Visitor, line: Line, clock: FrozenClock
) -> None:
    picture = nurse.get("/staff/account/authenticator.svg")
    assert picture.mimetype == "image/svg+xml"
    assert picture.headers["Cache-Control"] == "no-store"
    with line.db.engine.connect() as connection:
        kept = connection.execute(text("SELECT secret FROM authenticator")).scalar_one()
    with line.db.read() as session:
        secret = session.scalars(select(Authenticator)).one().secret
    assert secret.encode() not in bytes(kept)
    nurse.post("/staff/account/authenticator", seen_on="/staff/account", code=code_at(clock, secret))
    assert nurse.get("/staff/account/authenticator.svg").status_code == 404
    assert nurse.get("/staff/account/authenticator").status_code == 302


def test_guessing_codes_makes_the_guesser_wait_and_nobody_else(
    someone_new: Callable[[], Visitor], nurse: Visitor, secret: str, clock: FrozenClock
) -> None:
    owner = someone_new()
    owner.sign_in(ANA)
    assert second(owner, code_at(clock, secret)) == 302  # a browser that the account knows from now on
    owner.post("/staff/sign-out", seen_on="/staff/account")
    clock.forward(minutes=1)
    thief = someone_new()
    thief.sign_in(ANA)
    answers = [second(thief, f"{guess:06}") for guess in range(5)]
    assert answers == [401] * 5
    assert second(thief, code_at(clock, secret)) == 302  # to the door: too many
    assert thief.get("/staff/patients").location.startswith("/staff/sign-in")
    owner.sign_in(ANA)
    assert second(owner, code_at(clock, secret)) == 302
    assert owner.get("/staff/patients").status_code == 200


def test_failures_elsewhere_never_lock_a_known_browser_out(
    someone_new: Callable[[], Visitor], nurse: Visitor, app: Flask
) -> None:
    nurse.post("/staff/sign-out", seen_on="/staff/account")
    thief = someone_new()
    for _ in range(5):
        assert thief.sign_in(ANA, "not the password").status_code == 401
    assert thief.sign_in(ANA).status_code == 429
    assert someone_new().sign_in(ANA).status_code == 429, "the same address, and no browser that she used"
    assert nurse.sign_in(ANA).status_code == 302
    nurse.post("/staff/sign-out", seen_on="/staff/account")
    for _ in range(10):
        assert nurse.sign_in(ANA, "not the password").status_code == 401
    assert nurse.sign_in(ANA).status_code == 429, "a known browser has a bound too"


def test_a_forged_mark_is_no_known_browser(someone_new: Callable[[], Visitor], nurse: Visitor) -> None:
    thief = someone_new()
    thief.client.set_cookie("__Host-pumpline-browser", "eyJtYXJrIjoieCJ9.forged.mark")
    for _ in range(5):
        thief.sign_in(ANA, "not the password")
    assert thief.sign_in(ANA).status_code == 429


def test_a_role_that_must_have_a_second_factor_sets_it_up_before_anything_else(
    settings: Settings, app: Flask, clock: FrozenClock, staff_id: int
) -> None:
    strict = create_app(settings.model_copy(update={"second_factor_roles": "nurse"}), clock=clock)
    strict.extensions["session_clock"] = clock
    ana = Visitor(strict.test_client())
    ana.sign_in(ANA)
    for page in ("/staff/", "/staff/patients", "/staff/account"):
        assert ana.get(page).location == "/staff/account/authenticator"
    page = ana.page("/staff/account/authenticator")
    assert "your role needs one before you go on" in page
    held = re.search(r'typed-code" translate="no">([A-Z2-7 ]+)<', page)
    assert held
    code = code_at(clock, held[1].replace(" ", ""))
    ana.post("/staff/account/authenticator", seen_on="/staff/account/authenticator", code=code)
    assert ana.get("/staff/patients").status_code == 200
    strict.extensions["line"].db.close()


def test_sessions_are_listed_and_can_be_ended(someone_new: Callable[[], Visitor], nurse: Visitor) -> None:
    phone = someone_new()
    phone.headers["User-Agent"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1"
    phone.sign_in(ANA)
    page = nurse.page("/staff/account")
    assert "Safari on iPhone" in page
    assert page.count("this one") == 1
    which = re.search(r'name="session" value="(\d+)"', page)
    assert which
    nurse.post("/staff/account/sessions/end", seen_on="/staff/account", session=which[1])
    assert phone.get("/staff/patients").location.startswith("/staff/sign-in")
    assert nurse.get("/staff/patients").status_code == 200
    phone.sign_in(ANA)
    nurse.post("/staff/account/sessions/end", seen_on="/staff/account")
    assert phone.get("/staff/patients").status_code == 302


def test_nobody_ends_the_session_of_another_account(nurse: Visitor, app: Flask, line: Line, clock: FrozenClock) -> None:
    add_staff(line.db, "bo@clinic.example", "Bo", "nurse", PASSWORD, clock())
    bo = Visitor(app.test_client())
    bo.sign_in("bo@clinic.example")
    with line.db.read() as session:
        theirs = session.scalars(select(StaffSession.id).order_by(StaffSession.id.desc())).first()
    nurse.post("/staff/account/sessions/end", seen_on="/staff/account", session=str(theirs))
    assert bo.get("/staff/patients").status_code == 200


def test_a_new_password_asks_for_the_old_one_and_ends_every_other_session(
    someone_new: Callable[[], Visitor], nurse: Visitor
) -> None:
    other = someone_new()
    other.sign_in(ANA)
    path = {"seen_on": "/staff/account"}
    assert nurse.post("/staff/account/password", old="wrong", new="the heron eats plums", **path).status_code == 422
    easy = nurse.post("/staff/account/password", old=PASSWORD, new="Northgate2026!", **path)
    assert easy.status_code == 422
    assert "mostly your name" in easy.text
    assert nurse.post("/staff/account/password", old=PASSWORD, new="the heron eats plums", **path).status_code == 302
    assert nurse.get("/staff/patients").status_code == 200
    assert other.get("/staff/patients").status_code == 302
    assert other.sign_in(ANA).status_code == 401
    assert other.sign_in(ANA, "the heron eats plums").status_code == 302


@pytest.fixture
def admin(app: Flask, line: Line, clock: FrozenClock) -> Visitor:
    add_staff(line.db, "ida@clinic.example", "Ida Admin", "administrator", PASSWORD, clock())
    ida = Visitor(app.test_client())
    ida.sign_in("ida@clinic.example")
    return ida


def form_on(page: str, action: str) -> dict[str, str]:
    """Return the hidden fields of the form that leads to `action`."""
    part = page[page.index(f'action="{action}"') :].split("</form>")[0]
    return {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', part)}


def test_a_change_of_role_asks_who_you_are_and_keeps_what_was_chosen(
    admin: Visitor, nurse: Visitor, staff_id: int, line: Line, clock: FrozenClock
) -> None:
    clock.forward(minutes=6)
    action = f"/staff/accounts/{staff_id}/role"
    fields = {
        name: value for name, value in form_on(admin.page("/staff/accounts"), action).items() if name == "version"
    }
    asked = admin.post(action, seen_on="/staff/accounts", role="read_only", **fields)
    assert "Is it still you?" in asked.text
    kept = form_on(asked.text, action)
    assert kept["role"] == "read_only"
    del kept["csrf_token"]
    wrong = admin.post(action, seen_on="/staff/accounts", **kept, proof_of_person="not it")
    assert (wrong.status_code, form_on(wrong.text, action)["role"]) == (401, "read_only")
    assert admin.post(action, seen_on="/staff/accounts", **kept, proof_of_person=PASSWORD).status_code == 302
    with line.db.read() as session:
        assert session.get_one(Staff, staff_id).role is Role.READ_ONLY
    assert nurse.get(f"/staff/patients/{staff_id}/refill").status_code in (403, 404)


def test_an_export_asks_who_you_are_again(app: Flask, line: Line, clock: FrozenClock) -> None:
    add_staff(line.db, "olu@clinic.example", "Olu", "auditor", PASSWORD, clock())
    olu = Visitor(app.test_client())
    olu.sign_in("olu@clinic.example")
    clock.forward(minutes=6)
    asked = olu.post("/staff/audit/export", seen_on="/staff/audit")
    assert "Is it still you?" in asked.text
    given = olu.post("/staff/audit/export", seen_on="/staff/audit", proof_of_person=PASSWORD)
    assert given.mimetype == "text/csv"


def test_nobody_shuts_the_clinic_out(admin: Visitor, line: Line, clock: FrozenClock) -> None:
    with line.db.read() as session:
        ida = session.scalars(select(Staff.id).where(Staff.email == "ida@clinic.example")).one()
    admin.post(f"/staff/accounts/{ida}/role", seen_on="/staff/accounts", role="nurse", version=1)
    with line.db.read() as session:
        assert session.get_one(Staff, ida).role is Role.ADMINISTRATOR
    assert "changed by a colleague" in admin.page("/staff/accounts")


def test_a_closed_account_is_out_at_once_and_can_be_opened_again(admin: Visitor, nurse: Visitor, staff_id: int) -> None:
    path = f"/staff/accounts/{staff_id}/role"
    admin.post(path, seen_on="/staff/accounts", act="close", version=1)
    assert nurse.get("/staff/patients").status_code == 302
    assert nurse.sign_in(ANA).status_code == 401
    stale = admin.post(path, seen_on="/staff/accounts", act="open", version=1)
    assert stale.status_code == 302
    assert "somebody changed this account meanwhile" in admin.page("/staff/accounts")
    admin.post(path, seen_on="/staff/accounts", act="open", version=2)
    assert nurse.sign_in(ANA).status_code == 302


def test_a_lost_phone_is_reset_by_an_administrator(admin: Visitor, nurse: Visitor, secret: str, staff_id: int) -> None:
    admin.post(f"/staff/accounts/{staff_id}/second-factor/reset", seen_on="/staff/accounts")
    assert nurse.get("/staff/patients").status_code == 302
    assert nurse.sign_in(ANA).location == "/staff/"


def test_an_invitation_opens_one_account_once(
    admin: Visitor, someone_new: Callable[[], Visitor], clock: FrozenClock, desk: Desk
) -> None:
    path = {"seen_on": "/staff/accounts"}
    page = admin.post("/staff/accounts/invite", email="New@Clinic.Example", role="nurse", **path).text
    link = re.search(r'id="link" readonly value="([^"]+)"', page)
    assert link
    token = link[1].partition("#")[2]
    assert link[1].startswith("https://pumpline.test/staff/invitation#")
    assert token not in admin.page("/staff/accounts")
    new = someone_new()
    form = {"seen_on": "/staff/invitation", "token": link[1], "name": "Noor New"}
    weak = new.post("/staff/invitation", password="clinic", **form)
    assert weak.status_code == 422
    assert "at least 12" in weak.text
    assert 'value="Noor New"' in weak.text
    assert new.post("/staff/invitation", password="the heron eats plums", **form).status_code == 302
    assert new.post("/staff/invitation", password="the heron eats plums", **form).status_code == 422
    assert new.sign_in("new@clinic.example", "the heron eats plums").status_code == 302
    assert "Noor New" in new.page("/staff/account")
    told = str([(event.verb, event.subject, event.detail) for event in desk.rows(AuditEvent)])
    assert "invited" in told
    assert "new@" not in told.lower()
    assert token not in told


def test_an_invitation_that_is_revoked_or_old_opens_nothing(
    admin: Visitor, someone_new: Callable[[], Visitor], clock: FrozenClock
) -> None:
    def invited(email: str) -> str:
        page = admin.post("/staff/accounts/invite", seen_on="/staff/accounts", email=email, role="nurse").text
        found = re.search(r'id="link" readonly value="([^"]+)"', page)
        assert found, page
        return found[1]

    def taken(link: str) -> int:
        form = {"token": link, "name": "N", "password": "the heron eats plums"}
        return someone_new().post("/staff/invitation", seen_on="/staff/invitation", **form).status_code

    revoked = invited("one@clinic.example")
    admin.post("/staff/accounts/invitations/1/revoke", seen_on="/staff/accounts")
    replaced, newer = invited("two@clinic.example"), invited("two@clinic.example")
    assert taken(revoked) == taken(replaced) == 422
    clock.forward(hours=73)
    assert taken(newer) == 422


def test_signing_in_and_out_is_in_the_audit_without_address_or_name(nurse: Visitor, desk: Desk) -> None:
    nurse.sign_in(ANA, "not the password")
    nurse.post("/staff/sign-out", seen_on="/staff/account")
    told = [(event.actor, event.verb, event.subject, str(event.detail)) for event in desk.rows(AuditEvent)]
    verbs = [verb for _, verb, _, _ in told]
    for verb in ("account opened", "signed in", "sign-in refused", "signed out"):
        assert verb in verbs, verb
    assert not any("ana" in str(row).lower().replace("read", "") and "@" in str(row) for row in told)


@pytest.mark.parametrize(("old", "status"), [("s" * 32, 200), (None, 400)])
def test_a_form_opened_before_the_secret_key_changed_is_taken_while_the_old_one_is_listed(
    settings: Settings, app: Flask, clock: FrozenClock, nurse: Visitor, old: str | None, status: int
) -> None:
    """A browser keeps its cookies and its open page; the server was restarted with another secret key."""
    changed = {"secret_key": SecretStr("t" * 32), "old_secret_keys": SecretStr(old) if old else None}
    renewed = create_app(settings.model_copy(update=changed), clock=clock)
    renewed.extensions["session_clock"] = clock
    token = TOKEN.search(nurse.get("/staff/account").text)
    assert token
    browser = renewed.test_client()
    for cookie in nurse.client._cookies.values():
        browser.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path)
    answer = browser.post("/staff/sign-out", data={"csrf_token": token[1]}, follow_redirects=True)
    assert answer.status_code == status
    renewed.extensions["line"].db.close()


def test_time_outs_follow_the_settings(settings: Settings, app: Flask, clock: FrozenClock, staff_id: int) -> None:
    changed = {"session_idle_minutes": 5, "session_hours": 1, "secret_key": SecretStr("t" * 32)}
    short = create_app(settings.model_copy(update=changed), clock=clock)
    short.extensions["session_clock"] = clock
    ana = Visitor(short.test_client())
    ana.sign_in(ANA)
    clock.forward(minutes=6)
    assert ana.get("/staff/patients").status_code == 302
    ana.sign_in(ANA)
    for _ in range(14):
        clock.forward(minutes=4)
        assert ana.get("/staff/patients").status_code == 200
    clock.forward(minutes=4)
    assert ana.get("/staff/patients").status_code == 302
    short.extensions["line"].db.close()

"""Single sign-on against a hospital's sign-in on loopback, honest and otherwise."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from pydantic import SecretStr, ValidationError

from app import create_app
from app.actions.invitations import invite
from app.settings import Settings
from tests.conftest import FrozenClock
from tests.fakes.oidc_server import CLIENT, FakeOidc
from tests.web.conftest import Visitor


@pytest.fixture
def hospital(clock: FrozenClock) -> Iterator[FakeOidc]:
    with FakeOidc(clock()) as fake:
        yield fake


@pytest.fixture
def visitor(settings: Settings, app: Flask, clock: FrozenClock, hospital: FakeOidc) -> Iterator[Visitor]:
    """A browser at a Pumpline that knows the hospital; every role needs a second factor there."""
    known = {
        "oidc_issuer": hospital.issuer,
        "oidc_client_id": CLIENT[0],
        "oidc_client_secret": SecretStr(CLIENT[1]),
        "second_factor_roles": "all",
    }
    flask = create_app(settings.model_copy(update=known), clock=clock)
    flask.extensions["session_clock"] = clock
    yield Visitor(flask.test_client())
    flask.extensions["line"].db.close()


def sign_in(visitor: Visitor, hospital: FakeOidc, **back: str) -> str:
    """Go to the hospital and come back; return where one lands."""
    there = visitor.get("/staff/sso?next=/staff/patients").location
    assert there.startswith(f"{hospital.issuer}/authorize?")
    state = hospital.sees(there)
    answer = visitor.client.get("/staff/sso/back", query_string={"state": state, "code": "a-code"} | back)
    return str(answer.location)


def test_who_has_an_account_is_signed_in_and_needs_no_second_factor_of_ours(
    visitor: Visitor, hospital: FakeOidc, staff_id: int
) -> None:
    assert "Sign in with your hospital account" in visitor.page("/staff/sign-in")
    assert sign_in(visitor, hospital) == "/staff/patients"
    assert visitor.get("/staff/patients").status_code == 200
    assert hospital.asked["redirect_uri"] == "https://pumpline.test/staff/sso/back"
    assert hospital.asked["scope"] == "openid email"


def test_who_has_neither_account_nor_invitation_stays_outside(visitor: Visitor, hospital: FakeOidc) -> None:
    assert sign_in(visitor, hospital).startswith("/staff/sign-in")
    assert "no account here has your e-mail address" in visitor.page("/staff/sign-in")


def test_an_invitation_is_taken_up_by_single_sign_on(
    visitor: Visitor, hospital: FakeOidc, staff_id: int, clock: FrozenClock
) -> None:
    line = visitor.client.application.extensions["line"]
    invite(line.db, 1, "new@clinic.example", "nurse", clock(), staff_id, "command")
    hospital.email = "New@Clinic.example"
    assert sign_in(visitor, hospital) == "/staff/patients"
    assert visitor.sign_in("new@clinic.example", "!").status_code == 401, "there is no password that opens it"


@pytest.mark.parametrize(
    "lie",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"aud": "somebody-else"}},
        {"claims": {"aud": ["pumpline", "other"], "azp": "other"}},
        {"claims": {"iss": "https://elsewhere.example"}},
        {"claims": {"exp": 1}},
        {"claims": {"iat": 99999999999}},
        {"claims": {"email_verified": False}},
        {"claims": {"email_verified": "true"}},
        {"claims": {"email": None}},
        {"unsigned": True},
        {"stranger": True},
        {"calls_itself": "https://elsewhere.example"},
    ],
    ids=str,
)
def test_an_answer_that_is_not_right_in_every_way_opens_nothing(
    visitor: Visitor, hospital: FakeOidc, staff_id: int, lie: dict[str, Any]
) -> None:
    there = visitor.get("/staff/sso").location
    state = hospital.sees(there)
    for name, value in lie.items():
        setattr(hospital, name, value)
    answer = visitor.client.get("/staff/sso/back", query_string={"state": state, "code": "a-code"})
    assert answer.location.startswith("/staff/sign-in")
    assert visitor.get("/staff/patients").location.startswith("/staff/sign-in")


def test_another_browsers_answer_a_second_use_and_a_refusal_open_nothing(
    visitor: Visitor, hospital: FakeOidc, staff_id: int
) -> None:
    assert sign_in(visitor, hospital, state="made-up").startswith("/staff/sign-in")
    assert sign_in(visitor, hospital, code="another-code").startswith("/staff/sign-in")
    assert sign_in(visitor, hospital, error="access_denied").startswith("/staff/sign-in")
    assert visitor.get("/staff/sso/back?state=x&code=a-code").location.startswith("/staff/sign-in")


def test_a_hospital_that_does_not_answer_leaves_the_password(
    visitor: Visitor, hospital: FakeOidc, staff_id: int
) -> None:
    hospital.down = True
    assert visitor.get("/staff/sso").location.startswith("/staff/sign-in")
    assert "does not answer: use your password" in visitor.page("/staff/sign-in")


def test_without_settings_there_is_no_single_sign_on(app: Flask) -> None:
    plain = Visitor(app.test_client())
    assert plain.get("/staff/sso").status_code == 404
    assert "hospital account" not in plain.page("/staff/sign-in")


@pytest.mark.parametrize("issuer", ["http://login.example.org", "ftp://x", "login.example.org", "https://x.example/?a"])
def test_an_issuer_must_be_an_https_address(settings: Settings, issuer: str) -> None:
    given = {"oidc_client_id": "a", "oidc_client_secret": "b", "oidc_issuer": issuer}
    with pytest.raises(ValidationError):
        Settings(**(settings.model_dump() | given))


def test_half_of_the_settings_is_refused(settings: Settings) -> None:
    with pytest.raises(ValidationError, match="go together"):
        Settings(**(settings.model_dump() | {"oidc_client_id": "a"}))

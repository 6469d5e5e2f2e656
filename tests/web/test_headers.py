"""What every answer carries, whatever its route."""

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.web.conftest import Visitor


def paths(app: Flask) -> list[tuple[str, str]]:
    """Return a request for every route: its first method, its address with 1 for every number."""
    found = []
    for rule in app.url_map.iter_rules():
        values: dict[str, int | str] = {name: "pumpline.css" if name == "filename" else 1 for name in rule.arguments}
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        found.append((method, build(app, rule, values)))
    return found


def build(app: Flask, rule: Rule, values: dict[str, int | str]) -> str:
    with app.test_request_context():
        return app.url_map.bind("pumpline.test").build(rule.endpoint, values)


@pytest.mark.parametrize("who", ["visitor", "nurse", "newcomer"])
def test_every_route_carries_the_security_headers(who: str, request: pytest.FixtureRequest) -> None:
    visitor: Visitor = request.getfixturevalue(who)
    everywhere = paths(visitor.client.application)
    assert len(everywhere) > 15
    for method, path in [*everywhere, ("GET", "/no/such/page"), ("DELETE", "/staff/")]:
        headers = visitor.client.open(path, method=method).headers
        assert headers["Content-Security-Policy"] == (
            "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
            "object-src 'none'"
        ), path
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert "camera=()" in headers["Permissions-Policy"], path
        if not path.startswith("/static/"):
            assert headers["Cache-Control"] == "no-store", path


def test_browsers_are_told_to_stay_on_https_where_the_public_address_is(visitor: Visitor, newcomer: Visitor) -> None:
    assert visitor.get("/").headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "Strict-Transport-Security" not in newcomer.get("/").headers


def test_static_files_may_be_kept_and_are_named_by_their_content(visitor: Visitor) -> None:
    page = visitor.page("/")
    assert "/static/pumpline.css?v=" in page
    assert "no-store" not in visitor.get("/static/pumpline.css").headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/staff/sign-in"])
def test_pages_hold_no_inline_style_script_or_handler(visitor: Visitor, path: str) -> None:
    page = visitor.page(path)
    assert " style=" not in page
    assert "<style" not in page
    assert "<script>" not in page
    assert " onclick=" not in page


def test_healthz_says_ok(visitor: Visitor) -> None:
    assert visitor.get("/healthz").json == {"ok": True}


def test_the_simulator_is_not_there_on_the_twilio_channel(visitor: Visitor) -> None:
    for path in ("/simulator", "/simulator?phone=1"):
        assert visitor.get(path).status_code == 404
    for path in ("pick", "send", "jump", "book", "settle"):
        assert visitor.post(f"/simulator/{path}").status_code == 404
    page = visitor.page("/")
    assert "imulator" not in page

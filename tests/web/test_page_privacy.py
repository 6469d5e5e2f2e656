"""Names, numbers and texts stay out of addresses and titles, and stay text whatever they hold."""

import re
from collections.abc import Callable

from app.actions.line import Line
from app.actions.receive_text import Received
from tests.conftest import Someone
from tests.web.conftest import Visitor

ATTACK = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'


def staff_paths(maria: Someone) -> list[str]:
    return ["/staff/", "/staff/patients", f"/staff/patients/{maria.id}", f"/staff/phones/{maria.phone_id}"]


def test_markup_in_texts_and_names_stays_text(
    nurse: Visitor, add_patient: Callable[..., Someone], texts: Callable[..., Received]
) -> None:
    mallory = add_patient(ATTACK, "+16145550151", family_name=ATTACK)
    texts(mallory.phone, ATTACK)
    texts(mallory.phone, f"ALARM {ATTACK}")
    for path in staff_paths(mallory):
        raw = nurse.get(path).text
        assert "<script>alert" not in raw, path
        assert "<img src=x" not in raw, path
        assert "49" not in re.findall(r"onerror=alert\(2\)&gt;(\d*)", raw), path
    searched = nurse.post("/staff/patients/search", seen_on="/staff/", query=ATTACK + "zz").text
    assert "<script>alert" not in searched


def test_no_name_number_or_text_in_any_address_or_title(
    nurse: Visitor, maria: Someone, texts: Callable[..., Received]
) -> None:
    texts(maria.phone, "ALARM secretword")
    for path in staff_paths(maria):
        page = nurse.page(path)
        addresses = re.findall(r'(?:href|action|hx-get|src)="([^"]*)"', page)
        titles = re.findall(r"<title>(.*?)</title>", page)
        assert titles
        for said in (*addresses, *titles):
            for secret in ("Maria", "Lopez", "555", "secretword"):
                assert secret.lower() not in said.lower(), (path, said)


def test_a_search_stands_in_no_address(nurse: Visitor, maria: Someone, add_patient: Callable[..., Someone]) -> None:
    add_patient("Mario", "+16145550152")
    answer = nurse.post("/staff/patients/search", seen_on="/staff/", query="Lopez")
    assert answer.status_code == 200
    assert "Lopez" not in answer.request.url


def test_the_form_cookie_holds_no_words_of_a_patient(nurse: Visitor, maria: Someone, line: Line) -> None:
    path = f"/staff/patients/{maria.id}"
    answer = nurse.post(f"{path}/reply", seen_on=path, body="secretword", phone=maria.phone_id)
    assert all("secretword" not in cookie for cookie in answer.headers.getlist("Set-Cookie"))

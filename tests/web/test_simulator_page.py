"""The simulator, as a newcomer uses it."""

import re
from html import unescape

from flask import Flask

from tests.conftest import FrozenClock
from tests.web.conftest import Visitor


def open_phone(newcomer: Visitor, name: str) -> str:
    """Return the address of a phone on the list."""
    page = newcomer.page("/simulator")
    for href, words in re.findall(r'<a class="pick" href="([^"]+)".*?</a>|x(y)?z', page, re.S):
        del words
        if name in page.split(f'href="{href}"')[1].split("</a>")[0]:
            return str(href)
    raise AssertionError(f"{name} is not on the list")


def send(newcomer: Visitor, phone: str, body: str) -> str:
    name = phone.rsplit("=", 1)[1]
    answer = newcomer.post("/simulator/send", seen_on=phone, phone=name, body=body)
    assert answer.status_code == 302
    assert answer.location == phone
    return newcomer.page(phone)


def test_a_misspelt_keyword_is_answered_and_explained(newcomer: Visitor) -> None:
    page = send(newcomer, open_phone(newcomer, "Maeve Hargreave"), "TRAVLE")
    assert "Reply MORE" in page
    assert "two letters swapped" in page
    assert "Answer travel, version 1, 2 segments" in page


def test_an_alarm_pages_the_on_call_phone_and_its_reply_acknowledges(simulator: Flask, newcomer: Visitor) -> None:
    page = send(newcomer, open_phone(newcomer, "Grace Oduya"), "ALARM")
    assert "Opened an alert for nurses" in page
    on_call = newcomer.page("/simulator?phone=on-call")
    code = re.search(r"urgent alert (\d{4})", on_call)
    assert code
    assert "Oduya" not in on_call.split('class="phone"')[1].split("</section>")[0]
    send(newcomer, "/simulator?phone=on-call", code[1])
    assert "Acknowledged from the on-call phone" in newcomer.page(open_phone(newcomer, "Grace Oduya"))


def test_someone_unknown_texts_before_having_a_row(newcomer: Visitor) -> None:
    assert "No texts yet" in newcomer.page("/simulator?phone=unknown")
    assert "is this the pump people" in send(newcomer, "/simulator?phone=unknown", "is this the pump people")


def test_any_number_can_be_typed_and_stays_out_of_the_address(newcomer: Visitor) -> None:
    answer = newcomer.post("/simulator/pick", seen_on="/simulator", number="(614) 555-0123")
    assert re.fullmatch(r"/simulator\?phone=\d+", answer.location)
    assert "614-555-0123" in newcomer.page(answer.location)
    newcomer.post("/simulator/pick", seen_on="/simulator", number="12", phone="unknown")
    assert "not a complete phone number" in newcomer.page("/simulator?phone=unknown")


def test_book_jump_and_a_reminder_arrives(newcomer: Visitor) -> None:
    phone = open_phone(newcomer, "Grace Oduya")
    patient = re.search(r'name="patient" value="(\d+)"', newcomer.page(phone))
    assert patient
    name = phone.rsplit("=", 1)[1]
    newcomer.post("/simulator/book", seen_on=phone, phone=name, patient=patient[1], starts_at="2026-11-28T10:30")
    page = newcomer.page(phone)
    assert "Texts to come" in page
    assert "Jump to Grace's next text, Thu 10:00 EST" in page
    newcomer.post("/simulator/jump", seen_on=phone, phone=name, by="own")
    page = newcomer.page(phone)
    assert "Sent the 2-day reminder" in page
    assert "Reply 1 if you will come" in page  # the visit is two days ahead, and nobody has confirmed it
    assert "delivered" in page


def test_jumping_past_a_visit_brings_the_missed_refill_text(newcomer: Visitor) -> None:
    phone = open_phone(newcomer, "Maeve Hargreave")
    name = phone.rsplit("=", 1)[1]
    newcomer.post("/simulator/jump", seen_on=phone, phone=name, by="7")
    page = newcomer.page(phone)
    assert "The visit counts as missed" in page
    assert "Opened a task: missed refill" in page
    assert "Sent the missed-refill text" in page


def test_marking_attended_stops_what_is_pending(newcomer: Visitor) -> None:
    phone = open_phone(newcomer, "Maeve Hargreave")
    page = newcomer.page(phone)
    fields = dict(re.findall(r'name="(patient|visit|version)" value="(\d+)"', page.split("/simulator/settle")[1]))
    name = phone.rsplit("=", 1)[1]
    newcomer.post("/simulator/settle", seen_on=phone, phone=name, as_="attended", **fields)
    assert "marked attended" in newcomer.page(phone)
    newcomer.post("/simulator/settle", seen_on=phone, phone=name, as_="attended", **fields)
    assert "this visit was settled meanwhile" in newcomer.page(phone)


def test_a_phone_that_is_off_shows_why_a_text_failed(newcomer: Visitor) -> None:
    phone = open_phone(newcomer, "Dewey Tillman")
    send(newcomer, phone, "TRAVEL")
    newcomer.post("/simulator/jump", seen_on=phone, phone=phone.rsplit("=", 1)[1], by="1")
    assert "not delivered: phone off or out of reach" in newcomer.page(phone)


def test_texts_of_every_kind_arrive(newcomer: Visitor) -> None:
    phone = open_phone(newcomer, "Maeve Hargreave")
    for body in ("", " ", "🫠" * 400, "x" * 5000, "a\0b", "<script>alert(1)</script>", "line\r\nline"):
        send(newcomer, phone, body)
    assert "<script>alert(1)" not in newcomer.get(phone).text


def test_nonsense_in_an_address_is_not_found(newcomer: Visitor) -> None:
    for name in ("9999", "x", "-1", "+16145550142", "1" * 40, "٣"):
        assert newcomer.get("/simulator").status_code == 200
        assert newcomer.client.get("/simulator", query_string={"phone": name}).status_code == 404


def test_the_clock_is_the_clinics_and_the_phones(newcomer: Visitor, clock: FrozenClock) -> None:
    page = unescape(newcomer.page(open_phone(newcomer, "Maeve Hargreave")))
    assert "Mon 23-Nov-2026, 10:00" in page
    assert "09:00 CST for Maeve" in page

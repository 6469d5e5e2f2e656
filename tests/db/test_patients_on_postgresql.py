"""The patients' pages on PostgreSQL: filters, search, time line, contacts, and the file."""

from flask import Flask
from sqlalchemy import select

from app.actions.index_names import index_names
from app.actions.line import Line
from app.actions.prepare import DEMO_SIGN_IN
from app.db.people import Contact, Patient, Staff
from app.domain.permissions import Role
from tests.db.test_postgresql import MONDAY, app, line, pytestmark, says, url
from tests.web.conftest import Visitor

__all__ = ["app", "line", "pytestmark", "url"]  # the stage is that of the other stories
LIST = "/staff/patients"


def test_the_list_the_search_and_one_patient(app: Flask, line: Line) -> None:
    says(line, "does the pump make noise?", "SM1")
    index_names(line, MONDAY)
    with line.db.begin() as session:
        for account in session.scalars(select(Staff)):
            account.role = Role.LEAD_NURSE
        maeve = session.scalars(select(Contact.patient_id).order_by(Contact.id)).first()
        everybody = len(session.scalars(select(Patient.id)).all())
    browser = Visitor(app.test_client())
    browser.sign_in(*DEMO_SIGN_IN)
    page = browser.page(LIST)
    assert f"{everybody} patients" in page
    for asked in ("visit=late", "visit=in_time", "visit=none", "visit=missed", "left=14", "phone=ok", "phone=failed"):
        assert browser.get(f"{LIST}?{asked}&sort=visit").status_code == 200, asked
    for query in ("HARG", "quispe", "(614) 555-0142"):
        assert browser.post(f"{LIST}/search", seen_on=LIST, query=query).status_code == 302, query
    one = f"{LIST}/{maeve}"
    assert "does the pump make noise?" in browser.page(f"{one}/timeline?show=texts&before=4102444800000000-0-1")
    form = {"kind": "carer", "number": "614 555 0127", "name": "Fiona", "way": "signed", "told_if_missed": "1"}
    assert browser.post(f"{one}/contacts", seen_on=f"{one}/contacts", **form).status_code == 302
    assert "Only that a visit was missed" in browser.page(f"{one}/contacts")
    assert browser.get(one).status_code == 200
    file = browser.post(f"{LIST}/export", seen_on=LIST)
    assert file.text.count("\r\n") == everybody + 1

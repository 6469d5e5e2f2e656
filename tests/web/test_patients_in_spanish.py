"""The list of patients and their visits for a nurse who reads Spanish: her words change, values and files do not."""

import pytest

from app.actions.add_staff import add_staff
from app.actions.line import Line
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import PASSWORD, Visitor

LIST = "/staff/patients"


@pytest.fixture
def lead(app: object, visitor: Visitor, line: Line, clock: FrozenClock) -> Visitor:
    """Olu, a lead nurse, whose browser asks for Spanish."""
    add_staff(line.db, "olu@clinic.example", "Olu Adeyemi", "lead_nurse", PASSWORD, clock())
    visitor.headers["Accept-Language"] = "es"
    assert visitor.sign_in("olu@clinic.example").status_code == 302
    return visitor


def test_the_list_says_its_words_in_spanish_and_keeps_its_values(lead: Visitor, maria: Someone, desk: Desk) -> None:
    desk.fills(maria, 60)
    page = lead.page(f"{LIST}?sort=visit")
    assert "1 paciente" in page
    assert '<option value="opted_out">' in page
    assert '<option value="en">Inglés</option>' in page
    assert "Guardar esta vista" in page
    assert "0 pacientes cumplen estos filtros" in lead.page(f"{LIST}?language=es")


def test_a_view_is_kept_as_it_was_named(lead: Visitor, maria: Someone) -> None:
    answer = lead.post(f"{LIST}/views", seen_on=LIST, name="Remove", sort="visit")
    assert answer.status_code == 302
    page = lead.page(f"{LIST}?sort=visit")
    assert "La vista está guardada." in page
    assert "Quitar la vista Remove" in page
    assert "elija primero un filtro o un orden" in lead.post(f"{LIST}/views", seen_on=LIST, name="x").text.lower()


def test_a_file_is_in_english_for_every_reader(lead: Visitor, maria: Someone) -> None:
    answer = lead.post(f"{LIST}/export", seen_on=LIST)
    rows = answer.text.lstrip("\ufeff").splitlines()
    assert rows[0].startswith("family name,given name,born,")
    assert ",English," in rows[1]


def test_visits_are_booked_in_spanish(lead: Visitor, maria: Someone) -> None:
    page = f"{LIST}/{maria.id}"
    answer = lead.post(f"{page}/visits", seen_on=page, starts_at="2027-03-14T02:30")
    assert answer.status_code == 422
    assert "las 02:30 no existen. Elija las 03:00 o más tarde." in answer.text
    assert lead.post(f"{page}/visits", seen_on=page, starts_at="2026-11-26T10:00").status_code == 302
    assert "Cita reservada: jue 26-nov, 10:00 EST. Los recordatorios están previstos." in lead.page(page)

"""The pump's pages for a nurse who reads Spanish: every word in Spanish, and every number as it is in English."""

import re

import pytest

from app.db.care import EntryState, Refill
from tests.conftest import Desk, FrozenClock, Someone
from tests.web.conftest import Visitor
from tests.web.test_pump_pages import REFILL, read, save

NUMBER = re.compile(r"\d[\d.,]*")


@pytest.fixture
def page(maria: Someone) -> str:
    return f"/staff/patients/{maria.id}/pump"


def in_spanish(nurse: Visitor) -> Visitor:
    nurse.headers = {"Accept-Language": "es"}
    return nurse


def lines(html: str, place: str) -> list[str]:
    """Return what stands in the cells of a table, from a place on."""
    return re.findall(r"<t[dh][^>]*>(?:<time[^>]*>)?([^<]+)", html.partition(place)[2])


def test_a_checked_refill_shows_the_same_numbers_in_both_languages(nurse: Visitor, page: str) -> None:
    typed = REFILL | {"boluses_per_day": "1.5", "bolus_mcg": "12.5", "reservoir_volume_ml": "19.5"}
    english = lines(read(nurse.post(f"{page}/refill", seen_on=page, do="check", **typed)), 'class="compare"')
    spanish = lines(
        read(in_spanish(nurse).post(f"{page}/refill", seen_on=page, do="check", **typed)), 'class="compare"'
    )
    assert "400 mcg a day, and 1.5 boluses of 12.5 mcg a day" in english
    assert "400 mcg al día, y 1.5 bolos de 12.5 mcg al día" in spanish
    assert {"2,000 mcg/mL", "19.5 mL"} <= set(english) & set(spanish)
    assert [NUMBER.findall(line) for line in english] == [NUMBER.findall(line) for line in spanish]


def test_a_refill_is_recorded_in_spanish(nurse: Visitor, page: str, desk: Desk) -> None:
    assert "Aún sin fechas" in in_spanish(nurse).page(page)
    assert save(nurse, page, **REFILL).status_code == 302
    shown = nurse.page(page)
    assert "La recarga está registrada. Fije la próxima recarga a más tardar el mar 9-feb-2027." in shown
    assert "2,000 mcg/mL, 400 mcg al día" in shown
    assert [row.state for row in desk.rows(Refill)] == [EntryState.EFFECTIVE]


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("reservoir_volume_ml", "", "Indique el volumen que hay ahora en el reservorio."),
        ("aspirated_ml", "2,5", "Escríbalo con punto decimal y sin separador de miles: 1500 o 2.5."),
        ("daily_dose_mcg", "400 mcg", "Escriba solo un número, como 40 o 2.5, sin unidad."),
        ("filled_on", "2026-02-30", "Indique el día de la recarga, por ejemplo 2026-11-23."),
        ("dose_tue", "400", "elija «Una dosis para cada día de la semana» o déjelas vacías."),
    ],
)
def test_a_slip_is_told_in_spanish(nurse: Visitor, page: str, name: str, typed: str, said: str) -> None:
    answer = in_spanish(nurse).post(f"{page}/refill", seen_on=page, do="check", **(REFILL | {name: typed}))
    assert (answer.status_code, said in read(answer)) == (422, True)


def test_the_weekdays_are_named_in_spanish_and_posted_as_ever(nurse: Visitor, page: str) -> None:
    week = {f"dose_{day}": "400" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    assert 'name="dose_sat"' in in_spanish(nurse).page(page)
    save(nurse, page, **(REFILL | {"week": "each", "daily_dose_mcg": ""} | week))
    assert "lun 400, mar 400, mié 400, jue 400, vie 400, sáb 400, dom 400 mcg" in nurse.page(page)


def test_the_second_person_is_asked_in_spanish(
    nurse: Visitor, page: str, maria: Someone, clock: FrozenClock, desk: Desk
) -> None:
    save(in_spanish(nurse), page, **REFILL)
    clock.forward(days=1)
    nurse.sign_in("ana@clinic.example")
    save(nurse, page, **(REFILL | {"filled_on": "2026-11-24", "daily_dose_mcg": "600"}))
    assert "Espera a una segunda persona" in nurse.page(page)
    asked = nurse.page(f"/staff/patients/{maria.id}/refill")
    assert "La dosis o la concentración cambia más del 25 %." in asked
    assert "¿Quién es usted?" in asked


def test_the_lists_are_in_spanish(nurse: Visitor, page: str) -> None:
    save(in_spanish(nurse), page, **REFILL)
    due = nurse.page("/staff/refills")
    assert "Recargas pendientes" in due
    assert "Sin cita" in due
    assert "No hay citas reservadas para hoy" in nurse.page("/staff/refill-day")

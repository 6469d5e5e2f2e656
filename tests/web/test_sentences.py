"""What the system says of its own accord, in Spanish: refusals, reasons of tasks and texts, the trace of a text."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from app.actions.line import Line
from app.actions.receive_text import InboundText, receive_text
from app.actions.room import why_no_room
from app.db.care import Reminder
from app.db.messages import InboundMessage, OutboundMessage
from app.db.people import Phone
from app.db.supply import CareStep, Supply
from app.db.work import Task
from app.domain.consent_scope import WAYS, Scope
from app.domain.delivery import failure
from app.domain.escalation import Do, Standing, missed_reason, supply_step
from app.domain.patient_filters import FACETS, SORTS
from app.domain.pump import Fill, Limits, Program, PumpRefused, aspirated, check, needs_second_person, refill_dates
from app.domain.triage import so_far
from app.domain.visit_hours import ClinicDay
from app.web.language import tr
from scheduler.ladders import rung_for
from tests.conftest import FrozenClock
from tests.web.conftest import Visitor

SPANISH = {"Accept-Language": "es"}
MONDAY = date(2026, 11, 23)
# what patients text, of every kind that is told apart
TEXTS = (
    "my pump is beeping", "2", "yes", "he is sleepy and feels odd", "can i fly with my pump?", "TRAVLE", "more",
    "menu", "how much baclofen should i take", "what is the capital of France", "blue", "I need another time",
    "cancel my visit", "running late", "when is my refill?", "can i talk to a person", "wrong number",
    "habla espanol?", "thank you", "my refill was last week and I missed it", "I want to kill myself", "hello?",
    "STOP", "are you there", "START", "HELP",
)  # fmt: skip


@pytest.fixture
def spanish(app: Flask) -> Iterator[None]:
    with app.test_request_context("/staff/", headers=SPANISH):
        yield


# ── what stands in the database ──────────────────────────────────────────────────────────────────────


def _texted(line: Line, now: datetime) -> None:
    """Have every phone of the demo text something of every kind."""
    with line.db.read() as session:
        numbers = [phone.number for phone in session.scalars(select(Phone).order_by(Phone.id))]
    for n, body in enumerate(TEXTS):
        for place, number in enumerate((numbers[n % len(numbers)], numbers[0])):
            receive_text(line, InboundText(f"SM{n}x{place}", number, "+16145550100", body), now)


def _said(line: Line) -> set[str]:
    with line.db.read() as session:
        columns = (
            *(Task.reason, OutboundMessage.reason, Reminder.reason, CareStep.reason),
            *(Supply.problem, Supply.plan_by_because),
        )
        found = {words for column in columns for words in session.scalars(select(column)) if words}
        return found.union(*(json.loads(trace) for trace in session.scalars(select(InboundMessage.trace)) if trace))


def test_every_reason_and_trace_of_the_demo_and_its_next_week_has_its_spanish(
    simulator: Flask, newcomer: Visitor, clock: FrozenClock
) -> None:
    line: Line = simulator.extensions["line"]
    _texted(line, clock())
    newcomer.post("/simulator/jump", seen_on="/simulator", by="7")
    said = _said(line)
    assert len(said) > 60
    with simulator.test_request_context("/staff/", headers=SPANISH):
        assert sorted(words for words in said if tr(words) == words) == []


# ── sentences as the code makes them ─────────────────────────────────────────────────────────────────

SAID = (
    ("pump alarm", "alarma de la bomba"),
    (
        "this visit is 3 days after the plan-by date, 19-Nov-2026 (early edge of the low reservoir alarm date, less "
        "3 lead days): choose an earlier day, or give a reason",
        "esta cita es 3 días después de la fecha límite, 19-nov-2026 (borde temprano de la fecha de la alarma de "
        "reservorio bajo, menos 3 días de antelación): elija un día anterior o indique un motivo",
    ),
    (
        "this visit is 1 day after the plan-by date, 02-Dec-2026 (drug stability limit of 180 days, by the dose that "
        "waits): choose an earlier day, or give a reason",
        "esta cita es 1 día después de la fecha límite, 2-dic-2026 (límite de estabilidad del fármaco de 180 días, "
        "según la dosis en espera): elija un día anterior o indique un motivo",
    ),
    (
        "the clinic's longest interval of 90 days, less 1 lead day",
        "intervalo más largo de la clínica, de 90 días, menos 1 día de antelación",
    ),
    (
        "this patient is paused: set the state to active before booking",
        "este paciente está en pausa: póngalo en activo antes de reservar",
    ),
    ("this visit is cancelled: book a new one", "esta cita está cancelada: reserve una nueva"),
    ("this entry does not wait: it is declined", "esta entrada no está en espera: está rechazada"),
    (
        "Thu 26-Nov-2026 is full, with 8 of 8 visits: choose another day, or give a reason",
        "jue 26-nov-2026 está completo, con 8 de 8 citas: elija otro día o indique un motivo",
    ),
    (
        "the clinic is closed on Thu 26-Nov-2026 (Thanksgiving): choose another day, or give a reason",
        "la clínica está cerrada el jue 26-nov-2026 (Thanksgiving): elija otro día o indique un motivo",
    ),
    (
        "no visits are planned on Saturdays: choose another day, or give a reason",
        "los sábados no hay citas previstas: elija otro día o indique un motivo",
    ),
    (
        "it is no longer right (moved by then): write a new text, or call",
        "ya no es correcto (para entonces la cita se había cambiado): escriba un mensaje nuevo o llame",
    ),
    ("too long: 1700 characters, at most 1600", "demasiado largo: 1700 caracteres, como máximo 1600"),
    ("fill in {visit_day} first", "complete primero {visit_day}"),
    ("fill in {visit_day} and {visit_time} first", "complete primero {visit_day} y {visit_time}"),
    (
        "too many tries: wait 5 min",
        "demasiados intentos: espere 5 min",
    ),
    (
        "Write a day like 27-Nov-2026, 2026-11-27, today, +10d, +2w or +3m.",
        "Escriba un día como 27-nov-2026, 2026-11-27, hoy, +10d, +2s o +3m.",
    ),
    (
        "the pump was filled on 02-Nov-2026: a change before that changes no date any more",
        "la bomba se recargó el 2-nov-2026: un cambio anterior ya no cambia ninguna fecha",
    ),
    (
        "2026-10-01 is before the refill on 2026-11-02: choose that day or a later one",
        "2026-10-01 es anterior a la recarga del 2026-11-02: elija ese día o uno posterior",
    ),
    (
        "a concentration of 0.5 mcg/mL looks like mg/mL: did you mean 500?",
        "una concentración de 0.5 mcg/mL parece estar en mg/mL: ¿quiso decir 500?",
    ),
    (
        "a concentration of 750 mcg/mL is not one this clinic uses (500, 1000, 2000): check the label, then confirm it",
        "una concentración de 750 mcg/mL no es de las que usa esta clínica (500, 1000, 2000): revise la etiqueta y "
        "después confírmela",
    ),
    (
        "a reservoir volume of 41 mL is over the pump's size of 40 mL: check both",
        "un volumen del reservorio de 41 mL supera el tamaño de la bomba, de 40 mL: revise los dos",
    ),
    (
        "the alarm volume of 20 mL is not less than the reservoir volume of 18 mL: check both",
        "el volumen de alarma, de 20 mL, no es menor que el volumen del reservorio, de 18 mL: revise los dos",
    ),
    ("the concentration must be more than 0: check it", "concentración: debe ser mayor que 0; revíselo"),
    (
        "the number of boluses a day must not be less than 0: check it",
        "número de bolos al día: no debe ser menor que 0; revíselo",
    ),
    (
        "the drug stability limit must be more than 0 days: check it",
        "límite de estabilidad del fármaco: debe ser mayor que 0 días; revíselo",
    ),
    ("the lead must not be less than 0 days: check it", "antelación: no debe ser menor que 0 días; revíselo"),
    (
        "a daily dose of 0.4 mcg looks like mg: did you mean 400 mcg?",
        "una dosis diaria de 0.4 mcg parece estar en mg: ¿quiso decir 400 mcg?",
    ),
    (
        "waits for a second member of staff: mean daily dose up from 400 to 600 mcg, more than 25 %",
        "a la espera de una segunda persona del equipo: la dosis diaria media sube de 400 a 600 mcg, más del 25 %",
    ),
    (
        "mean daily dose down from 600 to 400 mcg, more than 25 %; concentration up from 500 to 2000 mcg/mL, more than "
        "25 %",
        "la dosis diaria media baja de 600 a 400 mcg, más del 25 %; la concentración sube de 500 a 2000 mcg/mL, más "
        "del 25 %",
    ),
    (
        "check pump: 9 mL aspirated, 4 mL expected: 5 mL more, limit 2 mL",
        "revisar la bomba: 9 mL aspirados, 4 mL esperados: 5 mL más, límite 2 mL",
    ),
    (
        "3.5 mL aspirated, 4 mL expected: 0.5 mL less, limit 2 mL",
        "3.5 mL aspirados, 4 mL esperados: 0.5 mL menos, límite 2 mL",
    ),
    (
        "aspirated 9 mL where 4 mL were expected, 5 mL more: check the pump",
        "se aspiraron 9 mL donde se esperaban 4 mL, 5 mL más: revisar la bomba",
    ),
    (
        "the dates of the pump are in doubt: the concentration changed without a refill: check the record",
        "las fechas de la bomba son dudosas: la concentración cambió sin una recarga: revise el registro",
    ),
    (
        "an entry for 23-Nov-2026 was declined: read the pump, and record what it shows",
        "se rechazó una entrada del 23-nov-2026: leer la bomba y registrar lo que muestra",
    ),
    (
        "booked 4 days after the plan-by date, and nobody said why: find an earlier day, or give the reason",
        "cita 4 días después de la fecha límite, y nadie dijo por qué: buscar un día anterior o indicar el motivo",
    ),
    (
        "14 days of drug left by the early edge, no visit is booked in time: call",
        "quedan 14 días de fármaco según el borde temprano, no hay cita reservada a tiempo: llamar",
    ),
    (
        "3 days of drug left by the early edge, missed, and not booked again: call (opted out of texts)",
        "quedan 3 días de fármaco según el borde temprano, no acudió y no tiene cita nueva: llamar (dado de baja de "
        "los mensajes)",
    ),
    (
        "1 day of drug left by the early edge, and nobody has taken it on",
        "queda 1 día de fármaco según el borde temprano, y nadie se ha hecho cargo",
    ),
    (
        "7 days of drug left by the early edge: seen 9-Nov, the volumes never recorded: read the pump, record",
        "quedan 7 días de fármaco según el borde temprano: acudió el 9-nov y los volúmenes no se registraron: leer la "
        "bomba y registrar",
    ),
    (
        "the visit leaves 1 day of drug behind it: make sure that it happens",
        "la cita deja un margen de 1 día de fármaco: asegurar que se haga",
    ),
    (
        "missed a refill visit, 10 days of drug left by the early edge: call today",
        "no acudió a una recarga, quedan 10 días de fármaco según el borde temprano: llamar hoy",
    ),
    (
        "missed a refill visit, had confirmed, 1 day of drug left by the early edge: call now",
        "no acudió a una recarga que había confirmado, queda 1 día de fármaco según el borde temprano: llamar ahora",
    ),
    (
        "the pump must be replaced within 3 months: no referral is sent",
        "hay que reemplazar la bomba en un plazo de 3 meses: no se ha enviado ninguna remisión",
    ),
    (
        "the replacement indicator shows: at most 14 days until the pump may stop, the referral is received",
        "el indicador de reemplazo está activo: como máximo 14 días hasta que la bomba pueda detenerse, la remisión "
        "está recibida",
    ),
    (
        "asked for another time: find a day on or before 19-Nov-2026",
        "pidió otra hora: buscar un día no posterior al 19-nov-2026",
    ),
    (
        "opted out of texts: call about the visit instead",
        "dado de baja de los mensajes: llamar por la cita",
    ),
    (
        "a text did not arrive: phone off or out of reach",
        "un mensaje no llegó: teléfono apagado o fuera de cobertura",
    ),
    (
        "a page to the on-call phone failed: the provider refused it (error 30999)",
        "falló un aviso al teléfono de guardia: el proveedor lo rechazó (error 30999)",
    ),
    ("the provider refused it (error without a code)", "el proveedor lo rechazó (error sin código)"),
    (
        "Answered yes: very sleepy, limp or dizzy. breathing slow or hard, or hard to wake: no; fever or confused: no; "
        "itching or tighter muscles: no; very sleepy, limp or dizzy: yes",
        "Respondió que sí: mucho sueño, cuerpo flojo o mareo. respiración lenta o difícil, o cuesta despertar a la "
        "persona: no; fiebre o confusión: no; comezón o músculos más tensos: no; mucho sueño, cuerpo flojo o mareo: sí",
    ),
    (
        "May be an emergency, not clear which. breathing slow or hard, or hard to wake: no",
        "Puede ser una emergencia, no está claro cuál. respiración lenta o difícil, o cuesta despertar a la persona: "
        "no",
    ),
    (
        "Urgent (pump alarm): emergency words first, and an alert for the nurses",
        "Urgente (alarma de la bomba): primero las palabras de emergencia, y una alerta para enfermería",
    ),
    (
        "'pump is beeping' may be an emergency (alarm); it also asks for: cancel appointment",
        "'pump is beeping' puede ser una emergencia (alarma); también pide: cancelar la cita",
    ),
    (
        "'no puede respirar' may be an emergency (breathing). The carrier took this as STOP",
        "'no puede respirar' puede ser una emergencia (respiración). El operador lo tomó como STOP",
    ),
    ("TRAVLE is TRAVEL, two letters swapped", "TRAVLE es TRAVEL, con dos letras intercambiadas"),
    ("Answer travel, version 5", "Respuesta travel, versión 5"),
    ("The answer travel did not help: recorded", "La respuesta travel no sirvió: registrado"),
    ('"1" answers our question about the visit', '"1" responde a nuestra pregunta sobre la cita'),
    ("Our question (fever or confused): yes", "Nuestra pregunta (fiebre o confusión): sí"),
    ("said so by phone: rang on Friday", "lo dijo por teléfono: rang on Friday"),
    ("removed: the patient's own phone", "se quitó: el teléfono del propio paciente"),
)  # fmt: skip


@pytest.mark.parametrize(("english", "said"), SAID)
def test_a_sentence_is_found_with_what_stands_in_it(spanish: None, english: str, said: str) -> None:
    assert tr(english) == said


def _made() -> Iterator[str]:
    """Yield sentences out of the code itself: one whose words change there is noticed here."""
    mcg, ml = Decimal(1000), Decimal(40)
    fill, program = Fill(MONDAY, ml), Program(mcg, daily_dose_mcg=Decimal(400))
    for lead in (0, 1, 5):
        for longest in (None, 30):
            limits = Limits(stability_days=180, max_interval_days=longest, lead_days=lead)
            yield refill_dates(fill, program, limits).plan_by_because
    for concentration in (500, 2000):
        for dose in (200, 400, 800):
            new = Program(Decimal(concentration), daily_dose_mcg=Decimal(dose))
            yield needs_second_person(program, new) or ""
    for found in (0, 4, 5, 40):
        yield aspirated(Decimal(4), Decimal(found)).finding
    for left in range(20):
        for missed in (False, True):
            for seen in (None, MONDAY - timedelta(days=20)):
                for visit in (None, MONDAY + timedelta(days=max(0, left - 2))):
                    empty = MONDAY + timedelta(days=left)
                    standing = Standing(MONDAY, empty, empty, visit_on=visit, missed=missed, seen_on=seen)
                    for step in ("book:28", "left:14", "left:7", "left:3", "owner:1"):
                        decided = supply_step(step, standing)
                        yield (decided.task or decided.alert) if isinstance(decided, Do) else decided.reason
        yield missed_reason(left, rung_for(left), confirmed=left % 2 == 0)
    yield missed_reason(None, rung_for(None), confirmed=False)
    for n in range(7):
        yield why_no_room(ClinicDay(MONDAY + timedelta(days=n), 0, 0))
        yield why_no_room(ClinicDay(MONDAY + timedelta(days=n), 8, 8))
    yield why_no_room(ClinicDay(MONDAY, 8, 2, closed="Thanksgiving"))
    for answered in range(1, 6):
        yield so_far(("no",) * answered)
    for code in (20003, 20429, 21211, 21610, 21611, 21614, 21617, 30001, 30003, 30004, 30005, 30006, 30007, 30008,
                 30019, 30034, 63014, 12345, None):  # fmt: skip
        yield failure(400, code).reason
    for filled in ((41, 1000), (39, 750), (39, 1), (39, 5)):
        try:
            check(Fill(MONDAY, Decimal(filled[0])), Program(Decimal(filled[1]), Decimal(100)), today=MONDAY)
        except PumpRefused as refused:
            yield str(refused)
    for title, options in FACETS.values():
        yield from (title, *options.values())
    yield from (*SORTS.values(), *WAYS.values())
    yield from (Scope(reminders, missed).said for reminders in (True, False) for missed in (True, False))


def test_what_the_code_makes_is_known(spanish: None) -> None:
    made = {words for words in _made() if words}
    assert len(made) > 150
    assert sorted(words for words in made if tr(words) == words) == []


def test_words_of_people_stay_as_they_are(spanish: None) -> None:
    for words in ("she said she would call back", "day off for Sam and Max", "rang twice: no answer"):
        assert tr(words) == words

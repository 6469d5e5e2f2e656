"""Instants are aware UTC and doses exact, whatever the database would make of them."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import DateTime, create_engine, select, text
from sqlalchemy.exc import StatementError

from app.db.care import Program, Pump
from app.db.engine import Database
from app.db.people import Clinic, Patient, PatientState
from app.db.types import Instant
from app.db.work import AuditEvent
from tests.db.conftest import NOW


def test_a_naive_datetime_is_refused(db: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), db.begin() as session:  # noqa: PT012
        session.add(AuditEvent(at=datetime(2026, 11, 23, 10, 0), actor="a", verb="v", subject="s"))  # noqa: DTZ001
        session.flush()


def test_an_instant_comes_back_as_the_same_instant_in_utc(db: Database) -> None:
    there = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))
    with db.begin() as session:
        session.add(AuditEvent(at=there, actor="a", verb="v", subject="s"))
    with db.read() as session:
        at = session.scalars(select(AuditEvent.at).where(AuditEvent.actor == "a")).one()
        assert (at, at.utcoffset()) == (there, timedelta(0))
        assert session.scalars(select(AuditEvent.id).where(AuditEvent.at == there)).all()


def test_the_hour_that_comes_twice_is_two_hours(db: Database) -> None:
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    second = first.replace(fold=1)
    with db.begin() as session:
        session.add_all(
            AuditEvent(at=at, actor="twice", verb=verb, subject="s") for verb, at in (("1", first), ("2", second))
        )
    with db.read() as session:
        query = select(AuditEvent.at).where(AuditEvent.actor == "twice").order_by(AuditEvent.verb)
        assert [at.hour for at in session.scalars(query)] == [5, 6]


def program(db: Database, dose: object) -> None:
    with db.begin() as session:
        patient = Patient(
            clinic_id=session.scalars(select(Clinic.id)).one(),
            mrn="1",
            mrn_hash="1",
            given_name="Maria",
            family_name="Lopez",
            language="en",
            time_zone="UTC",
            state=PatientState.ACTIVE,
            created_at=NOW,
        )
        session.add(patient)
        session.flush()
        pump = Pump(patient_id=patient.id, model="X", reservoir_size_ml=Decimal("40.0"), created_at=NOW)
        session.add(pump)
        session.flush()
        session.add(
            Program(
                pump_id=pump.id,
                effective_on=date(2026, 1, 2),
                concentration_mcg_per_ml=Decimal(2000),
                daily_dose_mcg=dose,
                alarm_volume_ml=Decimal("2.00"),
                created_at=NOW,
            )
        )


@pytest.mark.parametrize("dose", ["0.1", "287.35", "1E+3", "123456789.123456789", "0.10"])
def test_a_dose_is_exact_to_the_last_digit(dose: str, db: Database) -> None:
    program(db, Decimal(dose))
    with db.read() as session:
        kept = session.scalars(select(Program)).one()
        assert (kept.daily_dose_mcg, kept.alarm_volume_ml) == (Decimal(dose), Decimal("2.00"))
        assert isinstance(kept.daily_dose_mcg, Decimal)
    with db.engine.connect() as connection:
        assert connection.execute(text("SELECT typeof(daily_dose_mcg) FROM program")).scalar_one() == "text"


@pytest.mark.parametrize("dose", [0.1, 287, "287.35"])
def test_a_dose_that_is_no_decimal_is_refused(dose: object, db: Database) -> None:
    with pytest.raises(StatementError, match="Decimal"):
        program(db, dose)


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        datetime(2026, 7, 4, 9, 30, tzinfo=ZoneInfo("America/New_York")),
        datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=14))),
        datetime(9, 1, 1, tzinfo=UTC),
    ],
)
def test_an_instant_stands_in_sqlite_as_sqlalchemys_own_type_would_write_it(at: datetime) -> None:
    dialect = create_engine("sqlite://").dialect
    ours = Instant().dialect_impl(dialect).bind_processor(dialect)
    theirs = DateTime().dialect_impl(dialect).bind_processor(dialect)
    assert ours is not None
    assert theirs is not None
    assert ours(at) == theirs(at.astimezone(UTC).replace(tzinfo=None))
    assert ours(None) is None
    with pytest.raises(ValueError, match="naive"):
        ours(at.replace(tzinfo=None))

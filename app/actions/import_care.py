"""Second pass of an import, what the pump holds: pumps, programs, refills."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.actions.import_rows import Tally, differing, insert_returning
from app.db.care import EntryState, Program, Pump, Refill
from app.db.people import Clinic
from app.integrations.csv_columns import Values


class CareWriter:
    def __init__(self, clinic: Clinic, now: datetime, tally: Tally) -> None:
        self._now = now
        self._tally = tally
        self._clinic = clinic

    def write(self, session: Session, rows: Iterable[Values], patients: dict[str, int], new: set[int]) -> None:
        """Write the pump of every patient in these rows; `new` patients have none yet."""
        wanted: dict[int, Values] = {}
        for values in rows:
            if values.pump is None:
                continue
            patient_id = patients[values.mrn]
            wanted[patient_id] = _fuller(values, wanted.get(patient_id))
        if not wanted:
            return
        pumps, created = self._pumps(session, wanted, new)
        self._programs(session, {pumps[patient_id]: values for patient_id, values in wanted.items()}, created)
        self._refills(session, {pumps[patient_id]: values for patient_id, values in wanted.items()}, created)

    def _pumps(
        self, session: Session, wanted: dict[int, Values], new_patients: set[int]
    ) -> tuple[dict[int, int], set[int]]:
        """Return the pump of each patient, and which pumps are new.

        A pump implanted on another day is another pump: the old one stays. Without a day, the newest is meant.
        """
        table = Pump.__table__
        old = wanted.keys() - new_patients
        query = select(table).where(table.c.patient_id.in_(old)).order_by(table.c.id)
        known: dict[int, list[Any]] = {}
        for row in session.execute(query) if old else ():
            known.setdefault(row.patient_id, []).append(row)
        ids: dict[int, int] = {}
        new: list[dict[str, Any]] = []
        for patient_id, values in wanted.items():
            pump = values.pump
            assert pump is not None
            cells: dict[str, Any] = {"model": pump.model, "reservoir_size_ml": pump.reservoir_size_ml}
            if pump.implanted_on:
                cells["implanted_on"] = pump.implanted_on
            row = _same_pump(known.get(patient_id, []), pump.implanted_on)
            if row is None:
                new.append({"patient_id": patient_id, "implanted_on": None, "created_at": self._now} | cells)
                continue
            ids[patient_id] = row.id
            if changed := differing(row, cells):
                session.execute(update(table).where(table.c.id == row.id).values(**changed))
            self._tally.met("pumps", row, changed)
        cells_of = {row["patient_id"]: _said(row) for row in new}
        inserted = insert_returning(session, table, new, "patient_id")
        ids |= {row.patient_id: row.id for row in inserted}
        created = {row.id: cells_of[row.patient_id] for row in inserted}
        self._tally.created("pumps", created)
        return ids, set(created)

    def _programs(self, session: Session, wanted: dict[int, Values], new_pumps: set[int]) -> None:
        """A program counts from the last refill on, where pumps are programmed; else from the implant, or today."""
        table = Program.__table__
        wanted = {pump_id: values for pump_id, values in wanted.items() if values.program}
        old = wanted.keys() - new_pumps
        query = select(table).where(table.c.pump_id.in_(old), table.c.state == EntryState.EFFECTIVE)
        query = query.order_by(table.c.effective_on)
        known: dict[int, dict[date, Any]] = {}
        for row in session.execute(query) if old else ():
            known.setdefault(row.pump_id, {})[row.effective_on] = row
        new: list[dict[str, Any]] = []
        for pump_id, values in wanted.items():
            program = values.program
            assert program is not None
            cells = {
                "concentration_mcg_per_ml": program.concentration_mcg_per_ml,
                "daily_dose_mcg": program.daily_dose_mcg,
                "alarm_volume_ml": program.alarm_volume_ml,
            }
            by_day = known.get(pump_id, {})
            latest = by_day[max(by_day)] if by_day else None
            if latest is not None and not differing(latest, cells):
                self._tally.met("programs", latest, {})
                continue
            day = self._effective_on(values)
            if (same_day := by_day.get(day)) is None:
                new.append({"pump_id": pump_id, "effective_on": day, "created_at": self._now} | cells)
                continue
            if changed := differing(same_day, cells):
                session.execute(update(table).where(table.c.id == same_day.id).values(**changed))
            self._tally.met("programs", same_day, changed)
        cells_of = {row["pump_id"]: _said(row) for row in new}
        inserted = insert_returning(session, table, new, "pump_id")
        self._tally.created("programs", {row.id: cells_of[row.pump_id] for row in inserted})

    def _effective_on(self, values: Values) -> date:
        if values.refill:
            return values.refill.filled_on
        if values.pump and values.pump.implanted_on:
            return values.pump.implanted_on
        return self._now.date()

    def _refills(self, session: Session, wanted: dict[int, Values], new_pumps: set[int]) -> None:
        table = Refill.__table__
        wanted = {pump_id: values for pump_id, values in wanted.items() if values.refill}
        old = wanted.keys() - new_pumps
        query = select(table).where(table.c.pump_id.in_(old), table.c.state == EntryState.EFFECTIVE)
        known = {(row.pump_id, row.filled_on): row for row in (session.execute(query) if old else ())}
        new: list[dict[str, Any]] = []
        for pump_id, values in wanted.items():
            refill = values.refill
            assert refill is not None
            cells = {"reservoir_volume_ml": refill.reservoir_volume_ml}
            row = known.get((pump_id, refill.filled_on))
            if row is None:
                new.append({"pump_id": pump_id, "filled_on": refill.filled_on, "created_at": self._now} | cells)
                continue
            if changed := differing(row, cells):
                session.execute(update(table).where(table.c.id == row.id).values(**changed))
            self._tally.met("refills", row, changed)
        cells_of = {row["pump_id"]: _said(row) for row in new}
        inserted = insert_returning(session, table, new, "pump_id")
        self._tally.created("refills", {row.id: cells_of[row.pump_id] for row in inserted})


def _said(row: dict[str, Any]) -> dict[str, Any]:
    """Return what the file said of a new row, without whose it is and when it came."""
    return {name: cell for name, cell in row.items() if name not in ("patient_id", "pump_id", "created_at")}


def _same_pump(pumps: list[Any], implanted_on: date | None) -> Any:
    """Return which of a patient's pumps a row means, None for one not known yet."""
    if implanted_on is None:
        return max(pumps, key=lambda pump: (pump.implanted_on or date.min, pump.id), default=None)
    same = [pump for pump in pumps if pump.implanted_on == implanted_on]
    undated = [pump for pump in pumps if pump.implanted_on is None]
    return next(iter(same or undated), None)


def _fuller(values: Values, other: Values | None) -> Values:
    """Return whichever of two agreeing rows of a patient says more about the pump."""

    def said(row: Values) -> int:
        dated = row.pump is not None and row.pump.implanted_on is not None
        return dated + (row.program is not None) + (row.refill is not None)

    return values if other is None or said(values) > said(other) else other

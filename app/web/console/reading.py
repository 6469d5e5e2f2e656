"""Reads: which patients' records a page showed to whom, written to the audit log when the page leaves.

The gate and the lists say here what a view looks up; only an answer that shows something counts as read. A page that
refreshes itself is not written again for what it showed before.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from flask import Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError

from app.actions.record_reads import Row, Shown, record_reads
from app.db import reading
from app.web import current

log = logging.getLogger(__name__)

MOST_REMEMBERED = 5_000
SHOWN_WITH = {409, 422}  # a form shown again shows the record with it
STRIP = "urgent strip"


class Remembered:
    """What each person was last shown on each page, in this process: so that a refresh is not counted anew."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: OrderedDict[tuple[int, str], set[Row]] = OrderedDict()

    def new(self, staff_id: int, page: str, rows: set[Row], *, refresh: bool) -> set[Row]:
        """Return what is to be written; a page that was opened anew is counted whole."""
        with self._lock:
            before = self._seen.pop((staff_id, page), set())
            self._seen[staff_id, page] = before | rows if refresh else rows
            while len(self._seen) > MOST_REMEMBERED:
                self._seen.popitem(last=False)
        return rows - before if refresh else rows


def looked_up(table: str, row_id: int) -> None:
    """Called by the gate: a row of the clinic's own was named."""
    g.setdefault("looked_up", set()).add((table, row_id))


def listed(patient_ids: Iterable[int | None]) -> None:
    """Called by a page that lists patients."""
    g.setdefault("listed", set()).update(("patient", one) for one in patient_ids if one is not None)


def nothing_shown() -> None:
    """Called by an act that answers with nothing: what it looked up was shown by the page before."""
    g.pop("looked_up", None)


def in_strip(patient_ids: Iterable[int | None]) -> None:
    """Called for the urgent strip, which names patients on every page: each is written once a person."""
    g.setdefault("in_strip", set()).update(("patient", one) for one in patient_ids if one is not None)


def show_gaps() -> None:
    """Let one damaged row close no page: what cannot be read is a gap in it."""
    g.gaps = reading.with_gaps()


def no_more_gaps(_: BaseException | None) -> None:
    if (token := g.pop("gaps", None)) is not None:
        reading.end(token)


def write_reads(answer: Response) -> Response:
    """Write what this page showed. It is shown even where that fails: somebody may need it to help a patient."""
    if "staff" not in g or not (answer.status_code < 300 or answer.status_code in SHOWN_WITH):
        return answer
    try:
        _write()
    except (SQLAlchemyError, OSError, current.line().db.engine.dialect.loaded_dbapi.Error) as error:
        log.error("a read by staff %s was not recorded: %s", g.staff.id, type(error).__name__)
    return answer


def _write() -> None:
    page = (request.endpoint or "").removeprefix("console.")
    looked: set[Row] = g.get("looked_up", set())
    refresh = request.method == "GET" and "HX-Request" in request.headers
    rows = _new(f"{page} {sorted(looked)}", looked, refresh=refresh)
    places = (
        (page, _new(page, g.get("listed", set()), refresh=refresh)),
        (STRIP, _new(STRIP, g.get("in_strip", set()), refresh=True)),
    )
    lists = tuple((place, sorted(row_id for _, row_id in new)) for place, new in places if new)
    if rows or lists:
        shown = Shown(page, tuple(sorted(rows)), lists)
        record_reads(current.line(), shown, g.staff.actor, g.staff.clinic.id, current.now())


def _new(page: str, rows: set[Row], *, refresh: bool) -> set[Row]:
    if not rows:
        return rows
    remembered: Remembered = current_app.extensions.setdefault("reads", Remembered())
    return remembered.new(g.staff.id, page, rows, refresh=refresh)

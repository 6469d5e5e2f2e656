"""What others have costs nothing: no page looks through another clinic, no page of one patient through all patients."""

import re
from collections import Counter
from collections.abc import Callable

from flask import Flask
from sqlalchemy import select, update

from app.actions.add_staff import add_staff
from app.actions.import_patients import import_patients
from app.actions.line import Line
from app.db.people import Clinic
from app.db.work import Task, TaskState
from bench.pages import addresses, rows_of
from tests.conftest import FrozenClock, Someone
from tests.growing import grown, patients_from, steps_of, with_years_behind_them
from tests.web.conftest import PASSWORD, Visitor

OURS, THEIRS = 30, 400
# The log is read back from its newest line until a page is full: what others did lately is passed over.
OF_THE_LOG = ("/staff/audit", "/access")


def test_no_page_looks_through_what_is_not_its_own(
    app: Flask,
    line: Line,
    clock: FrozenClock,
    maria: Someone,
    texts: Callable[..., object],
    stranger_nurse: Visitor,
) -> None:
    with line.db.read() as session:
        own, other = session.scalars(select(Clinic.id).order_by(Clinic.id)).all()
    import_patients(line, patients_from(0, OURS, clock().date()), clock(), clinic_id=own)
    with_years_behind_them(line)
    texts(maria.phone, "my pump alarm is beeping")
    app.extensions["run_due"](clock())
    visitors = {}
    pages = addresses(app, rows_of(line))
    for role in pages:
        add_staff(line.db, f"{role.value}@clinic.example", "Kim", role.value, PASSWORD, clock(), own)
        visitors[role] = Visitor(app.test_client())
        assert visitors[role].sign_in(f"{role.value}@clinic.example").status_code == 302
    with steps_of(line) as steps:

        def counted() -> dict[str, Counter[str]]:
            found = {}
            for role, paths in pages.items():
                for path in paths:
                    if path.endswith(OF_THE_LOG):
                        continue
                    visitors[role].get(path)  # templates, plans
                    steps.by_statement.clear()
                    assert visitors[role].get(path).status_code in (200, 302), path
                    found[path] = Counter(steps.by_statement)
            return found

        alone = counted()
        import_patients(line, patients_from(OURS, THEIRS, clock().date()), clock(), clinic_id=other)
        app.extensions["run_due"](clock())
        with_years_behind_them(line, other)
        clock.forward(minutes=1)
        beside = counted()
        import_patients(line, patients_from(OURS + THEIRS, THEIRS, clock().date()), clock(), clinic_id=own)
        app.extensions["run_due"](clock())
        with_years_behind_them(line, own)
        with line.db.begin() as session:  # each page counts what is still to do
            session.execute(update(Task).values(state=TaskState.RESOLVED))
        clock.forward(minutes=1)
        among_many = counted()
    assert min(took[path].total() for took in (alone, beside, among_many) for path in took) > 0
    assert grown(alone, beside, 1.3) == {}
    of_one = {path: took for path, took in alone.items() if re.search(r"/(patients|inbox|phones)/\d", path)}
    assert len(of_one) >= 8
    assert grown(of_one, among_many, 2) == {}

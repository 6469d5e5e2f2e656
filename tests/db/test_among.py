"""Many ids as one value: the same rows as `in_`, one statement for any number, and an index that is used."""

import pytest
from sqlalchemy import not_, or_, select

from app.actions.line import Line
from app.db.among import among
from app.db.people import Patient
from tests.conftest import Someone


@pytest.mark.parametrize("ids", [[], [1], [1, 2, 3, 10**12]])
def test_it_finds_what_in_finds(line: Line, maria: Someone, ids: list[int]) -> None:
    with line.db.read() as session:
        wanted = set(session.scalars(select(Patient.id).where(Patient.id.in_(ids))))
        assert set(session.scalars(select(Patient.id).where(among(Patient.id, ids)))) == wanted
        assert set(session.scalars(select(Patient.id).where(among(Patient.id, "these")), {"these": ids})) == wanted
        others = set(session.scalars(select(Patient.id).where(not_(among(Patient.id, ids)))))
        assert others == set(session.scalars(select(Patient.id).where(Patient.id.not_in(ids))))
        either = or_(among(Patient.id, ids), Patient.id == maria.id)
        assert maria.id in set(session.scalars(select(Patient.id).where(either)))


def test_the_statement_is_the_same_however_many_and_each_call_has_its_own_ids(line: Line, maria: Someone) -> None:
    dialect = line.db.engine.dialect
    said = {str(select(Patient.id).where(among(Patient.id, ids)).compile(dialect=dialect)) for ids in ([1], [1, 2, 3])}
    assert len(said) == 1
    with line.db.read() as session:
        assert session.scalars(select(Patient.id).where(among(Patient.id, [maria.id]))).all()
        assert not session.scalars(select(Patient.id).where(among(Patient.id, [-1]))).all()
        two = select(Patient.id).where(among(Patient.id, [maria.id]), among(Patient.id, [-1]))
        assert not session.scalars(two).all(), "two lists in one statement are two values"


def test_sqlite_looks_the_ids_up_in_an_index(line: Line) -> None:
    if line.db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL plans by how many rows there are")
    query = select(Patient.id).where(among(Patient.id, "these"))
    plain = str(query.compile(dialect=line.db.engine.dialect))
    with line.db.read() as session:
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {plain}", ("[1, 2]",)).all()
    assert any("SEARCH patient USING INTEGER PRIMARY KEY" in row[3] for row in plan), plan

"""The short version of `make chaos`: the line is killed at every crash point, in foul weather, and nothing is lost."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.clock import can_be_set
from tests.chaos.crash_points import POINTS, holder_of
from tests.chaos.databases import is_here
from tests.chaos.line import Size
from tests.chaos.run import Base, try_scenario
from tests.chaos.scenarios import SHORT

SMALL = Size(600)
SEED = 20261127

without_clock = pytest.mark.skipif(not can_be_set(), reason="there is no C compiler here to make a clock that is set")


@pytest.mark.parametrize("name", POINTS)
def test_every_crash_point_is_where_it_is_said_to_be(name: str) -> None:
    holder, attribute = holder_of(POINTS[name])
    assert callable(getattr(holder, attribute))


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may enter, which pytest's are not."""
    made = Path(tempfile.mkdtemp(prefix="pumpline-chaos-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@without_clock
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_is_lost_or_sent_twice_whatever_is_killed(kind: str, place: Path) -> None:
    if kind == "postgresql" and not is_here():
        pytest.skip("there is no PostgreSQL here to start and to stop")
    base = Base.made(place / "base", kind, SMALL)
    found = try_scenario(SHORT, base, place / "run", SEED)
    assert found.wrong == []
    assert found.counted["texts in"] == SMALL.texts
    assert found.counted["deaths"] >= len(SHORT.points)

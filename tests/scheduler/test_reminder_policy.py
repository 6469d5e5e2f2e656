from dataclasses import FrozenInstanceError
from datetime import UTC, time, timedelta

import pytest

from scheduler.policy import Hours, ReminderPolicy


def test_the_default_policy_is_the_one_the_documents_promise() -> None:
    policy = ReminderPolicy()
    assert policy.ladder_days == (14, 7, 2, 1)
    assert policy.send_at == time(10)
    assert policy.quiet == Hours(opens=time(8), closes=time(21))
    assert (policy.missed_after, policy.missed_again_at) == (timedelta(minutes=60), time(9))
    assert (policy.latest_before, policy.page_every) == (timedelta(hours=2), timedelta(minutes=5))


def test_the_window_includes_its_opening_and_excludes_its_closing() -> None:
    hours = Hours(opens=time(8), closes=time(21))
    assert hours.contain(time(8))
    assert hours.contain(time(20, 59, 59))
    assert not hours.contain(time(21))
    assert not hours.contain(time(7, 59, 59))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ladder_days": ()}, "ladder_days is empty"),
        ({"ladder_days": (1, 2)}, "largest first"),
        ({"ladder_days": (7, 7, 1)}, "each once"),
        ({"ladder_days": (366, 1)}, "0 to 365"),
        ({"ladder_days": (1, -1)}, "0 to 365"),
        ({"ladder_days": (1.5,)}, "whole days"),
        ({"ladder_days": (True,)}, "whole days"),
        ({"ladder_days": [14, 7]}, "must be a tuple"),
        ({"send_at": time(7, 59)}, "send_at 07:59 is outside the allowed hours 08:00-21:00"),
        ({"send_at": time(21)}, "send_at 21:00 is outside"),
        ({"send_at": time(10, tzinfo=UTC)}, "send_at must be a plain time"),
        ({"missed_again_at": time(22)}, "missed_again_at 22:00 is outside"),
        ({"missed_after": timedelta(seconds=-1)}, "missed_after must not be negative"),
        ({"latest_before": timedelta(seconds=-1)}, "latest_before must not be negative"),
        ({"page_every": timedelta(0)}, "page_every must be longer"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused_with_its_remedy(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ReminderPolicy(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("ladder", [(365, 0), (0,), (30, 14, 7, 3, 2, 1, 0)])
def test_any_descending_ladder_within_a_year_is_accepted(ladder: tuple[int, ...]) -> None:
    assert ReminderPolicy(ladder_days=ladder).ladder_days == ladder


@pytest.mark.parametrize(("opens", "closes"), [(time(21), time(8)), (time(8), time(8))])
def test_hours_that_never_open_are_refused(opens: time, closes: time) -> None:
    with pytest.raises(ValueError, match="opening must come before closing"):
        Hours(opens=opens, closes=closes)


def test_hours_with_a_time_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="closes must be a plain time"):
        Hours(opens=time(8), closes=time(21, tzinfo=UTC))


def test_a_policy_cannot_be_changed_behind_a_plan() -> None:
    with pytest.raises(FrozenInstanceError):
        ReminderPolicy().send_at = time(11)  # type: ignore[misc]

import re
from datetime import UTC, datetime

import pytest

from app.channels.base import OptedOut, Outgoing
from app.channels.simulator import LANDLINE, OPTED_OUT_AT_CARRIER, PHONE_OFF, SimulatorChannel, progress
from app.domain.delivery import DeliveryState, state_named


def test_every_text_is_accepted_under_an_id_of_its_own() -> None:
    channel = SimulatorChannel()
    sent = [channel.send(Outgoing("+16145550123", "x" * 200)) for _ in range(3)]
    assert len({one.provider_id for one in sent}) == 3
    assert all(re.fullmatch(r"SIM[0-9a-f]{32}", one.provider_id) and one.segments == 2 for one in sent)


def test_nothing_is_ever_in_doubt() -> None:
    assert SimulatorChannel().find("+16145550123", "x", datetime(2026, 11, 22, tzinfo=UTC)) is None


def test_the_phone_that_opted_out_at_the_carrier_is_refused() -> None:
    with pytest.raises(OptedOut) as raised:
        SimulatorChannel().send(Outgoing(OPTED_OUT_AT_CARRIER, "x"))
    assert raised.value.code == 21610


@pytest.mark.parametrize(
    ("recipient", "told"),
    [
        ("+16145550123", (("sent", None), ("delivered", None))),
        (PHONE_OFF, (("sent", None), ("undelivered", 30003))),
        (LANDLINE, (("sent", None), ("undelivered", 30006))),
        (OPTED_OUT_AT_CARRIER, (("failed", 21610),)),
    ],
)
def test_the_simulated_carrier_reports_what_the_number_stands_for(
    recipient: str, told: tuple[tuple[str, int | None], ...]
) -> None:
    assert progress(recipient) == told
    assert all(isinstance(state_named(status), DeliveryState) for status, _ in told)

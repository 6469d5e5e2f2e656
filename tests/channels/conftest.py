from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app.channels.base import Outgoing
from app.channels.twilio_sms import TwilioSms
from tests.fakes.twilio_server import FakeTwilio

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
MARIA = "+16145550123"
REMINDER = "Northgate Pump Clinic: refill visit Mon Nov 30, 10:30 am. Reply 1 to confirm, 2 to change."


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    with FakeTwilio(clock=lambda: NOW) as fake:
        yield fake


@pytest.fixture
def channel(twilio: FakeTwilio) -> TwilioSms:
    return TwilioSms(twilio.account_sid, twilio.auth_token, twilio.number, twilio.url, timeout_seconds=5)


@pytest.fixture
def hasty(twilio: FakeTwilio) -> TwilioSms:
    """Gives up before the fake's delayed answers."""
    return TwilioSms(twilio.account_sid, twilio.auth_token, twilio.number, twilio.url, timeout_seconds=0.2)


@pytest.fixture
def reminder() -> Outgoing:
    return Outgoing(MARIA, REMINDER, "https://pumpline.test/twilio/status?m=abc", validity_seconds=3600)

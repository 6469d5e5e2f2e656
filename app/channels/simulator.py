"""A provider without a network: it accepts every text, and a few fixed numbers show what can go wrong."""

import secrets
from collections.abc import Collection
from datetime import datetime

from app.channels.base import Accepted, Came, Outgoing, Told, error_for
from app.domain.delivery import failure
from faq.segments import measure

PHONE_OFF = "+16145550199"  # accepted, later undelivered: off or out of reach
LANDLINE = "+16145550198"  # accepted, later undelivered: not a mobile phone
OPTED_OUT_AT_CARRIER = "+16145550197"  # refused: the carrier holds an opt-out that we do not know of

_OPTED_OUT_CODE = 21610
_UNDELIVERED = {PHONE_OFF: 30003, LANDLINE: 30006}


class SimulatorChannel:
    """Keeps nothing: what was sent is in our own rows, and nothing is ever in doubt."""

    name = "simulator"

    def send(self, message: Outgoing) -> Accepted:
        if message.recipient == OPTED_OUT_AT_CARRIER:
            raise error_for(failure(400, _OPTED_OUT_CODE), _OPTED_OUT_CODE)
        return Accepted("SIM" + secrets.token_hex(16), measure(message.body).count)

    def find(
        self,
        recipient: str,  # noqa: ARG002 nothing is ever in doubt
        body: str,  # noqa: ARG002
        made_at: datetime,  # noqa: ARG002
        but: Collection[str] = (),  # noqa: ARG002
    ) -> str | None:
        return None

    def told_of(self, provider_id: str) -> Told | None:  # noqa: ARG002 it reports everything
        return None

    def came_since(self, since: datetime) -> tuple[Came, ...]:  # noqa: ARG002 nothing is ever missed
        return ()

    def check_credentials(self) -> str:
        return "the simulated carrier needs no account"


def progress(recipient: str) -> tuple[tuple[str, int | None], ...]:
    """Return what the simulated carrier reports next for a text it was handed: (status, error code), in order."""
    if recipient == OPTED_OUT_AT_CARRIER:  # only a reply gets this far: it was never sent through the channel
        return (("failed", _OPTED_OUT_CODE),)
    code = _UNDELIVERED.get(recipient)
    return (("sent", None), ("undelivered", code) if code else ("delivered", None))

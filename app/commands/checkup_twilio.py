"""What `pumpline doctor` asks of the world: the account's credentials, and our own webhook by its public address."""

from collections.abc import Iterator

import requests

from app.channels.base import ChannelError
from app.channels.twilio_sms import TwilioSms
from app.commands.findings import Check, fail, ok
from app.settings import Settings
from app.web.signature import expected_signature
from app.wiring import channel_for

STATUS_PATH = "/twilio/status"
SECONDS = 10


def examine_twilio(settings: Settings) -> Iterator[Check]:
    yield _credentials(settings)
    yield _own_webhook(settings)


def _credentials(settings: Settings) -> Check:
    channel = channel_for(settings)
    assert isinstance(channel, TwilioSms)
    try:
        return ok("twilio", channel.check_credentials())
    except ChannelError as error:
        return fail(
            "twilio",
            str(error),
            "compare PUMPLINE_TWILIO_ACCOUNT_SID and PUMPLINE_TWILIO_AUTH_TOKEN with the Twilio console",
        )


def _own_webhook(settings: Settings) -> Check:
    """Call our webhook as Twilio would: the address, the proxy before it and the signature must all fit."""
    name = "public address"
    token = settings.twilio_auth_token.get_secret_value() if settings.twilio_auth_token else ""
    form = {
        "AccountSid": settings.twilio_account_sid or "",
        "MessageSid": "SM" + "0" * 32,  # no message of ours: recorded as unknown, and changes nothing
        "MessageStatus": "sent",
    }
    address = settings.public_url + STATUS_PATH
    pairs = [(key.encode(), value.encode()) for key, value in form.items()]
    headers = {"X-Twilio-Signature": expected_signature(token, address, pairs).decode()}
    try:
        answer = requests.post(address, data=form, headers=headers, timeout=SECONDS, allow_redirects=False)
    except requests.exceptions.SSLError:
        return fail(
            name, f"{settings.public_url} has no certificate that is trusted", "renew it: Twilio refuses it too"
        )
    except requests.RequestException as error:
        return fail(
            name,
            f"{settings.public_url} cannot be reached from here ({type(error).__name__})",
            "start Pumpline, and check PUMPLINE_PUBLIC_URL and the proxy before it",
        )
    if answer.ok and not answer.is_redirect:
        return ok(name, f"{settings.public_url} reaches us, and signatures fit")
    if answer.status_code == 403:
        remedy = "PUMPLINE_PUBLIC_URL must be exactly the address Twilio calls, and the auth token the same everywhere"
        return fail(name, "the server there refused our signature", remedy)
    return fail(
        name,
        f"{address} answered {answer.status_code}",
        "another program answers there, or the proxy leads elsewhere: it must pass /twilio/ to Pumpline unchanged",
    )

"""What `pumpline doctor` asks of the world: the account's credentials, and our own webhook by its public address."""

from collections.abc import Iterator

import requests

from app.channels.base import Channel, ChannelError
from app.channels.two_accounts import accounts_of
from app.commands.findings import Check, fail, ok
from app.domain.breaker import Via
from app.settings import Settings, TwilioAccount
from app.web.signature import expected_signature
from app.wiring import channel_for, second_account_of

STATUS_PATH = "/twilio/status"
SECONDS = 10


def examine_twilio(settings: Settings) -> Iterator[Check]:
    for via, channel in accounts_of(channel_for(settings)).items():
        yield _credentials(via, channel)
    for via, account in settings.twilio_accounts.items():
        if via is Via.FIRST or second_account_of(settings):
            yield _own_webhook(settings, via, account)


def _credentials(via: Via, channel: Channel) -> Check:
    first = via is Via.FIRST
    try:
        return ok("twilio" if first else "second twilio", channel.check_credentials())
    except ChannelError as error:
        prefix = "PUMPLINE_TWILIO_" if first else "PUMPLINE_TWILIO_SECOND_"
        return fail(
            "twilio" if first else "second twilio",
            str(error),
            f"compare {prefix}ACCOUNT_SID and {prefix}AUTH_TOKEN with the Twilio console",
        )


def _own_webhook(settings: Settings, via: Via, account: TwilioAccount) -> Check:
    """Call our webhook as Twilio would: the address, the proxy before it and the signature must all fit."""
    name = "public address" if via is Via.FIRST else "second account's webhook"
    token = account.token.get_secret_value()
    form = {
        "AccountSid": account.sid,
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

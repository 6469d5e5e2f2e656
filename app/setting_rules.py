"""What each setting must look like. Every complaint says what is wrong; none repeats a secret."""

import re
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_address
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app.domain.permissions import Role
from app.domain.phone import countries_named, e164, is_country
from faq.segments import GSM7_BASIC

SHORTEST_SECRET = 32
LONGEST_CLINIC_NAME = 40  # the answers are measured with a name this long

EXAMPLES = {
    "channel": "twilio",
    "database_url": "sqlite:///instance/pumpline.db",
    "instance_dir": "/var/lib/pumpline",
    "host": "0.0.0.0",  # noqa: S104 - an example
    "port": "8000",
    "public_url": "https://texts.example.org",
    "twilio_account_sid": "AC0123456789abcdef0123456789abcdef",
    "twilio_auth_token": "(from the Twilio console)",
    "twilio_sender": "+16145550100",
    "twilio_api_url": "http://127.0.0.1:9999",
    "twilio_second_account_sid": "AC0123456789abcdef0123456789abcdef",
    "twilio_second_auth_token": "(from the second account's Twilio console)",
    "twilio_second_sender": "+16145550170",
    "twilio_second_api_url": "http://127.0.0.1:9998",
    "twilio_timeout_seconds": "10",
    "long_code_per_second": "1",
    "toll_free_per_second": "3",
    "short_code_per_second": "100",
    "service_per_second": "3.75",
    "opt_out_reply": "carrier",
    "clinic_name": '"Northgate Pump Clinic"',
    "clinic_phone": "+16145550100",
    "after_hours_phone": "+16145550101",
    "on_call_phone": "+16145550190",
    "time_zone": "America/New_York",
    "emergency_number": "911",
    "day_ends": "17:00",
    "segment_price": "0.01",
    "text_countries": "US,CA",
    "stranger_answers_a_day": "10",
    "answers_a_day": "60",
    "stranger_answers_an_hour": "100",
    "second_factor_roles": "lead_nurse,administrator",
    "session_idle_minutes": "30",
    "session_hours": "12",
    "oidc_issuer": "https://login.example.org/realms/hospital",
    "oidc_client_id": "pumpline",
    "oidc_client_secret": "(from whoever runs the sign-in)",
    "oidc_name": '"your hospital account"',
    "keep_texts_days": "3653",
    "keep_notes_days": "3653",
    "keep_pictures_days": "365",
    "keep_deliveries_days": "365",
    "keep_sign_ins_days": "90",
    "send_drafts": "no",
    "answers_dir": "/etc/pumpline/answers",
    "log_level": "info",
    "scheduler": "no",
    "worker_dead_after_seconds": "16",
    "backup_dir": "/mnt/backups/pumpline",
    "check_phone": "+16145550180",
    "check_to": "+16145550100",
    "ping_url": "https://hc-ping.com/...",
    "metrics_token": "(32 random characters)",
}
KEYS_EXAMPLE = "make one with `pumpline keys new`"

_MESSAGING_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_SHORT_CODE = re.compile(r"[1-9]\d{3,7}")
_EMERGENCY = re.compile(r"\d{2,4}")


def checked_countries(value: str) -> str:
    named = countries_named(value)
    if not named or (strange := sorted(code for code in named if not is_country(code))):
        raise ValueError(f"names no country: {', '.join(strange)}" if named else "names no country")
    return value


def checked_database_url(value: str) -> str:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError("is not a database address") from None
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if backend == "sqlite" and (not url.database or url.database == ":memory:"):
        raise ValueError("needs a file: what is kept in memory is lost at every start")
    return value


def checked_clinic_name(value: str) -> str:
    name = value.strip()
    strange = "".join(dict.fromkeys(c for c in name if c not in GSM7_BASIC or c in "\r\n"))
    if strange:
        raise ValueError(f"has characters that make every text longer ({strange}): use plain letters")
    if not 1 <= len(name) <= LONGEST_CLINIC_NAME:
        raise ValueError(f"must have 1 to {LONGEST_CLINIC_NAME} characters, it has {len(name)}")
    return name


def checked_phone(value: str | None) -> str | None:
    return None if value is None else e164(value)


def checked_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except Exception:  # a ValueError, an OSError or a KeyError, by what is wrong with the name
        near = get_close_matches(value, _zones(), n=1)
        hint = f", did you mean {near[0]}?" if near else ": use a name like Europe/Berlin"
        raise ValueError(f"there is no time zone of this name{hint}") from None
    return value


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def checked_emergency_number(value: str) -> str:
    if not _EMERGENCY.fullmatch(value):
        raise ValueError("must be 2 to 4 digits")
    return value


def checked_sender(value: str | None) -> str | None:
    if value is None or _MESSAGING_SERVICE.fullmatch(value) or _SHORT_CODE.fullmatch(value):
        return value
    try:
        return e164(value)
    except ValueError:
        raise ValueError(
            "must be a phone number, a short code, or a Messaging Service (MG and 32 hexadecimal digits)"
        ) from None


def checked_web_address(value: str | None) -> str | None:
    """Refuse anything but scheme, host and port: Twilio signs the exact address, and ours must be the same."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a web address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must begin with https:// (or http:// on this machine)")
    if parts.path == "/" and not (parts.query or parts.fragment):
        raise ValueError("must not end with a slash")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc or value.endswith(("?", "#")):
        raise ValueError("must be scheme and host only, with no path, question mark or name")
    return value


def checked_issuer(value: str | None) -> str | None:
    """An OpenID Connect issuer: https, as the tokens name it; plain http on this machine only."""
    if not value:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be the issuer's https address, without question mark")
    if parts.scheme == "http" and not is_loopback(value):
        raise ValueError("must begin with https://")
    return value


def checked_ping_url(value: SecretStr | None) -> SecretStr | None:
    """The address of a dead man's switch: https, plain http on this machine only. No complaint repeats it."""
    if value is None:
        return None
    try:
        parts = urlsplit(value.get_secret_value().strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a web address") from None
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.fragment:
        raise ValueError("must be a web address without name or #")
    if parts.scheme == "http" and not is_loopback(parts.geturl()):
        raise ValueError("must begin with https://")
    return SecretStr(parts.geturl())


def roles_named(value: str) -> frozenset[Role]:
    """Read "all", "none", or roles with commas between."""
    said = [part.strip().lower().replace(" ", "_") for part in value.split(",") if part.strip()]
    if said == ["all"]:
        return frozenset(Role)
    if said in ([], ["none"]):
        return frozenset()
    unknown = [part for part in said if part not in set(Role)]
    if unknown:
        raise ValueError(f"knows no role {unknown[0]}: write all, none, or some of {', '.join(Role)}")
    return frozenset(Role(part) for part in said)


def is_loopback(address: str) -> bool:
    """Whether a web address stays on this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_fernet_keys(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    keys = split_keys(value)
    for place, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            which = f"key {place} of {len(keys)}" if len(keys) > 1 else "it"
            raise ValueError(f"{which} is not a data key: 44 characters, several separated by commas") from None
    if not keys:
        raise ValueError("holds no key: 44 characters, several separated by commas")
    return value


def checked_secret_keys(value: SecretStr | None) -> SecretStr | None:
    if value is not None and any(len(key) < SHORTEST_SECRET for key in split_keys(value)):
        raise ValueError(f"holds a key that is too short: at least {SHORTEST_SECRET} characters, commas between")
    return value


def split_keys(value: SecretStr) -> tuple[str, ...]:
    """Return the keys of a comma-separated list, newest first."""
    return tuple(key.strip() for key in value.get_secret_value().split(",") if key.strip())


def checked_backup_keys(value: SecretStr | None) -> SecretStr | None:
    """Keys that open backups (AGE-SECRET-KEY-1...) or only write them (age1...), with commas between."""
    if value is None:
        return None
    from pyrage import IdentityError, RecipientError, x25519

    keys = split_keys(value)
    for place, key in enumerate(keys, start=1):
        try:
            (x25519.Identity if key.upper().startswith("AGE-SECRET-KEY-") else x25519.Recipient).from_str(key)
        except (IdentityError, RecipientError):
            which = f"key {place} of {len(keys)}" if len(keys) > 1 else "it"
            raise ValueError(f"{which} is no backup key: AGE-SECRET-KEY-1 or age1 and 58 characters") from None
    if not keys:
        raise ValueError("holds no key: AGE-SECRET-KEY-1 or age1 and 58 characters")
    return value


def channel_problems(
    *, channel: str, public_url: str, account_sid: str | None, auth_token: str | None, sender: str | None
) -> list[str]:
    """Return what is wrong with the settings of the channel taken together."""
    given = {
        "PUMPLINE_TWILIO_SENDER": sender,
        "PUMPLINE_TWILIO_ACCOUNT_SID": account_sid,
        "PUMPLINE_TWILIO_AUTH_TOKEN": auth_token,
    }
    if channel == "simulator":
        live = [name for name, value in given.items() if value]
        if not live:
            return []
        return [
            f"PUMPLINE_CHANNEL: the simulator and a live sender cannot be on together: unset {', '.join(live)}, "
            "or set PUMPLINE_CHANNEL=twilio"
        ]
    examples = {name: EXAMPLES[name.removeprefix("PUMPLINE_").lower()] for name in given}
    problems = [
        f"{name}: is needed when PUMPLINE_CHANNEL=twilio; for example {name}={examples[name]}"
        for name, value in given.items()
        if not value
    ]
    example = f"for example PUMPLINE_PUBLIC_URL={EXAMPLES['public_url']}"
    if not public_url:
        problems.append(f"PUMPLINE_PUBLIC_URL: is needed when PUMPLINE_CHANNEL=twilio: Twilio calls it; {example}")
    elif public_url.startswith("http://") and not is_loopback(public_url):
        problems.append(f"PUMPLINE_PUBLIC_URL: must begin with https:// when PUMPLINE_CHANNEL=twilio; {example}")
    return problems


def second_account_problems(given: set[str], *, on_twilio: bool, same_sender: bool, same_account: bool) -> list[str]:
    """Return what is wrong with the settings of the account that stands in; `given`: the variables that are set."""
    sender, sid, token = (f"PUMPLINE_TWILIO_SECOND_{name}" for name in ("SENDER", "ACCOUNT_SID", "AUTH_TOKEN"))
    if not given:
        return []
    if not on_twilio:
        names = ", ".join(sorted(given))
        return [f"{names}: a second account needs PUMPLINE_CHANNEL=twilio: unset it in the simulator"]
    if sender not in given:
        return [f"{sender}: is needed for a second account; for example {sender}={EXAMPLES['twilio_second_sender']}"]
    if same_sender:
        return [f"{sender}: must be another one than PUMPLINE_TWILIO_SENDER: it stands in where that one fails"]
    if sid in given and not same_account and token not in given:
        return [f"{token}: is needed for another account; for example {token}={EXAMPLES['twilio_second_auth_token']}"]
    if token in given and same_account:
        return [f"{token}: belongs to {sid}, which is not set, or names the first account: unset it, or set both"]
    return []

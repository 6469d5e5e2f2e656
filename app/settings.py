"""Every setting, read from PUMPLINE_* variables of the environment; docs/settings.md describes each.

A wrong value stops the start with the variable's name, what is wrong and an example, and never with a secret.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.breaker import Via
from app.domain.permissions import Role
from app.domain.retention import Periods
from app.setting_rules import (
    EXAMPLES,
    KEYS_EXAMPLE,
    channel_problems,
    checked_backup_keys,
    checked_clinic_name,
    checked_countries,
    checked_database_url,
    checked_emergency_number,
    checked_fernet_keys,
    checked_issuer,
    checked_phone,
    checked_ping_url,
    checked_secret_keys,
    checked_sender,
    checked_time_zone,
    checked_web_address,
    roles_named,
    second_account_problems,
)

PREFIX = "PUMPLINE_"
TEST_PREFIX = "PUMPLINE_TEST_"  # read by the test suite alone

DEMO_CLINIC_PHONE = "+16145550100"
DEMO_AFTER_HOURS_PHONE = "+16145550101"
DEMO_ON_CALL_PHONE = "+16145550190"


class SettingsError(Exception):
    """Settings that cannot be used; `lines` holds one sentence for each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True)
class TwilioAccount:
    """One account at Twilio, with what its texts come from."""

    sid: str
    token: SecretStr
    sender: str
    api_url: str | None


class Settings(BaseSettings):
    """What one installation has chosen. `load_settings` reads it with readable errors."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True, extra="forbid"
    )

    channel: Literal["simulator", "twilio"] = "simulator"
    database_url: str = ""  # filled from instance_dir
    instance_dir: Path = Path("instance")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    public_url: str = ""  # filled from port

    twilio_account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$")
    twilio_auth_token: SecretStr | None = None
    twilio_sender: str | None = None
    twilio_api_url: str | None = None
    twilio_second_account_sid: str | None = Field(default=None, pattern=r"^AC[0-9a-fA-F]{32}$")
    twilio_second_auth_token: SecretStr | None = None
    twilio_second_sender: str | None = None
    twilio_second_api_url: str | None = None
    twilio_timeout_seconds: float = Field(default=10, ge=1, le=60)
    long_code_per_second: float = Field(default=1, ge=0, le=1000)
    toll_free_per_second: float = Field(default=3, ge=0, le=1000)
    short_code_per_second: float = Field(default=100, ge=0, le=1000)
    service_per_second: float = Field(default=3, ge=0, le=1000)
    opt_out_reply: Literal["carrier", "pumpline"] = "pumpline"  # filled from channel

    clinic_name: str = "Northgate Pump Clinic"
    clinic_phone: str = DEMO_CLINIC_PHONE
    after_hours_phone: str = DEMO_AFTER_HOURS_PHONE
    on_call_phone: str | None = None  # filled in simulator mode
    time_zone: str = "America/New_York"
    emergency_number: str = "911"
    day_ends: time = time(17)
    segment_price: Decimal = Field(default=Decimal("0.01"), ge=0, le=1)

    text_countries: str = "US"
    stranger_answers_a_day: int = Field(default=10, ge=1, le=1000)
    answers_a_day: int = Field(default=60, ge=0, le=10_000)
    stranger_answers_an_hour: int = Field(default=100, ge=1, le=1_000_000)

    second_factor_roles: str = ""  # filled from channel
    session_idle_minutes: int = Field(default=30, ge=5, le=240)
    session_hours: int = Field(default=12, ge=1, le=24)
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name: str = "your hospital account"

    secret_key: SecretStr | None = Field(default=None, min_length=32)
    old_secret_keys: SecretStr | None = None
    data_keys: SecretStr | None = None
    backup_key: SecretStr | None = None
    backup_dir: Path = Path("instance/backups")  # filled from instance_dir
    keep_texts_days: int = Field(default=3653, ge=365, le=36_525)
    keep_notes_days: int = Field(default=3653, ge=365, le=36_525)
    keep_pictures_days: int = Field(default=365, ge=30, le=36_525)
    keep_deliveries_days: int = Field(default=365, ge=30, le=36_525)
    keep_sign_ins_days: int = Field(default=90, ge=30, le=36_525)
    send_drafts: bool = True
    answers_dir: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    scheduler: bool = True
    worker_dead_after_seconds: float = Field(default=16, ge=2, le=45)
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    ping_url: SecretStr | None = None
    check_phone: str | None = None
    check_to: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, data: Any) -> Any:
        """Defaults that follow another setting."""
        if not isinstance(data, dict):
            return data
        filled = {name: value for name, value in data.items() if value is not None}
        on_twilio = filled.get("channel") == "twilio"
        if not on_twilio:
            filled.setdefault("on_call_phone", DEMO_ON_CALL_PHONE)
            filled.setdefault("public_url", f"http://127.0.0.1:{filled.get('port', 8000)}")
        filled.setdefault("second_factor_roles", "all" if on_twilio else "none")
        filled.setdefault("opt_out_reply", "carrier" if on_twilio else "pumpline")
        filled.setdefault("database_url", f"sqlite:///{filled.get('instance_dir', 'instance')}/pumpline.db")
        filled.setdefault("backup_dir", Path(filled.get("instance_dir", "instance")) / "backups")
        return filled

    _database_url = field_validator("database_url")(checked_database_url)
    _clinic_name = field_validator("clinic_name")(checked_clinic_name)
    _phones = field_validator("clinic_phone", "after_hours_phone", "on_call_phone", "check_phone", "check_to")(
        checked_phone
    )
    _time_zone = field_validator("time_zone")(checked_time_zone)
    _emergency_number = field_validator("emergency_number")(checked_emergency_number)
    _sender = field_validator("twilio_sender", "twilio_second_sender")(checked_sender)
    _addresses = field_validator("public_url", "twilio_api_url", "twilio_second_api_url")(checked_web_address)
    _countries = field_validator("text_countries")(checked_countries)
    _keys = field_validator("data_keys")(checked_fernet_keys)
    _old_secret_keys = field_validator("old_secret_keys")(checked_secret_keys)
    _ping_url = field_validator("ping_url")(checked_ping_url)
    _backup_keys = field_validator("backup_key")(checked_backup_keys)

    @field_validator("day_ends")
    @classmethod
    def _is_of_the_wall(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("is no time of day")
        return value

    @field_validator("second_factor_roles")
    @classmethod
    def _are_roles(cls, value: str) -> str:
        roles_named(value)
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, value: str | None) -> str | None:
        return checked_issuer(value)

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("answers_dir")
    @classmethod
    def _is_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError("there is no such folder")
        return value

    @model_validator(mode="after")
    def _channel_is_whole(self) -> Self:
        if problems := channel_problems(
            channel=self.channel,
            public_url=self.public_url,
            account_sid=self.twilio_account_sid,
            auth_token=self.twilio_auth_token.get_secret_value() if self.twilio_auth_token else None,
            sender=self.twilio_sender,
        ):
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _second_account_is_whole(self) -> Self:
        given = {
            "twilio_second_account_sid": self.twilio_second_account_sid,
            "twilio_second_auth_token": self.twilio_second_auth_token,
            "twilio_second_sender": self.twilio_second_sender,
            "twilio_second_api_url": self.twilio_second_api_url,
        }
        problems = second_account_problems(
            {variable_of(name) for name, value in given.items() if value},
            on_twilio=not self.is_simulator,
            same_sender=self.twilio_second_sender == self.twilio_sender,
            same_account=self.twilio_second_account_sid in (None, self.twilio_account_sid),
        )
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @model_validator(mode="after")
    def _check_is_whole(self) -> Self:
        if self.check_phone is None:
            return self
        if not self.check_number.startswith("+"):
            raise ValueError(
                "PUMPLINE_CHECK_TO: is needed where the sender is no phone number: the number that patients text; "
                f"{_example('check_to')}"
            )
        people = (self.check_number, self.clinic_phone, self.after_hours_phone, self.on_call_phone)
        if self.check_phone in people:
            raise ValueError(
                "PUMPLINE_CHECK_PHONE: is a number that people use: it must be one of our own at Twilio that nobody "
                "else texts"
            )
        return self

    @model_validator(mode="after")
    def _single_sign_on_is_whole(self) -> Self:
        given = [self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret]
        if any(given) and not all(given):
            raise ValueError(
                "PUMPLINE_OIDC_ISSUER, PUMPLINE_OIDC_CLIENT_ID and PUMPLINE_OIDC_CLIENT_SECRET go together: "
                "set all three, or none"
            )
        return self

    @property
    def twilio_accounts(self) -> dict[Via, TwilioAccount]:
        """The accounts that may call our webhooks and that texts leave by; none in the simulator."""
        if self.is_simulator or not (self.twilio_account_sid and self.twilio_auth_token and self.twilio_sender):
            return {}
        sid, token, url = self.twilio_account_sid, self.twilio_auth_token, self.twilio_api_url
        found = {Via.FIRST: TwilioAccount(sid, token, self.twilio_sender, url)}
        if self.twilio_second_sender:
            found[Via.SECOND] = TwilioAccount(
                self.twilio_second_account_sid or sid,
                self.twilio_second_auth_token or token,
                self.twilio_second_sender,
                self.twilio_second_api_url or url,
            )
        return found

    @property
    def asks_second_factor_of(self) -> frozenset[Role]:
        """The roles that may not go on without a second factor."""
        return roles_named(self.second_factor_roles)

    @property
    def periods(self) -> Periods:
        """How long things are kept."""
        return Periods(
            texts=timedelta(days=self.keep_texts_days),
            notes=timedelta(days=self.keep_notes_days),
            pictures=timedelta(days=self.keep_pictures_days),
            deliveries=timedelta(days=self.keep_deliveries_days),
            sign_ins=timedelta(days=self.keep_sign_ins_days),
        )

    @property
    def carrier_confirms_opt_out(self) -> bool:
        return self.opt_out_reply == "carrier"

    @property
    def check_number(self) -> str:
        """The number that the line's own test phone texts."""
        return self.check_to or self.twilio_sender or DEMO_CLINIC_PHONE

    @property
    def is_simulator(self) -> bool:
        return self.channel == "simulator"


def variable_of(field: str) -> str:
    """Return the environment variable that sets a field."""
    return PREFIX + field.upper()


def load_settings(environ: Mapping[str, str] | None = None, **chosen: Any) -> Settings:
    """Read the settings; `chosen` overrides the environment. Raises SettingsError with everything that is wrong."""
    lines = _unknown_variables(os.environ if environ is None else environ)
    settings = None
    try:
        settings = Settings(**chosen) if environ is None else Settings(**_given(environ), **chosen)
    except ValidationError as error:
        lines += _lines(error)
    if lines or settings is None:
        raise SettingsError(lines)
    return settings


def _given(environ: Mapping[str, str]) -> dict[str, Any]:
    names = {variable_of(field): field for field in Settings.model_fields}
    return {names[key.upper()]: value for key, value in environ.items() if key.upper() in names and value}


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = [variable_of(field) for field in Settings.model_fields]
    lines = []
    for name in sorted(environ):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper.startswith(TEST_PREFIX) or upper in known:
            continue
        near = get_close_matches(upper, known, n=1)
        remedy = f"did you mean {near[0]}?" if near else "docs/settings.md lists them all; unset it"
        lines.append(f"{name}: there is no such setting; {remedy}")
    return lines


def _lines(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        message = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:  # about several settings at once: the sentences name them
            lines += message.split("\n")
            continue
        field = str(problem["loc"][0])
        lines.append(f"{variable_of(field)}: {_plain(field, problem['type'], message)}; {_example(field)}")
    return lines


def _plain(field: str, kind: str, message: str) -> str:
    match (field, kind):
        case ("twilio_account_sid" | "twilio_second_account_sid", _):
            return "is not an account SID: AC and 32 hexadecimal digits"
        case ("secret_key", _):
            return "is too short: at least 32 characters"
        case ("metrics_token", _):
            return "is too short: at least 16 characters"
        case ("day_ends", _):
            return "is no time of day"
        case ("segment_price", _):
            return "must be a number of dollars from 0 to 1"
        case (_, "bool_parsing"):
            return "must be yes or no"
        case (_, "int_parsing" | "float_parsing"):
            return "must be a number"
        case _:
            return message[:1].lower() + message[1:]


def _example(field: str) -> str:
    if field in ("secret_key", "old_secret_keys", "data_keys", "backup_key"):
        return KEYS_EXAMPLE
    return f"for example {variable_of(field)}={EXAMPLES[field]}"

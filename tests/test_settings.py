"""A wrong setting stops the start, with its name, what is wrong and an example; never with a secret."""

import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.crypto import Keyring
from app.keys import FILE, KeysError, keys_for
from app.logs import REDACTED, redacted
from app.settings import SettingsError, load_settings

SID = "AC" + "0" * 32
TWILIO = {
    "PUMPLINE_CHANNEL": "twilio",
    "PUMPLINE_TWILIO_ACCOUNT_SID": SID,
    "PUMPLINE_TWILIO_AUTH_TOKEN": "a-token",
    "PUMPLINE_TWILIO_SENDER": "+16145550100",
    "PUMPLINE_PUBLIC_URL": "https://texts.example.org",
}


def complaints(**environ: str) -> list[str]:
    try:
        load_settings(environ)
    except SettingsError as error:
        return error.lines
    return []


def test_nothing_set_is_the_simulator() -> None:
    settings = load_settings({})
    assert (settings.channel, settings.public_url) == ("simulator", "http://127.0.0.1:8000")
    assert settings.database_url == "sqlite:///instance/pumpline.db"
    assert settings.on_call_phone == "+16145550190"
    assert not settings.carrier_confirms_opt_out


def test_a_whole_twilio_line_is_accepted() -> None:
    settings = load_settings(TWILIO)
    assert settings.carrier_confirms_opt_out
    assert settings.on_call_phone is None


def test_the_address_follows_the_port_and_the_database_the_folder() -> None:
    settings = load_settings({"PUMPLINE_PORT": "8123", "PUMPLINE_INSTANCE_DIR": "/srv/p"})
    assert settings.public_url == "http://127.0.0.1:8123"
    assert settings.database_url == "sqlite:////srv/p/pumpline.db"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUMPLINE_CHANNEL", "sms"),
        ("PUMPLINE_TIME_ZONE", "Mars/Base"),
        ("PUMPLINE_TIME_ZONE", "../etc/passwd"),
        ("PUMPLINE_CLINIC_PHONE", "12"),
        ("PUMPLINE_ON_CALL_PHONE", "nurse"),
        ("PUMPLINE_PUBLIC_URL", "ftp://x"),
        ("PUMPLINE_PUBLIC_URL", "https://x.org/"),
        ("PUMPLINE_PUBLIC_URL", "https://x.org/sms"),
        ("PUMPLINE_PUBLIC_URL", "https://me:pw@x.org"),
        ("PUMPLINE_PUBLIC_URL", "https://x.org:port"),
        ("PUMPLINE_DATABASE_URL", "mysql://x/y"),
        ("PUMPLINE_DATABASE_URL", "sqlite://"),
        ("PUMPLINE_CLINIC_NAME", "x" * 41),
        ("PUMPLINE_CLINIC_NAME", "Clinic “North”"),
        ("PUMPLINE_EMERGENCY_NUMBER", "+911"),
        ("PUMPLINE_PORT", "0"),
        ("PUMPLINE_SCHEDULER", "perhaps"),
        ("PUMPLINE_LOG_LEVEL", "loud"),
        ("PUMPLINE_ANSWERS_DIR", "/there/is/none"),
        ("PUMPLINE_TWILIO_TIMEOUT_SECONDS", "0"),
    ],
)
def test_a_wrong_value_is_named_with_an_example(name: str, value: str) -> None:
    [line] = complaints(**{name: value})
    assert line.startswith(f"{name}: ")
    assert f"for example {name}=" in line


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("PUMPLINE_SECRET_KEY", "hunter2"),
        ("PUMPLINE_DATA_KEYS", "hunter2"),
        ("PUMPLINE_DATA_KEYS", f"{'A' * 43}=,hunter2"),
    ],
)
def test_a_wrong_secret_is_never_repeated(name: str, secret: str) -> None:
    [line] = complaints(**{name: secret})
    assert line.startswith(name)
    assert "hunter2" not in line
    assert "pumpline keys new" in line


@pytest.mark.parametrize("missing", [name for name in TWILIO if name != "PUMPLINE_CHANNEL"])
def test_twilio_needs_all_of_its_settings(missing: str) -> None:
    [line] = complaints(**{name: value for name, value in TWILIO.items() if name != missing})
    assert line.startswith(f"{missing}: is needed")


def test_twilio_over_plain_http_stays_on_this_machine() -> None:
    assert complaints(**TWILIO | {"PUMPLINE_PUBLIC_URL": "http://texts.example.org"})
    assert not complaints(**TWILIO | {"PUMPLINE_PUBLIC_URL": "http://127.0.0.1:8000"})


@pytest.mark.parametrize("live", [name for name in TWILIO if name.startswith("PUMPLINE_TWILIO")])
def test_the_simulator_never_stands_beside_a_live_sender(live: str) -> None:
    [line] = complaints(**{live: TWILIO[live]})
    assert "cannot be on together" in line
    assert live in line


def test_a_misspelt_name_is_refused_with_the_nearest() -> None:
    [line] = complaints(PUMPLINE_CLINIK_NAME="x")
    assert "PUMPLINE_CLINIC_NAME" in line
    assert not complaints(PUMPLINE_TEST_POSTGRES="x", HOME="/root")


def test_keys_are_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = load_settings({"PUMPLINE_INSTANCE_DIR": str(tmp_path / "new")})
    first = keys_for(settings)
    assert first == keys_for(settings)
    assert first.from_file
    assert (tmp_path / "new" / FILE).stat().st_mode & 0o777 == 0o600
    assert first.secret_key not in repr(first)


def test_keys_from_the_settings_touch_no_file(tmp_path: Path) -> None:
    key = Keyring.new_key()
    environ = {"PUMPLINE_INSTANCE_DIR": str(tmp_path), "PUMPLINE_SECRET_KEY": "s" * 32, "PUMPLINE_DATA_KEYS": f"{key},"}
    keys = keys_for(load_settings(environ))
    assert (keys.data_keys, keys.from_file) == ((key,), False)
    assert not list(tmp_path.iterdir())


def test_a_broken_key_file_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(KeysError, match="restore it"):
        keys_for(load_settings({"PUMPLINE_INSTANCE_DIR": str(tmp_path)}))
    assert (tmp_path / FILE).read_text() == "{"


def _secret(folder: str) -> str:
    return keys_for(load_settings({"PUMPLINE_INSTANCE_DIR": folder})).secret_key


def test_processes_that_start_at_once_share_their_keys(tmp_path: Path) -> None:
    # spawned: a child forked from a process with threads may find a lock held for ever
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_secret, [str(tmp_path)] * 12))) == 1
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    "text", ["+16145550100", "+1 (614) 555-0100", "614-555-0100", "(614) 555-0100", "16145550100", "ana@clinic.example"]
)
def test_numbers_and_addresses_do_not_reach_the_log(text: str) -> None:
    assert redacted(f"to {text}!") == f"to {REDACTED}!"
    assert redacted({"deep": [text]}) == {"deep": [REDACTED]}


@pytest.mark.parametrize("harmless", ["2026-11-22T08:34:14.123456+00:00", 12345, "appointment:12", 0.25, True, None])
def test_ids_and_instants_stay_in_the_log(harmless: object) -> None:
    assert redacted(harmless) == harmless


@given(st.text(max_size=80))
def test_redaction_takes_any_text(text: str) -> None:
    assert isinstance(redacted(text), str)

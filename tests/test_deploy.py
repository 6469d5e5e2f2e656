"""What stands in deploy/ is what the program knows: its commands, its settings, its order at the start."""

import re
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from app.cli import COMMANDS, cli
from app.commands.arriving import MOST_HEAD
from app.settings import Settings, load_settings, variable_of
from app.web import LARGEST_FORM
from app.web.uploads import LARGEST

DEPLOY = Path(__file__).parent.parent / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SETTINGS = {variable_of(field) for field in Settings.model_fields}


def services(file: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / file).read_text("utf-8"))["services"]
    return found


ONE, MANY = services("compose.one.yaml"), services("compose.many.yaml")
OURS = [(name, service) for file in (ONE, MANY) for name, service in file.items() if service["image"] == "pumpline"]


def understands(words: list[str]) -> None:
    """Raise where `pumpline` does not take these words."""
    context = click.Context(cli)
    command = cli.get_command(context, words[0])
    assert command is not None, words[0]
    command.make_context(words[0], words[1:], parent=context)


@pytest.mark.parametrize(("name", "service"), OURS)
def test_every_container_runs_a_command_that_there_is_and_may_write_nowhere(name: str, service: dict[str, Any]) -> None:
    understands(service["command"])
    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {*service.get("environment", {})} <= SETTINGS
    assert service["env_file"] == ".env"


def test_many_machines_start_in_order_database_tables_then_the_rest() -> None:
    order = {name: service.get("depends_on", {}) for name, service in MANY.items()}
    assert order["migrate"] == {"postgres": {"condition": "service_healthy"}}
    beaters = [name for name, service in MANY.items() if service.get("command", [""])[0] in ("web", "worker")]
    assert len(beaters) == 4
    assert all(order[name] == {"migrate": {"condition": "service_completed_successfully"}} for name in beaters)
    webs = {name for name in beaters if MANY[name]["command"][0] == "web"}
    assert set(order["proxy"]) == webs
    assert {condition["condition"] for condition in order["proxy"].values()} == {"service_healthy"}
    spools = [MANY[name]["volumes"][0] for name in webs]
    assert len(set(spools)) == len(webs), "what one keeps while the database is down is its own"


def test_nothing_but_the_proxy_is_open_to_the_world() -> None:
    for file in (ONE, MANY):
        assert [name for name, service in file.items() if "ports" in service] == ["proxy"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_every_unit_runs_a_command_that_there_is_as_nobody_special(unit: Path) -> None:
    parsed = ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit, encoding="utf-8")
    service = parsed["Service"]
    program, *words = service["ExecStart"].split()
    assert program == "/opt/pumpline/.venv/bin/pumpline"
    understands(words)
    assert service["User"] == "pumpline"
    assert service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["Environment"].partition("=")[0] in SETTINGS
    if service.get("Type") != "oneshot":
        assert service["Restart"] == "always"


def test_there_is_a_unit_for_each_way_to_run() -> None:
    assert {unit.stem for unit in UNITS} == {"pumpline", "pumpline-migrate", "pumpline-web", "pumpline-worker"}


def test_no_file_names_a_setting_that_does_not_exist() -> None:
    for path in (path for path in DEPLOY.rglob("*") if path.is_file()):
        named = set(re.findall(r"\bPUMPLINE_[A-Z_]+\b", path.read_text("utf-8")))
        assert named <= SETTINGS, path.name


def test_the_example_needs_only_its_blanks_filled() -> None:
    given = dict(
        line.split("=", 1) for line in (DEPLOY / "env.example").read_text("utf-8").splitlines() if line[:1].isupper()
    )
    blanks = {
        "PUMPLINE_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "PUMPLINE_TWILIO_AUTH_TOKEN": "token",
        "PUMPLINE_TWILIO_SENDER": "+16145550100",
    }
    ours = {name: blanks.get(name, value) for name, value in given.items() if name.startswith("PUMPLINE_")}
    assert load_settings(ours).channel == "twilio"


def test_the_image_is_nobodys_and_knows_our_commands() -> None:
    lines = (DEPLOY / "Dockerfile").read_text("utf-8").splitlines()
    last = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM")) :]
    assert "USER 10001:10001" in last
    assert 'ENTRYPOINT ["pumpline"]' in last
    assert 'CMD ["run"]' in last
    copied = {line.split()[1] for line in lines if re.fullmatch(r"COPY \w+ \w+", line)}
    assert copied == {"app", "faq", "scheduler", "migrations"}
    wheel = (DEPLOY.parent / "pyproject.toml").read_text("utf-8")
    assert 'packages = ["app", "faq", "scheduler", "migrations"]' in wheel


def test_the_proxy_lets_in_what_pumpline_takes_and_never_turns_an_alarm_away() -> None:
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert f"client_max_body_size {LARGEST_FORM // 1024}k;" in text
    rooms = dict(re.findall(r"location (?:= )?(\S+) \{(.*?)\n        \}", text, re.DOTALL))
    assert "limit_" not in rooms["/twilio/"]
    assert "proxy_buffering off;" in rooms["/staff/live"]
    megabytes = int(re.findall(r"client_max_body_size (\d+)m;", rooms["/staff/patients/import"])[0])
    assert megabytes * 1024 * 1024 >= LARGEST["console.upload_file"]
    assert "limit_req" in rooms["/staff/sign-in"]
    assert "$request_uri " not in text.split("log_format")[1].split(";")[0], "a query string in the log"


def test_the_proxy_waits_for_a_request_before_pumpline_does() -> None:
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert "proxy_request_buffering off" not in text
    for waits in ("client_header_timeout", "client_body_timeout", "send_timeout"):
        assert int(re.findall(rf"^    {waits} (\d+)s;", text, re.MULTILINE)[0]) <= 30
    heads = re.findall(r"large_client_header_buffers (\d+) (\d+)k;", text)
    assert [int(count) * int(size) * 1024 for count, size in heads] == [MOST_HEAD]


def test_every_way_to_run_is_a_command() -> None:
    assert {"run", "web", "worker", "migrate"} <= COMMANDS.keys()

"""What a machine sees that watches the line: numbers that move with what happens, and nothing about anybody."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import event

from app.actions.job_health import StoredHealth
from app.actions.line import Line
from app.actions.send_outbox import send_outbox
from app.db.heartbeat import SILENT_AFTER
from app.settings import Settings, SettingsError, load_settings
from tests.conftest import FrozenClock, Someone
from tests.fakes.twilio_server import FakeTwilio
from tests.fakes.twilio_webhooks import post_form
from tests.web.test_spool import Broken, broken  # noqa: F401 a fixture

TOKEN = "a-token-for-prometheus"
Seen = Callable[..., float]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"metrics_token": SecretStr(TOKEN), "check_phone": "+16145550180"})


def page(client: FlaskClient, token: str = TOKEN) -> str:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return answer.text


@pytest.fixture
def seen(client: FlaskClient) -> Seen:
    """Return one number as Prometheus reads it: `seen("pumpline_alerts", state="open")`."""

    def value(name: str, **labels: str) -> float:
        found = [
            sample.value
            for family in text_string_to_metric_families(page(client))
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(found) == 1, (name, labels, found)
        return found[0]

    return value


@pytest.fixture
def send(app: Flask, line: Line, clock: FrozenClock) -> Callable[[], int]:
    return lambda: send_outbox(line, app.extensions["channel"], clock())


def test_nobody_reads_them_without_the_token(client: FlaskClient) -> None:
    for headers in ({}, {"Authorization": "Bearer another-token"}, {"Authorization": TOKEN}):
        answer = client.get("/metrics", headers=headers)
        assert answer.status_code == 401
        assert b"pumpline_" not in answer.data


def test_without_a_token_in_the_settings_there_is_no_such_page(app: Flask, client: FlaskClient) -> None:
    app.extensions["settings"] = app.extensions["settings"].model_copy(update={"metrics_token": None})
    assert client.get("/metrics", headers={"Authorization": "Bearer None"}).status_code == 404


def test_a_token_that_could_be_guessed_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="PUMPLINE_METRICS_TOKEN: is too short: at least 16 characters"):
        load_settings({"PUMPLINE_METRICS_TOKEN": "short"})


def test_an_urgent_text_that_nobody_sends_on_shows_and_ends(
    client: FlaskClient, maria: Someone, twilio: FakeTwilio, clock: FrozenClock, seen: Seen, send: Callable[[], int]
) -> None:
    assert seen("pumpline_safety_text_age_seconds") == 0
    twilio.deliver(client, maria.phone, "ALARM")
    clock.forward(minutes=4)
    assert seen("pumpline_safety_text_age_seconds") == 240
    assert seen("pumpline_queue_age_seconds") == 240
    assert seen("pumpline_queue_due") == 1
    assert seen("pumpline_alerts", state="open") == 1
    assert seen("pumpline_alert_age_seconds") == 240
    assert seen("pumpline_last_text_in_age_seconds") == 240
    send()
    assert seen("pumpline_safety_text_age_seconds") == 0
    assert seen("pumpline_queue_due") == 0
    assert seen("pumpline_texts_in_total") == 1
    assert seen("pumpline_texts_out_total") == 2  # the answer and the page


def test_a_lost_answer_shows_as_unknown_and_as_a_providers_error(
    client: FlaskClient, maria: Someone, twilio: FakeTwilio, clock: FrozenClock, seen: Seen, send: Callable[[], int]
) -> None:
    twilio.deliver(client, maria.phone, "ALARM")
    twilio.hang_up(after_accepting=True)
    send()
    clock.forward(minutes=3)
    assert seen("pumpline_texts_unknown") == 1
    assert seen("pumpline_unknown_age_seconds") == 180
    assert seen("pumpline_safety_text_age_seconds") == 180
    assert seen("pumpline_provider_errors_total", outcome="ask", code="none") == 1


def test_refusals_and_failed_deliveries_are_counted_by_what_they_mean_and_by_code(
    client: FlaskClient, maria: Someone, twilio: FakeTwilio, clock: FrozenClock, seen: Seen, send: Callable[[], int]
) -> None:
    twilio.deliver(client, maria.phone, "ALARM")
    twilio.refuse(429, 20429)
    send()
    clock.forward(minutes=2)
    send()
    twilio.report(twilio.accepted[0], "undelivered", 30003)
    assert seen("pumpline_provider_errors_total", outcome="repeat", code="20429") == 1
    assert seen("pumpline_provider_errors_total", outcome="undelivered", code="30003") == 1


def test_a_job_that_stopped_grows_older_than_its_limit(line: Line, clock: FrozenClock, seen: Seen) -> None:
    assert seen("pumpline_job_age_seconds", job="send_outbox") == float("inf")
    health = StoredHealth(line.db)
    health.succeeded("send_outbox", clock())
    clock.forward(minutes=6)
    health.failed("raise_pages", "OSError", clock())
    assert seen("pumpline_job_age_seconds", job="send_outbox") == 360
    assert seen("pumpline_job_limit_seconds", job="send_outbox") == 300
    assert seen("pumpline_job_failures", job="raise_pages") == 1
    assert all(seen("pumpline_job_limit_seconds", job=name) for name in SILENT_AFTER)


def test_backups_are_missed_until_there_is_one(line: Line, clock: FrozenClock, seen: Seen) -> None:
    assert seen("pumpline_backup_age_seconds") == float("inf")
    StoredHealth(line.db).succeeded("backup", clock())
    clock.forward(hours=30)
    assert seen("pumpline_backup_age_seconds") == timedelta(hours=30).total_seconds()


def test_webhooks_are_timed_by_what_became_of_them(
    client: FlaskClient,
    maria: Someone,
    twilio: FakeTwilio,
    seen: Seen,
    broken: Broken,  # noqa: F811
) -> None:
    twilio.deliver(client, maria.phone, "REFILL")
    twilio.report(twilio.replied[0], "delivered")
    post_form(client, twilio.public_url, "/twilio/sms", {"MessageSid": "SM2", "From": maria.phone}, "a wrong token")
    with broken():
        twilio.deliver(client, maria.phone, "REFILL")
        assert seen("pumpline_database_up") == 0
        assert seen("pumpline_spool_waiting") == 1
    assert seen("pumpline_database_up") == 1
    for webhook, outcome in (("sms", "taken"), ("sms", "refused"), ("sms", "kept"), ("status", "taken")):
        assert seen("pumpline_webhook_seconds_count", webhook=webhook, outcome=outcome) == 1


def test_no_name_number_or_text_is_in_them(
    client: FlaskClient, maria: Someone, twilio: FakeTwilio, send: Callable[[], int]
) -> None:
    twilio.refuse(400, 21610)
    twilio.deliver(client, maria.phone, "Maria Lopez here, ALARM")
    send()
    whole = page(client)
    for secret in ("Maria", "Lopez", "614555", "ALARM", "Northgate"):
        assert secret not in whole


def test_a_look_costs_the_same_few_statements_whatever_there_is(
    client: FlaskClient, line: Line, maria: Someone, twilio: FakeTwilio
) -> None:
    ran: list[str] = []
    event.listen(line.db.engine, "after_cursor_execute", lambda *args: ran.append(args[2]))
    page(client)
    first, ran[:] = len(ran), []
    for _ in range(5):
        twilio.deliver(client, maria.phone, "ALARM")
    ran.clear()
    page(client)
    assert len(ran) == first <= 14


def test_no_statement_reads_through_texts_reminders_or_tasks(client: FlaskClient, line: Line) -> None:
    ran: list[tuple[str, object]] = []
    event.listen(line.db.engine, "after_cursor_execute", lambda *args: ran.append((args[2], args[3])))
    page(client)
    for statement, values in list(ran):
        with line.db.engine.connect() as connection:
            plan = [str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
        through = [step for step in plan if re.match(r"SCAN (outbound|inbound|reminder|care_step|task)", step)]
        assert all("USING" in step for step in through), (statement, plan)


# readyz


def test_ready_while_the_database_answers(client: FlaskClient) -> None:
    assert client.get("/readyz").json == {"ready": True, "database": "ok", "spool": "ok"}


def test_ready_without_a_database_as_long_as_texts_can_be_kept(
    client: FlaskClient,
    settings: Settings,
    broken: Broken,  # noqa: F811
) -> None:
    """Else the proxy would have nobody left to give a text to."""
    with broken():
        answer = client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json == {"ready": True, "database": "does not answer", "spool": "ok"}
        assert client.get("/healthz").status_code == 500


def test_not_ready_where_a_text_could_be_kept_nowhere(
    client: FlaskClient,
    line: Line,
    settings: Settings,
    broken: Broken,  # noqa: F811
) -> None:
    assert line.spool is not None
    with broken():
        line.spool.folder.rmdir() if line.spool.folder.exists() else None
        line.spool.folder.write_text("no folder")
        answer = client.get("/readyz")
        line.spool.folder.unlink()
    assert (answer.status_code, answer.json) == (
        503,
        {"ready": False, "database": "does not answer", "spool": "cannot be written"},
    )


def test_not_ready_on_tables_of_an_older_version(client: FlaskClient, line: Line) -> None:
    with line.db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0012'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "pumpline migrate" in answer.json["database"]


def test_looking_leaves_nothing_behind(client: FlaskClient, line: Line) -> None:
    client.get("/readyz")
    assert line.spool is not None
    assert list(line.spool.folder.iterdir()) == []


# what is shipped for Prometheus and Grafana

MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
NAME = re.compile(r"\bpumpline_[a-z_]+")
LABELS = re.compile(r"(pumpline_[a-z_]+)\{([^}]*)\}")


@pytest.fixture
def known(
    app: Flask, client: FlaskClient, maria: Someone, twilio: FakeTwilio, send: Callable[[], int]
) -> dict[str, set[str]]:
    """Return every sample's name with its labels, once each kind has happened."""
    twilio.refuse(400, 30005)
    twilio.deliver(client, maria.phone, "ALARM")
    send()
    app.extensions["line"] = replace(app.extensions["line"], second_sender="+16145550170")
    samples = [sample for family in text_string_to_metric_families(page(client)) for sample in family.samples]
    return {sample.name: {*sample.labels} for sample in samples}


def expressions() -> Iterator[str]:
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    board = json.loads((MONITORING / "grafana.json").read_text("utf-8"))
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_rules_and_dashboard_ask_for_nothing_that_is_not_there(known: dict[str, set[str]]) -> None:
    asked = [name for expression in expressions() for name in NAME.findall(expression)]
    assert len(asked) > 30
    assert {*asked} <= known.keys()
    for expression in expressions():
        for name, labels in LABELS.findall(expression):
            assert {*re.findall(r"(\w+)\s*=~?", labels)} <= known[name]


def test_every_number_is_watched_by_a_rule_or_a_panel(known: dict[str, set[str]]) -> None:
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    derived = ("_created", "_sum")
    assert {name for name in known if not name.endswith(derived)} <= asked


def test_every_number_is_described(known: dict[str, set[str]]) -> None:
    described = (MONITORING.parents[1] / "docs" / "operations.md").read_text("utf-8")
    for name in known:
        assert re.sub("_(bucket|count|sum|created)$", "", name) in described, name


def test_every_rule_is_whole_and_its_brackets_close() -> None:
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert {"alert", "expr", "labels", "annotations"} <= rule.keys() <= {*rule, "for"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
    for expression in expressions():
        assert all(expression.count(one) == expression.count(other) for one, other in ("()", "{}", "[]"))


def test_prometheus_is_told_of_rules_that_are_there_and_of_the_token() -> None:
    told = yaml.safe_load((MONITORING / "prometheus.yaml").read_text("utf-8"))
    assert all((MONITORING / name).is_file() for name in told["rule_files"])
    assert [one["job_name"] for one in told["scrape_configs"]] == ["pumpline"]
    assert "credentials_file" in told["scrape_configs"][0]["authorization"]


def test_the_proxy_lets_nobody_at_them() -> None:
    proxy = (MONITORING.parent / "nginx.conf").read_text("utf-8")
    assert re.search(r"location = /metrics \{\s*return 404;", proxy)


COUNTS = """
import sys
from app.web.metrics import WebhookTimes
times = WebhookTimes()
times.took("sms", "taken", 0.02)
print(times.exposed().decode())
"""


def test_the_processes_of_one_server_add_up(tmp_path: Path) -> None:
    for _ in range(2):
        environ = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        said = subprocess.run([sys.executable, "-c", COUNTS], env=environ, capture_output=True, text=True, check=True)
    counts = [
        sample.value
        for family in text_string_to_metric_families(said.stdout)
        for sample in family.samples
        if sample.name == "pumpline_webhook_seconds_count"
    ]
    assert counts == [2]

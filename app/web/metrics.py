"""For whoever watches the line by machine: `/readyz` for a load balancer, `/metrics` for Prometheus.

What matters is read from the rows when it is asked for: every web machine says the same, and a `pumpline worker`, which
serves nothing, is seen through what it did or left undone. Only how fast this machine answers its webhooks, and what it
keeps on its own disk, is its own. No label holds a name, a number or a text. docs/decisions/0021-metrics-from-rows.md
"""

import hmac
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.actions.line import Line
from app.db.crypto import WrongDataKey
from app.db.engine import NotPrepared
from app.db.migrate import missing
from app.db.spool import Spool
from app.db.vital_signs import NEVER, VitalSigns, vital_signs
from app.web import current

bp = Blueprint("metrics", __name__)

# a webhook is lost to Twilio after 15 s; most take a few milliseconds
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
SHARED_BY_PROCESSES = "PROMETHEUS_MULTIPROC_DIR"  # the library's own: where several processes of one server add up


class WebhookTimes:
    """How long webhooks took, counted in this process, or together with the others of this server."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Histogram  # it looks at the environment when it is imported

        self._own = CollectorRegistry()
        self._seconds = Histogram(
            "pumpline_webhook_seconds",
            "How long a webhook took to be answered",
            ("webhook", "outcome"),
            buckets=BUCKETS,
            registry=self._own,
        )

    def took(self, webhook: str, outcome: str, seconds: float) -> None:
        self._seconds.labels(webhook, outcome).observe(seconds)

    def exposed(self) -> bytes:
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        if not os.environ.get(SHARED_BY_PROCESSES):
            return generate_latest(self._own)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def begin() -> None:
    g.began = time.perf_counter()


def end(response: Response) -> Response:
    """Count a webhook; nothing that goes wrong here may cost the answer."""
    outcome = "refused" if response.status_code >= 400 else "kept" if g.get("kept_on_disk") else "taken"
    times: WebhookTimes = current_app.extensions["webhook_times"]
    webhook = "sms" if request.path.endswith("/sms") else "status"
    times.took(webhook, outcome, time.perf_counter() - g.began)
    return response


@bp.get("/metrics")
def metrics() -> ResponseReturnValue:
    token = current.settings().metrics_token
    if token is None:
        abort(404)  # not even that it could be asked
    given = request.headers.get("Authorization", "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, b"Bearer " + token.get_secret_value().encode()):
        return Response("a bearer token is needed", 401, {"WWW-Authenticate": "Bearer"}, content_type="text/plain")
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
    from prometheus_client.registry import Collector

    class Now(Collector):
        def collect(self) -> Iterable[Any]:
            return families(current.line())

    registry = CollectorRegistry()
    registry.register(Now())
    times: WebhookTimes = current_app.extensions["webhook_times"]
    return Response(generate_latest(registry) + times.exposed(), content_type=CONTENT_TYPE_LATEST)


def families(line: Line) -> Iterator[Any]:
    """Yield what is to be shown, as Prometheus has it."""
    from prometheus_client.core import GaugeMetricFamily

    signs: VitalSigns | None = None
    try:
        with line.db.read() as session:
            signs = vital_signs(session, current.now())
    except SQLAlchemyError:
        pass  # that is a number too
    yield GaugeMetricFamily("pumpline_database_up", "1 while the database answers", float(signs is not None))
    if line.spool:
        waiting, aside = len(line.spool.waiting()), line.spool.aside()
        yield GaugeMetricFamily("pumpline_spool_waiting", "Webhooks this machine keeps for the database", waiting)
        yield GaugeMetricFamily("pumpline_spool_aside", "Webhooks that could not be taken in: look at them", aside)
    if signs is not None:
        yield from _counters(signs)
        yield from _gauges(signs)
        yield from _jobs(signs)
        if line.check_phone:
            words = "Since an answer to a text of the line's own was last seen back"
            yield GaugeMetricFamily("pumpline_check_age_seconds", words, _seconds(signs.check_age))
        if line.second_sender:
            yield _accounts(signs)


def _counters(signs: VitalSigns) -> Iterator[Any]:
    from prometheus_client.core import CounterMetricFamily

    yield CounterMetricFamily("pumpline_texts_in", "Texts that came in, by their row numbers", signs.texts_in)
    yield CounterMetricFamily("pumpline_texts_out", "Texts that were owed, by their row numbers", signs.texts_out)
    errors = CounterMetricFamily(
        "pumpline_provider_errors", "Texts the provider refused, lost or did not deliver", labels=("outcome", "code")
    )
    for label, count in signs.provider_errors.items():
        outcome, _, code = label.partition(":")
        errors.add_metric((outcome, code), count)
    yield errors


def _gauges(signs: VitalSigns) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    for name, words, value in (
        ("last_text_in_age_seconds", "Since the last text came in", _seconds(signs.last_text_in)),
        ("queue_due", "Texts that should be on their way", signs.queue_due),
        ("queue_age_seconds", "How long the longest of them has been due", _seconds(signs.queue_age)),
        ("safety_text_age_seconds", "How long the oldest unsent safety text has been due", _seconds(signs.safety_age)),
        ("texts_sending", "Texts that are being handed over", signs.sending),
        ("texts_unknown", "Texts whose fate is not known", signs.unknown),
        ("unknown_age_seconds", "For how long the oldest of them is not known", _seconds(signs.unknown_age)),
        ("alert_age_seconds", "Since the oldest unacknowledged alert was last raised", _seconds(signs.alert_age)),
        ("tasks", "Other tasks that are not resolved", signs.tasks),
        ("backup_age_seconds", "Since the last backup", _seconds(signs.backup_age)),
    ):
        yield GaugeMetricFamily(f"pumpline_{name}", words, value)
    alerts = GaugeMetricFamily("pumpline_alerts", "Alerts that are not resolved", labels=("state",))
    for state, count in signs.alerts.items():
        alerts.add_metric((state,), count)
    yield alerts
    overdue = GaugeMetricFamily("pumpline_overdue_seconds", "How long the longest due is due", labels=("what",))
    for what, age in signs.overdue.items():
        overdue.add_metric((what,), _seconds(age))
    yield overdue


def _accounts(signs: VitalSigns) -> Any:
    from prometheus_client.core import GaugeMetricFamily

    words = "For how long an account at the provider has been failing: texts leave by the other one"
    failing = GaugeMetricFamily("pumpline_account_failing_seconds", words, labels=("account",))
    for account, span in signs.accounts.items():
        failing.add_metric((account,), _seconds(span))
    return failing


def _jobs(signs: VitalSigns) -> Iterator[Any]:
    from prometheus_client.core import GaugeMetricFamily

    age = GaugeMetricFamily("pumpline_job_age_seconds", "Since a job last went well", labels=("job",))
    limit = GaugeMetricFamily("pumpline_job_limit_seconds", "From when on that is a silence", labels=("job",))
    failures = GaugeMetricFamily("pumpline_job_failures", "How often it failed in a row", labels=("job",))
    for name, job in signs.jobs.items():
        age.add_metric((name,), _seconds(job.age))
        limit.add_metric((name,), _seconds(job.limit))
        failures.add_metric((name,), job.failures)
    yield from (age, limit, failures)


def _seconds(span: timedelta) -> float:
    return float("inf") if span == NEVER else span.total_seconds()


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """200 while this process can take in a text so that it is not lost: into the database, or else on its own disk."""
    line = current.line()
    database, spool = _database(line), line.spool is not None and _can_keep(line.spool)
    ready = database == "ok" or (database == "does not answer" and spool)
    return {
        "ready": ready,
        "database": database,
        "spool": "ok" if spool else "cannot be written",
    }, 200 if ready else 503


def _database(line: Line) -> str:
    """Say how it is. That the tables are those of this version is looked at until it was so once."""
    try:
        with line.db.read() as session:
            session.execute(text("SELECT 1"))
        if not current_app.extensions.get("tables_fit"):
            if missing(line.db):
                return "has not the tables of this version: run `pumpline migrate`"
            current_app.extensions["tables_fit"] = True
        _ = line.db.lookup_key
    except NotPrepared:
        return "is not prepared: run `pumpline migrate`"
    except WrongDataKey:
        return "opens with none of our keys"
    except SQLAlchemyError:
        return "does not answer"
    return "ok"


def _can_keep(spool: Spool) -> bool:
    """Whether a webhook could be kept. It is tried: a full or read-only disk is told by nothing else."""
    probe = spool.folder / f"probe-{secrets.token_hex(6)}"
    try:
        spool.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
    except OSError:
        return False
    return True

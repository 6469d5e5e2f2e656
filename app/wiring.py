"""The only place where parts are put together: settings, database, words, channel, clock, routes, heartbeat."""

from collections.abc import Callable
from datetime import timedelta
from random import random

from flask import Flask

from app.actions.advance_clock import simulated_clock
from app.actions.job_health import StoredHealth
from app.actions.line import Line
from app.actions.prepare import FirstClinic
from app.channels.base import Channel
from app.channels.ping import ping
from app.channels.simulator import SimulatorChannel
from app.channels.twilio_sms import TwilioSms
from app.channels.two_accounts import TwoAccounts
from app.clock import Clock, system_clock
from app.db.crypto import Keyring
from app.db.engine import Database
from app.db.spool import Spool
from app.domain.breaker import Via
from app.domain.phone import countries_named
from app.domain.rate import Rates
from app.domain.strangers import Bounds
from app.domain.texts import ClinicVoice, load_words
from app.jobs import jobs_for, released_by, run_due
from app.keys import Keys, keys_for
from app.settings import Settings, load_settings
from app.web import install
from app.web.holding import Holding
from app.web.live import Live
from scheduler.embedded import EmbeddedEngine
from scheduler.engine import Engine


def wire(settings: Settings | None = None, *, clock: Clock | None = None, channel: Channel | None = None) -> Flask:
    """Return the application. Raises SettingsError, KeysError or ContentError, each saying what to mend."""
    settings = settings or load_settings()
    keys = keys_for(settings)
    line = line_for(settings, keys)
    channel = channel or channel_for(settings)
    clock = clock or clock_for(settings, line.db)

    jobs = jobs_for(line, channel, jitter=random, ping=ping_for(settings))
    health = StoredHealth(line.db)
    flask = Flask("app", static_folder="static", template_folder="web/templates")
    flask.config["SECRET_KEY"] = keys.secret_key
    flask.config["SECRET_KEY_FALLBACKS"] = list(keys.old_secret_keys)
    flask.config["SEND_FILE_MAX_AGE_DEFAULT"] = timedelta(days=7)
    flask.extensions |= {
        "line": line,
        "settings": settings,
        "channel": channel,
        "clock": clock,
        "run_due": run_due(line, channel),
        "live": Live(line.db),
        "heard": health,
        "holding": Holding(line, voice_of_settings(settings)),
        "engine": EmbeddedEngine(jobs, clock, health),
        "own_engine": EmbeddedEngine([job for job in jobs if job.here], clock, health),
    }
    install(flask, settings)
    return flask


def worker_engine(settings: Settings, name: str, concurrency: int | None) -> Engine:
    """Return what beats together with the workers of other machines. Raises as `wire` does."""
    from scheduler.distributed import DistributedEngine, Pace  # its library comes with PostgreSQL's driver

    line = line_for(settings, keys_for(settings))
    channel = channel_for(settings)
    return DistributedEngine(
        [job for job in jobs_for(line, channel, jitter=random, ping=ping_for(settings)) if not job.here],
        clock_for(settings, line.db),
        StoredHealth(line.db),
        conninfo=line.db.conninfo(),
        name=name,
        concurrency=concurrency,
        died=released_by(line),
        pace=Pace.of(settings.worker_dead_after_seconds),
    )


def line_for(settings: Settings, keys: Keys) -> Line:
    keyring = Keyring(keys.data_keys)
    return Line(
        db=Database(settings.database_url, keyring),
        spool=Spool(settings.instance_dir / "spool", keyring),
        words=load_words(settings.answers_dir),
        public_url=settings.public_url,
        channel=settings.channel,
        carrier_confirms_opt_out=settings.carrier_confirms_opt_out,
        send_drafts=settings.send_drafts,
        day_ends=settings.day_ends,
        segment_price=settings.segment_price,
        sender=settings.twilio_sender or "",
        second_sender=settings.twilio_second_sender or "",
        second_account=second_account_of(settings),
        rates=rates_of(settings),
        answers_a_day=settings.answers_a_day,
        strangers=Bounds(
            countries_named(settings.text_countries),
            settings.stranger_answers_a_day,
            settings.stranger_answers_an_hour,
        ),
        check_phone=settings.check_phone,
        check_number=settings.check_number,
        periods=settings.periods,
    )


def second_account_of(settings: Settings) -> str:
    """Return the id of the account that stands in; none where it is the first one's with another sender."""
    sids = [account.sid for account in settings.twilio_accounts.values()]
    return sids[1] if len(set(sids)) == 2 else ""


def rates_of(settings: Settings) -> Rates:
    if settings.is_simulator:
        return Rates()
    return Rates(
        settings.long_code_per_second,
        settings.toll_free_per_second,
        settings.short_code_per_second,
        settings.service_per_second,
    )


def channel_for(settings: Settings) -> Channel:
    if settings.is_simulator:
        return SimulatorChannel()
    accounts = {
        via: TwilioSms(
            account_sid=account.sid,
            auth_token=account.token.get_secret_value(),
            sender=account.sender,
            api_url=account.api_url,
            timeout_seconds=settings.twilio_timeout_seconds,
        )
        for via, account in settings.twilio_accounts.items()
    }
    if Via.FIRST not in accounts:
        raise RuntimeError("the settings let a Twilio channel through without its credentials")
    first = accounts[Via.FIRST]
    return TwoAccounts(first, accounts[Via.SECOND]) if Via.SECOND in accounts else first


def ping_for(settings: Settings) -> Callable[[], None] | None:
    """Return what reaches the operator's dead man's switch; None where there is none, and in the simulator."""
    if settings.ping_url is None or settings.is_simulator:
        return None
    address = settings.ping_url.get_secret_value()
    return lambda: ping(address)


def clock_for(settings: Settings, db: Database) -> Clock:
    return simulated_clock(db, system_clock) if settings.is_simulator else system_clock


def voice_of_settings(settings: Settings) -> ClinicVoice:
    """Return how the first clinic speaks, for as long as the database cannot be asked."""
    return ClinicVoice.of(
        settings.clinic_name,
        settings.clinic_phone,
        settings.after_hours_phone,
        settings.emergency_number,
        settings.time_zone,
        "US",
    )


def first_clinic(settings: Settings) -> FirstClinic:
    return FirstClinic(
        name=settings.clinic_name,
        phone=settings.clinic_phone,
        after_hours_phone=settings.after_hours_phone,
        on_call_phone=settings.on_call_phone,
        emergency_number=settings.emergency_number,
        time_zone=settings.time_zone,
        sender=settings.twilio_sender,
    )

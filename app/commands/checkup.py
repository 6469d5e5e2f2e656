"""What `pumpline doctor` looks at, one finding at a time, the later ones only where the earlier ones held."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.actions.check_line import LATE
from app.actions.dead_mans_ping import SAY_AFTER, lacking_since, sent_at
from app.actions.line_check import BACK, CAME, SENT
from app.clock import system_clock
from app.commands.checkup_twilio import examine_twilio
from app.commands.findings import Check, fail, ok, warn
from app.commands.house import open_database
from app.db.answers_given import answered_this_hour
from app.db.crypto import Keyring, WrongDataKey
from app.db.damaged import damaged
from app.db.engine import Database, NotPrepared
from app.db.heartbeat import BACKUP, heartbeat, well_at
from app.db.listing import clinics
from app.db.migrate import current as revision_of
from app.db.migrate import newest as newest_revision
from app.db.people import Clinic, Phone, Staff
from app.db.provider_account import all_breakers
from app.db.spool import Spool
from app.db.stuck import list_stuck
from app.db.work import JobHealth
from app.domain.breaker import Via
from app.domain.texts import load_words
from app.keys import FILE, Keys, KeysError, keys_for
from app.settings import DEMO_AFTER_HOURS_PHONE, DEMO_CLINIC_PHONE, Settings, SettingsError, load_settings
from faq.checks import check
from faq.library import ContentError

APART_SECONDS = 5
BACKED_UP_WITHIN = timedelta(hours=26)  # a day, and what a nightly one may take or slip
MOST_STUCK = 100
NAMED = 10
MIGRATE = "run `pumpline migrate`"


def examine() -> Iterator[Check]:
    """Yield the findings."""
    try:
        settings = load_settings()
    except SettingsError as error:
        for line in error.lines:
            yield fail("settings", line, "docs/settings.md describes each")
        return
    yield ok("settings", f"channel {settings.channel}")
    yield from _content(settings, system_clock().date())
    try:
        keys = keys_for(settings)
    except KeysError as error:
        yield fail("keys", str(error), "docs/settings.md, PUMPLINE_DATA_KEYS")
        return
    yield _where_keys_are(settings, keys)
    yield _spool(Spool(settings.instance_dir / "spool", Keyring(keys.data_keys)))
    yield from _database(settings, keys)
    if not settings.is_simulator:
        yield from examine_twilio(settings)


def _where_keys_are(settings: Settings, keys: Keys) -> Check:
    if not keys.from_file:
        return ok("keys", "from the settings")
    where = settings.instance_dir / FILE
    if not settings.database_url.startswith("sqlite"):
        return warn(
            "keys",
            f"kept in {where}, on this machine alone, while others may share the database",
            "set PUMPLINE_SECRET_KEY and PUMPLINE_DATA_KEYS to what that file holds, on every machine",
        )
    if settings.is_simulator:
        return ok("keys", f"made by itself, kept in {where}")
    return warn(
        "keys",
        f"kept in {where}, beside the data they protect",
        "set PUMPLINE_SECRET_KEY and PUMPLINE_DATA_KEYS to what that file holds, and keep a copy elsewhere",
    )


def _spool(spool: Spool) -> Check:
    """Say what came while the database could not be written."""
    waiting, aside = len(spool.waiting()), spool.aside()
    if aside:
        said = f"{aside} could not be taken in and {'is' if aside == 1 else 'are'} set aside in {spool.folder}"
        return fail("spool", said, "look whether a data key was taken away: docs/operations.md, the database is down")
    if waiting:
        said = f"{waiting} wait{'s' if waiting == 1 else ''} for the database"
        return warn("spool", said, "they are taken in by themselves once it can be written")
    return ok("spool", "nothing waits")


def _content(settings: Settings, today: date) -> Iterator[Check]:
    try:
        words = load_words(settings.answers_dir)
    except (ContentError, ValueError) as error:
        yield fail("content", str(error), "mend the file it names")
        return
    library = words.library
    findings = check(library, today)
    answers = [answer for by_topic in library.answers.values() for answer in by_topic.values()]
    if findings:
        yield fail("content", f"{len(findings)} findings in {len(answers)} answers", "run `pumpline check-content`")
    else:
        yield ok("content", f"{len(answers)} answers in order")
    drafts = sum(answer.state != "signed" for answer in answers)
    voices = sum(voice.state != "signed" for voice in words.voices.values())
    if drafts or voices:
        sent = "are sent all the same" if settings.send_drafts else "are held back"
        yield warn(
            "content",
            f"{drafts} answers and {voices} sets of system texts are drafts no clinician has signed; they {sent}",
            "have a clinician read and sign them; PUMPLINE_SEND_DRAFTS=no holds drafts back",
        )


def _stuck(session: Session, now: datetime) -> Check:
    found = list_stuck(session, now, limit=MOST_STUCK)
    if not found:
        return ok("texts", "each has an end, or is on its way to one")
    many = f"at least {MOST_STUCK}" if len(found) == MOST_STUCK else str(len(found))
    said = f"{many} without an end for too long, the oldest since {found[0].since:%Y-%m-%d %H:%M} UTC"
    return fail("texts", said, "`pumpline messages stuck` lists them; look whether the jobs run, and call who waits")


def _database(settings: Settings, keys: Keys) -> Iterator[Check]:
    db = open_database(settings, keys)
    try:
        current, newest = revision_of(db), newest_revision()
        if current != newest:
            yield fail("database", f"is at {current or 'nothing'}, this version needs {newest}", MIGRATE)
            return
        yield ok("database", f"{db.engine.dialect.name}, migrated to {newest}")
        _ = db.lookup_key
        yield ok("keys", "open the database")
        with db.read() as session:
            if not db.is_sqlite:
                yield _clock(session, system_clock())
            yield _strangers(session, db, system_clock(), settings)
            yield from _clinics(session, db, settings)
            yield _readable(session, db)
            yield _accounts(session)
            yield from _jobs(session, system_clock(), settings)
            yield _stuck(session, system_clock())
            if not settings.is_simulator:
                yield from _provider_accounts(session, settings)
                yield _backup(session, system_clock(), settings)
                yield _sign_of_life(session, system_clock(), settings)
                yield _own_texts(session, system_clock(), settings)
    except WrongDataKey:
        yield fail(
            "keys",
            "none of the data keys opens what is stored",
            f"bring back the PUMPLINE_DATA_KEYS, or the {FILE}, that this database was made with",
        )
    except NotPrepared as error:
        yield fail("database", str(error), MIGRATE)
    except DBAPIError as error:
        yield fail(
            "database",
            f"cannot be reached ({type(error.orig).__name__})",
            "check PUMPLINE_DATABASE_URL, and that the server runs and lets this user in",
        )
    except ModuleNotFoundError:
        yield fail("database", "its driver is not installed", "install pumpline[postgres]")
    finally:
        db.close()


def _clinics(session: Session, db: Database, settings: Settings) -> Iterator[Check]:
    found = clinics(session)
    if not found:
        yield fail("clinic", "there is none", MIGRATE)
    for clinic in found:
        yield _on_call(session, db, clinic)
        fictional = {clinic.phone, clinic.after_hours_phone} & {DEMO_CLINIC_PHONE, DEMO_AFTER_HOURS_PHONE}
        if fictional and not settings.is_simulator:
            yield fail(
                "clinic",
                f"clinic {clinic.id} still tells patients to call the demo's fictional phone number",
                "run `pumpline clinic set --phone +1... --after-hours-phone +1...`",
            )


def _on_call(session: Session, db: Database, clinic: Clinic) -> Check:
    if not clinic.on_call_phone:
        return warn(
            "on-call phone",
            f"clinic {clinic.id} has none: an urgent text pages nobody",
            "set one: pumpline clinic set --on-call-phone +16145550190",
        )
    phone = session.scalar(
        select(Phone).where(Phone.clinic_id == clinic.id, Phone.number_hash == db.hash_of(clinic.on_call_phone))
    )
    if phone is not None and phone.opted_out_at is not None:
        return fail("on-call phone", f"clinic {clinic.id}'s has opted out: pages do not arrive", "text START from it")
    return ok("on-call phone", f"clinic {clinic.id} has one")


def _readable(session: Session, db: Database) -> Check:
    """Name what cannot be read by table and id: texts go on without a name, and nobody without a number is texted."""
    found = damaged(session, db.keyring)
    if not found:
        return ok("records", "names and numbers can be read")
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return fail(
        "records",
        f"cannot be read: {', '.join(map(str, found[:NAMED]))}{more}",
        'give the data key that is missing; what is damaged, type anew: docs/operations.md, "When something is wrong"',
    )


def _strangers(session: Session, db: Database, now: datetime, settings: Settings) -> Check:
    answers, most = answered_this_hour(db, session, now), settings.stranger_answers_an_hour
    if answers < most:
        return ok("unknown phones", f"{answers} answers within the last hour, at most {most}")
    return warn(
        "unknown phones",
        f"{answers} answers within an hour: they get no more for now",
        'somebody may be pumping texts: docs/messaging.md, "Phones that nobody knows"',
    )


def _clock(session: Session, now: datetime) -> Check:
    """Compare this machine's time with the database's, which every machine can ask."""
    at = session.scalar(select(func.clock_timestamp()))
    apart = abs((at - now).total_seconds()) if at is not None else 0.0
    if apart > APART_SECONDS:
        return warn("clock", f"this machine's is {apart:.0f} s apart from the database's", "keep both by NTP")
    return ok("clock", "as the database's")


def _accounts(session: Session) -> Check:
    if session.scalar(select(func.count()).select_from(Staff).where(Staff.active)):
        return ok("staff", "there are accounts")
    return warn("staff", "there is no account", "run `pumpline staff add you@clinic.example --role lead_nurse`")


def _backup(session: Session, now: datetime, settings: Settings) -> Check:
    """The row is written by `pumpline backup`, on whichever machine; a restored database asks for a new one."""
    made_at = session.scalar(select(JobHealth.ok_at).where(JobHealth.name == BACKUP))
    if made_at is not None and now - made_at < BACKED_UP_WITHIN:
        return ok("backup", f"the newest is {hours(now - made_at)} old")
    said = "none was made of this database" if made_at is None else f"the newest is {hours(now - made_at)} old"
    key = "" if settings.backup_key else "set PUMPLINE_BACKUP_KEY, and "
    return warn("backup", said, f"{key}run `pumpline backup` every night: docs/backup.md")


def _provider_accounts(session: Session, settings: Settings) -> Iterator[Check]:
    """Say by which account texts leave, where there are two."""
    name = "accounts"
    if settings.twilio_second_sender is None:
        yield warn(
            name,
            "there is one way for texts to leave: where it fails, they wait",
            "set PUMPLINE_TWILIO_SECOND_SENDER: docs/operations.md, a second account",
        )
        return
    known = all_breakers(session)
    failing = {via: one.failing_since for via, one in known.accounts.items() if one.failing_since}
    for clinic_id, one in known.own.items():
        if one.failing_since:
            since = f"fails since {one.failing_since:%Y-%m-%d %H:%M} UTC: its texts leave by the second account"
            yield fail(name, f"the own sender of clinic {clinic_id} {since}", "docs/runbooks.md, 8")
    if Via.FIRST in failing:
        way = "none works" if Via.SECOND in failing else "texts leave by the second one"
        yield fail(
            name, f"the first one fails since {failing[Via.FIRST]:%Y-%m-%d %H:%M} UTC: {way}", "docs/runbooks.md, 8"
        )
    elif Via.SECOND in failing:
        yield warn(name, "the second one fails: nothing would take over", "see `second twilio` below")
    else:
        yield ok(name, "texts leave by the first one, and a second stands by")


def _sign_of_life(session: Session, now: datetime, settings: Settings) -> Check:
    name = "sign of life"
    if settings.ping_url is None:
        return warn(name, "nobody outside is told that the line works", "set PUMPLINE_PING_URL: docs/operations.md")
    last = sent_at(session)
    if last is not None and now - last <= SAY_AFTER:
        return ok(name, f"sent {int((now - last).total_seconds() // 60)} minutes ago")
    lacking = lacking_since(session, last, now)
    why = "; ".join(lacking) if lacking else "the address does not take it, or no process beats"
    return warn(name, f"not sent lately: {why}", "docs/runbooks.md, for what is named")


def _own_texts(session: Session, now: datetime, settings: Settings) -> Check:
    """Say how far a text of the line's own got: the first leg that is missing is where to look."""
    name = "own texts"
    if settings.check_phone is None:
        return warn(
            name, "the line does not text itself", "set PUMPLINE_CHECK_PHONE: docs/operations.md, a text of our own"
        )
    sent, came, back = (well_at(session, row) for row in (SENT, CAME, BACK))
    if sent is None or back is None:
        return warn(name, "none was sent yet", "is `pumpline run` or a `pumpline worker` running?")
    if now - back <= LATE:
        return ok(name, f"an answer was seen back {int((now - back).total_seconds() // 60)} minutes ago")
    if now - sent > LATE:
        return fail(name, "none is sent any more", "is `pumpline run` or a `pumpline worker` running?")
    if came is None or came < sent:
        lost = "the last was sent, and it never came in: Twilio did not take it, or does not reach our webhook"
    else:
        lost = (
            "the last came in, and its answer did not get back: Twilio takes no answers, or its reports do not reach us"
        )
    return fail(name, lost, "docs/runbooks.md, the line does not answer its own texts")


def hours(span: timedelta) -> str:
    whole = int(span.total_seconds() // 3600)
    return f"{whole} hours" if whole < 72 else f"{whole // 24} days"


def _jobs(session: Session, now: datetime, settings: Settings) -> Iterator[Check]:
    """A simulator's clock may be ahead, and nobody needs it to run: there, silence is not looked at."""
    beats = heartbeat(session, now)
    for job in beats.failing:
        yield fail("jobs", f"{job.name} failed {job.failures} times in a row ({job.error})", "read the log around it")
    if beats.silent and not settings.is_simulator:
        yield fail(
            "jobs",
            f"not run lately: {', '.join(beats.silent)}; reminders and pages wait",
            "is `pumpline run` or a `pumpline worker` running, and PUMPLINE_SCHEDULER not `no` in every process?",
        )
    elif beats.yet_to_start:
        yield warn("jobs", "none has run yet", "start `pumpline run`, or a `pumpline worker`")
    elif not beats.failing:
        yield ok("jobs", "none keeps failing" if settings.is_simulator else "all run, none keeps failing")

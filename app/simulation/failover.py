"""A rehearsal of an account that fails: the real outbox and Twilio client against two carriers on this machine.

On a database of its own that is thrown away, under a virtual clock that goes on by a second at a time.
"""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from app.actions.hand_back import hand_back
from app.actions.line import Line
from app.actions.outbox import owe
from app.actions.prepare import FirstClinic, prepare
from app.actions.send_outbox import send_outbox
from app.actions.settle_unknown import settle_unknown
from app.channels.twilio_sms import TwilioSms
from app.channels.two_accounts import TwoAccounts
from app.db.crypto import Keyring
from app.db.directory import phone_named
from app.db.engine import Database
from app.db.messages import OutboundMessage, Purpose
from app.db.migrate import migrate
from app.db.provider_account import breakers
from app.domain.breaker import Via
from app.domain.delivery import DeliveryState
from app.domain.texts import Rendered, load_words
from app.simulation.carrier import Carrier, Mood

SENDERS = {Via.FIRST: "+16145559991", Via.SECOND: "+16145559992"}
CLINIC = FirstClinic("Drill", "+16145550100", "+16145550101", None, "911", "America/New_York", SENDERS[Via.FIRST])
TEXTS, URGENT = 12, 3  # a scene, and how many of them are urgent
PHONES = 4
_UNSETTLED = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNKNOWN)
LONGEST = timedelta(minutes=30)  # a scene


@dataclass
class Scene:
    """What one scene showed; spans in seconds of the drill's time."""

    name: str
    texts: int = 0
    by_first: int = 0
    by_second: int = 0
    in_doubt: int = 0  # of which it was not known for a while whether they were taken
    urgent_waited: float = 0  # the longest of those that were never in doubt
    waited: float = 0  # likewise, of all
    fails_at_end: bool = False


@dataclass
class Rehearsed:
    scenes: list[Scene] = field(default_factory=list)
    lost: int = 0
    twice: int = 0
    unsettled: int = 0
    handed_back: bool = False

    @property
    def kept(self) -> bool:
        return self.handed_back and not (self.lost or self.twice or self.unsettled)


class _Stage:
    def __init__(self, line: Line, first: Carrier, second: Carrier, now: datetime) -> None:
        self.line, self.now, self.began = line, now, now
        self.carriers = {Via.FIRST: first, Via.SECOND: second}
        accounts = {
            via: TwilioSms(one.sid, one.token, SENDERS[via], one.url, timeout_seconds=2)
            for via, one in self.carriers.items()
        }
        self.channel = TwoAccounts(accounts[Via.FIRST], accounts[Via.SECOND])
        self.owed_at: dict[str, tuple[datetime, bool]] = {}  # by body

    def owe(self, urgent: bool) -> None:
        n = len(self.owed_at)
        body = f"Rehearsal {n}."
        with self.line.db.begin() as session:
            phone_id = phone_named(self.line.db, session, 1, f"+1614555010{n % PHONES}", self.now)
            words = Rendered(body, "by hand", 1, draft=False)
            owe(
                session,
                clinic_id=1,
                phone_id=phone_id,
                words=words,
                purpose=Purpose.STAFF,
                dedupe_key=f"drill:{n}",
                now=self.now,
                urgent=urgent,
            )
        self.owed_at[body] = (self.now, urgent)

    def second_passes(self) -> None:
        self.now += timedelta(seconds=1)
        for carrier in self.carriers.values():
            carrier.now = self.now
        elapsed = int((self.now - self.began).total_seconds())
        if elapsed % 15 == 0:
            hand_back(self.line, self.channel, self.now)
        if elapsed % 5 == 0:
            settle_unknown(self.line, self.channel, self.now)
        send_outbox(self.line, self.channel, self.now, senders=4, steady=lambda: 0.0)

    def first_fails(self) -> bool:
        with self.line.db.read() as session:
            return breakers(session)[Via.FIRST].is_failing

    def unsettled(self) -> int:
        with self.line.db.read() as session:
            return len(session.scalars(select(OutboundMessage.id).where(OutboundMessage.state.in_(_UNSETTLED))).all())

    def doubtful(self) -> set[str]:
        with self.line.db.read() as session:
            query = select(OutboundMessage).where(OutboundMessage.state == DeliveryState.UNKNOWN)
            return {message.body for message in session.scalars(query)}


def rehearse(now: datetime, told: Callable[[Scene], None]) -> Rehearsed:
    """Play every scene and count at the carriers; `told` hears of each as it ends."""
    found = Rehearsed()
    with _stage(now) as stage:
        for name, mood, until in (
            ("both accounts are well", Mood.WELL, None),
            ("the first refuses our credentials", Mood.REVOKED, None),
            ("it is well again", Mood.WELL, stage.first_fails),
            ("the first answers with errors", Mood.BROKEN, None),
            ("it is well again", Mood.WELL, stage.first_fails),
            ("the first takes texts and hangs up", Mood.HANGING_UP, None),
            ("it is well again", Mood.WELL, stage.first_fails),
            ("nothing listens at the first", Mood.GONE, None),
            ("it is well again", Mood.WELL, stage.first_fails),
        ):
            stage.carriers[Via.FIRST].set_mood(mood)
            scene = _play(stage, name, until)
            found.scenes.append(scene)
            told(scene)
        held = Counter(text.body for carrier in stage.carriers.values() for text in carrier.held)
        found.lost = len(stage.owed_at.keys() - held.keys())
        found.twice = sum(times - 1 for times in held.values())
        found.unsettled = stage.unsettled()
        found.handed_back = not stage.first_fails()
    return found


def _play(stage: _Stage, name: str, until: Callable[[], bool] | None) -> Scene:
    """Owe some texts and let time pass until all are gone that can go, and, where it is so, the first is back."""
    scene, began = Scene(name), stage.now
    before = {via: len(carrier.held) for via, carrier in stage.carriers.items()}
    owed = set(stage.owed_at)
    doubtful: set[str] = set()
    while stage.now - began < LONGEST:
        if (n := len(stage.owed_at) - len(owed)) < TEXTS:  # one a second
            stage.owe(urgent=n % (TEXTS // URGENT) == 1)
        stage.second_passes()
        doubtful |= stage.doubtful()
        if n < TEXTS - 1:
            continue
        if until is None and _all_gone(stage, doubtful):
            break
        if until is not None and not until() and not stage.unsettled():
            break
        if until is not None and int((stage.now - began).total_seconds()) % 60 == 0:
            stage.owe(urgent=False)  # life goes on: one of these is what tries the account
    scene.texts = len(stage.owed_at.keys() - owed)
    scene.by_first, scene.by_second = (len(stage.carriers[via].held) - before[via] for via in Via)
    scene.in_doubt, scene.fails_at_end = len(doubtful), stage.first_fails()
    for text in (text for via in Via for text in stage.carriers[via].held[before[via] :]):
        owed_at, urgent = stage.owed_at[text.body]
        if text.body in doubtful or text.body in owed:
            continue
        waited = (text.at - owed_at).total_seconds()
        scene.waited = max(scene.waited, waited)
        scene.urgent_waited = max(scene.urgent_waited, waited if urgent else 0)
    return scene


def _all_gone(stage: _Stage, doubtful: set[str]) -> bool:
    held = {text.body for carrier in stage.carriers.values() for text in carrier.held}
    return not stage.owed_at.keys() - held - doubtful


@contextmanager
def _stage(now: datetime) -> Iterator[_Stage]:
    quiet = logging.getLogger("app.actions")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL + 1)  # what goes wrong here is meant to
    with tempfile.TemporaryDirectory(prefix="pumpline-drill-") as folder, Carrier(now) as first, Carrier(now) as second:
        db = Database(f"sqlite:///{Path(folder)}/drill.db", Keyring([Keyring.new_key()]))
        try:
            migrate(db)
            prepare(db, CLINIC, now)
            line = Line(
                db=db,
                words=load_words(None),
                channel="twilio",
                sender=SENDERS[Via.FIRST],
                second_sender=SENDERS[Via.SECOND],
                second_account=second.sid,
            )
            yield _Stage(line, first, second, now)
        finally:
            db.close()
            quiet.setLevel(level)

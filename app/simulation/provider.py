"""A provider that sometimes fails: it refuses for a while, loses answers, reports late, out of order and twice.

What it does with a text hangs on the recipient and on how many texts it was handed for them before, on nothing else.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from app.channels.base import Accepted, Came, Outgoing, Told, error_for
from app.domain.delivery import Failure, Next, failure
from app.domain.silence import CLOCKS_APART
from app.simulation.agenda import Agenda, instant
from app.simulation.parameters import MINUTES_A_DAY, Shard, stream
from faq.segments import measure

_TOKEN = re.compile(r"[?&]m=([\w-]+)")
_NO_CONNECTION = Failure(Next.REPEAT, "no connection")
_NO_ANSWER = Failure(Next.ASK, "no answer")
_LATE_WEBHOOK = 0.02


@dataclass
class Text:
    """One text that the provider holds. What it is about is looked up once it is known to be taken."""

    number: str
    body: str
    token: str
    provider_id: str
    purpose: str = "reply"
    text_id: str = ""
    patient_id: int | None = None
    appointment_id: int | None = None
    step: str = ""
    task_id: int = 0


@dataclass
class Handset:
    """A phone. Its owner reads what arrives; one that is off gets nothing, ever."""

    number: str
    read: Callable[[Text], None]
    fails_with: int | None = None  # the carrier's code; None: texts arrive


@dataclass(frozen=True)
class Report:
    status: str
    token: str
    provider_id: str
    error_code: int | None = None


@dataclass(frozen=True)
class Bad:
    """A time in which calls fail, every one or `share` of them."""

    start: int
    end: int
    share: float


def bad_times(shard: Shard) -> tuple[Bad, ...]:
    """Return outages, and shorter times of many refusals. They are the same for every clinic: it is one provider."""
    parameters = shard.parameters
    chance = stream(parameters.seed, "outages")
    whole = parameters.days * MINUTES_A_DAY
    found = []
    for _ in range(parameters.outages):
        start = chance.randrange(whole)
        found.append(Bad(start, start + chance.randint(60, 360), 1.0))
    for _ in range(round(parameters.days / 30)):
        start = chance.randrange(whole)
        found.append(Bad(start, start + chance.randint(10, 45), 0.5))
    return tuple(sorted(found, key=lambda bad: bad.start))


@dataclass
class Provider:
    """A Channel. `taken` holds what it took since it was last emptied."""

    shard: Shard
    agenda: Agenda
    report: Callable[[Report], None]
    name: str = "simulated provider"
    phones: dict[str, Handset] = field(default_factory=dict)
    taken: list[Text] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    delivered: Counter[tuple[str, ...]] = field(default_factory=Counter)  # by what must reach a phone once only

    def __post_init__(self) -> None:
        self._bad = bad_times(self.shard)
        self._handed: Counter[str] = Counter()
        self._ids: set[str] = set()
        self._held: defaultdict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)

    # the channel

    def send(self, message: Outgoing) -> Accepted:
        number = message.recipient
        self._handed[number] += 1
        self.counts["handed to the provider"] += 1
        chance = self.shard.stream("send", number, self._handed[number])
        luck, way = chance.random() / self.shard.parameters.trouble, chance.random()
        share = self._failing()
        if share:
            if luck * self.shard.parameters.trouble < share:
                self.counts["refused by the provider" if way < 0.5 else "without an answer"] += 1
                raise error_for(_NO_CONNECTION if way < 0.5 else failure(503, None))
        elif luck < 0.004:
            self.counts["refused by the provider"] += 1
            raise error_for(failure(429, None))
        elif luck < 0.006:
            self.counts["without an answer"] += 1
            raise error_for(_NO_ANSWER)
        text = self._take(number, message.body, message.status_callback or "")
        if not share and luck < 0.012:
            self.counts["answer lost"] += 1
            raise error_for(_NO_ANSWER)
        return Accepted(text.provider_id, measure(message.body).count)

    def came_since(self, since: datetime) -> tuple[Came, ...]:  # noqa: ARG002 the simulated carrier loses no webhook
        return ()

    def check_credentials(self) -> str:
        return "the simulated carrier needs no account"

    def told_of(self, provider_id: str) -> Told | None:
        """It is on its way: the simulated carrier reports the rest, however late."""
        return Told("sent") if provider_id in self._ids else None

    def find(self, recipient: str, body: str, made_at: datetime, but: Collection[str] = ()) -> str | None:
        if self._failing() == 1:
            raise error_for(_NO_ANSWER)
        if self.shard.off("settling"):
            return None
        held = [
            (-abs(at - made_at), provider_id)
            for at, provider_id in self._held[recipient, body]
            if at >= made_at - CLOCKS_APART and provider_id not in but
        ]
        return max(held)[1] if held else None

    def _failing(self) -> float:
        now = self.agenda.minute
        return max((bad.share for bad in self._bad if bad.start <= now < bad.end), default=0.0)

    def _take(self, number: str, body: str, callback: str) -> Text:
        found = _TOKEN.search(callback)
        text = Text(number, body, found[1] if found else "", self._new_id())
        self._ids.add(text.provider_id)
        self._held[number, body].append((instant(self.agenda.minute + 1), text.provider_id))
        self.taken.append(text)
        return text

    def _new_id(self) -> str:
        self.counts["texts held by the provider"] += 1
        return f"SM{self.counts['texts held by the provider']:032d}"

    # texts that come in

    def delay_of(self, number: str, count: int) -> tuple[int, bool]:
        """Return after how many minutes a person's text reaches us, and whether it is then delivered twice."""
        chance = self.shard.stream("come in", number, count)
        late = chance.randint(5, 150) if chance.random() < _LATE_WEBHOOK else int(chance.random() < 0.1)
        now = self.agenda.minute
        ends = max((bad.end for bad in self._bad if bad.share == 1 and bad.start <= now < bad.end), default=now)
        if ends > now and chance.random() < 0.5:
            late += ends - now
        return late, chance.random() < 0.015

    def hand_over(self, number: str, body: str, token: str) -> None:
        """Take a reply that was in the answer to a webhook."""
        self._handed[number] += 1
        self.carry(Text(number, body, token, self._new_id()))

    # what becomes of a text

    def carry(self, text: Text) -> None:
        """Bring a text to its phone, or not, and report about it."""
        phone = self.phones.get(text.number)
        chance = self.shard.stream("carry", text.number, self._handed[text.number], text.purpose)
        luck = chance.random()
        minutes = 1 if chance.random() < 0.9 else chance.randint(2, 40)
        reports_at = minutes + (chance.randint(0, 2) if chance.random() < 0.95 else chance.randint(10, 240))
        if phone is None or phone.fails_with or luck < 0.01:
            code = (phone.fails_with if phone else 30005) or (30003 if luck < 0.006 else 30008)
            self.counts["undelivered"] += 1
            self._reports(text, "undelivered", code, reports_at, chance.random())
            return
        self.agenda.after(minutes, lambda: self._rings(phone, text))
        if chance.random() < 0.3:  # not every carrier tells
            self._reports(text, "delivered", None, reports_at, chance.random())

    def _rings(self, phone: Handset, text: Text) -> None:
        self.counts["texts on a phone"] += 1
        self.delivered["token", text.number, text.token] += 1
        if text.step:
            self.delivered["step", text.number, str(text.patient_id), text.step, text.text_id] += 1
        phone.read(text)

    def _reports(self, text: Text, status: str, code: int | None, minutes: int, luck: float) -> None:
        final = Report(status, text.token, text.provider_id, code)
        self.agenda.after(minutes, lambda: self.report(final))
        if luck < 0.1:  # "sent" before it, and now and then after it
            sent = Report("sent", text.token, text.provider_id)
            self.agenda.after(0 if luck < 0.07 else minutes + 3, lambda: self.report(sent))
        if 0.1 <= luck < 0.13:
            self.agenda.after(minutes + 7, lambda: self.report(final))

    @property
    def duplicates(self) -> int:
        """Texts that reached a phone though it had had the same before; each is counted once, for either reason."""
        twice = [key for key, times in self.delivered.items() if times > 1]
        by_token = sum(self.delivered[key] - 1 for key in twice if key[0] == "token")
        by_step = sum(self.delivered[key] - 1 for key in twice if key[0] == "step")
        return max(by_token, by_step)

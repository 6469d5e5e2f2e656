"""One scenario on one database, from a whole line to a whole line."""

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random

from sqlalchemy import select

from app.actions.acknowledge_task import acknowledge_task
from app.actions.line import Line
from app.db.engine import Database
from app.db.work import Task, TaskState
from app.domain.texts import Words, load_words
from tests.chaos import line, truth
from tests.chaos.clock import SetClock
from tests.chaos.databases import Postgresql, Sqlite
from tests.chaos.fleet import Fleet, Member
from tests.chaos.weather import FAIR, Carrier, Weather

_AT_ONCE = 16
_APART = 0.8
_TEXTS_SECOND = 5  # every fifth text comes to the second number, where there is one
_SETTLES_WITHIN = timedelta(hours=3)  # by the run's clock; some texts are tried for an hour before a person is asked
_STRIDE = timedelta(seconds=60)
_A_SECOND = 40  # messages, on a slow machine, with everything that follows from them


@dataclass(frozen=True)
class Scenario:
    """`faults` runs while patients text, and mends what it broke. `lasts`: for how many seconds they text, at least."""

    name: str
    faults: Callable[["Run"], None]
    members: Mapping[str, Callable[[], list[Member]]]  # by the database's name; it is tried on these
    weather: Weather = FAIR
    points: tuple[str, ...] = ()
    lasts: float = 0
    day: line.Day = line.ORDINARY
    two_accounts: bool = False
    before: Callable[["Run"], None] = lambda run: None
    after: Callable[["Run", truth.Verdict], None] = lambda run, found: None


@dataclass
class Run:
    """What a scenario's faults may reach."""

    scenario: Scenario
    size: line.Size
    held: Sqlite | Postgresql
    clock: SetClock
    carrier: Carrier
    fleet: Fleet
    db: Database
    chance: Random
    texting: threading.Event = field(default_factory=threading.Event)
    sids: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    second: Carrier | None = None  # the account that stands in

    @property
    def carriers(self) -> list[Carrier]:
        return [carrier for carrier in (self.carrier, self.second) if carrier]

    def pause(self, least: float, most: float) -> None:
        time.sleep(self.chance.uniform(least, most))


@dataclass(frozen=True)
class Base:
    """A filled clinic, made once and copied for each scenario."""

    folder: Path
    kind: str
    size: line.Size
    day: line.Day

    @classmethod
    def made(cls, folder: Path, kind: str, size: line.Size, day: line.Day = line.ORDINARY) -> "Base":
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        clock = SetClock(folder, day.made_at)
        held = _held(kind, folder, clock)
        if isinstance(held, Postgresql):
            held.make()
            held.start()
        try:
            line.make(held, size, line.settings(folder, held.url, Carrier()) | clock.environ, clock, day)
        finally:
            if isinstance(held, Postgresql):
                held.stop("fast")
        return cls(folder, kind, size, day)


def try_scenario(scenario: Scenario, base: Base, folder: Path, seed: int) -> truth.Verdict:
    """Run it in a folder of its own, and say what was found."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    subprocess.run(["cp", "-a", f"{base.folder}/.", str(folder)], check=True)
    clock = SetClock(folder, base.day.starts_at)
    held = _held(base.kind, folder, clock)
    with ExitStack() as stack:
        about = {"seed": seed, "clock": clock.now, "public_url": line.PUBLIC_URL, "weather": scenario.weather}
        carrier = stack.enter_context(Carrier(**about))
        second = stack.enter_context(Carrier(**line.SECOND, **about)) if scenario.two_accounts else None
        environ = line.settings(folder, held.url, carrier, second) | clock.environ
        held.start()
        db = truth.opened(held.url, environ["PUMPLINE_DATA_KEYS"])
        fleet = Fleet(folder, environ, scenario.members[base.kind](), points=list(scenario.points))
        run = Run(scenario, base.size, held, clock, carrier, fleet, db, Random(seed), second=second)
        try:
            scenario.before(run)
            with fleet:
                for one in run.carriers:
                    one.webs = fleet.webs
                _go(run)
                found = _settled(run)
            scenario.after(run, found)
            _look_at_logs(run, found)
            _look_with_commands(run, environ, found)
        finally:
            db.close()
            held.stop()
    found.counted |= {"deaths": fleet.deaths, **run.notes}
    if not found.wrong:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _held(kind: str, folder: Path, clock: SetClock) -> Sqlite | Postgresql:
    return Sqlite(folder) if kind == "sqlite" else Postgresql(folder, clock.environ)


def _go(run: Run) -> None:
    """Let patients text while the faults last."""
    said = line.sayings(run.size, seed=7)
    run.sids = [f"SM{n:032x}" for n in range(len(said))]
    broken: list[BaseException] = []

    def faults() -> None:
        try:
            run.scenario.faults(run)
        except BaseException as error:
            broken.append(error)

    breaking = threading.Thread(target=faults)
    run.texting.set()
    breaking.start()
    began, few = time.monotonic(), threading.Lock()

    def one(n: int) -> None:
        time.sleep(max(0.0, began + n / len(said) * run.scenario.lasts - time.monotonic()))
        if n > len(said) // 2:
            with few:  # somebody still texts when the last crash point is armed, however slow the machine
                time.sleep(_APART if run.fleet.points and breaking.is_alive() else 0)
        by_second = run.second is not None and n % _TEXTS_SECOND == 0
        (run.second if run.second and by_second else run.carrier).text(*said[n], run.sids[n])

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(one, range(len(said))))
    run.texting.clear()
    breaking.join()
    if broken:
        raise broken[0]


def _settled(run: Run) -> truth.Verdict:
    """With fair weather again, let the clock run until nothing is under way, or long enough."""
    for carrier in run.carriers:
        carrier.weather = FAIR
    run.fleet.wait_until_up()
    ends = run.clock.now() + _SETTLES_WITHIN
    found_at_least = run.clock.now() + timedelta(minutes=12)  # the list of missed texts is read every five
    came, patience = 0, time.monotonic() + run.size.messages / _A_SECOND
    while run.clock.now() < ends:
        before, came = came, truth.texts_in(run.db)
        if (came > before or _spooled(run)) and time.monotonic() < patience:
            time.sleep(1)  # what was kept or missed is being taken in: that needs no clock, and beats that last long
            continue  # would be taken for dead ones by a clock that races
        run.clock.step(_STRIDE)
        time.sleep(1)
        _acknowledge_all(run)
        if run.clock.now() < found_at_least or not all(carrier.quiet() for carrier in run.carriers) or _spooled(run):
            continue
        if truth.open_texts(run.db) or truth.texts_in(run.db) < len(run.sids):
            continue
        time.sleep(2)  # reports that are being written down
        if not truth.open_texts(run.db):
            break
    found = truth.look(run.db, run.carriers, run.sids)
    for member in run.fleet.members:
        found.expect(run.fleet.stop(member.name) == 0, f"{member.name} did not stop when asked to")
    return found


def _spooled(run: Run) -> bool:
    return any((run.held.folder / "spool").glob("*.sealed"))


def _acknowledge_all(run: Run) -> None:
    """As the nurse on call does: otherwise every alert pages for ever."""
    ours = Line(db=run.db, words=_words())
    with run.db.read() as session:
        ids = session.scalars(select(Task.id).where(Task.state == TaskState.OPEN, Task.next_page_at.is_not(None))).all()
    for task_id in ids:
        acknowledge_task(ours, task_id, run.clock.now(), None)


@cache
def _words() -> Words:
    return load_words(None)


def _look_at_logs(run: Run, found: truth.Verdict) -> None:
    said = run.fleet.said()
    found.expect("+1614" not in said, "a number stands in the log")
    found.expect("CH-0" not in said and "Family" not in said, "a patient stands in the log")
    found.counted["tracebacks"] += said.count("Traceback")


def _look_with_commands(run: Run, environ: Mapping[str, str], found: truth.Verdict) -> None:
    for words in (("audit", "verify"), ("messages", "stuck")):
        done = subprocess.run(
            [sys.executable, "-m", "tests.chaos.crash_points", *words],
            env=dict(environ),
            capture_output=True,
            text=True,
        )
        found.expect(done.returncode == 0, f"pumpline {' '.join(words)}: {done.stdout[-300:]}{done.stderr[-300:]}")

"""Running it: each clinic by itself, in as many processes as there are processors, and one report of all."""

import multiprocessing
import os
import queue
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.collecting import little_collecting
from app.domain.texts import Words, load_words
from app.simulation.beats import quiet_logs
from app.simulation.checks import Findings, at_the_end, see_through
from app.simulation.clinic import simulated_clinic
from app.simulation.parameters import MINUTES_A_DAY, Parameters, Shard, shards_of

Told = Callable[[int], None]


def simulate(parameters: Parameters, told: Told = lambda _: None, *, processes: int | None = None) -> Findings:
    """Return what was found. `told` hears of every day simulated: days times clinics in all.

    The report is the same however many processes run it.
    """
    shards = shards_of(parameters)
    at_most = min(len(shards), processes or os.cpu_count() or 1)
    with TemporaryDirectory(prefix="pumpline-simulation-") as folder:
        if at_most == 1:
            words = load_words()
            found = [run_shard(shard, words, Path(folder), told) for shard in shards]
        else:
            found = _in_processes(shards, at_most, Path(folder), told)
    whole = Findings()
    for findings in found:
        whole.add(findings)
    return whole


def run_shard(shard: Shard, words: Words, folder: Path, told: Told) -> Findings:
    with quiet_logs(), little_collecting(), simulated_clinic(shard, words, folder) as world:
        world.run(shard.parameters.days * MINUTES_A_DAY, told)
        findings = at_the_end(world)
        see_through(world, findings)
        return findings


def _in_processes(shards: tuple[Shard, ...], at_most: int, folder: Path, told: Told) -> list[Findings]:
    context = multiprocessing.get_context("spawn")  # no thread, lock or connection of ours goes along
    said = context.Queue()
    waiting, running, found = list(shards), dict[int, Any](), dict[int, Findings]()
    try:
        while waiting or running:
            while waiting and len(running) < at_most:
                shard = waiting.pop(0)
                process = context.Process(target=_work, args=(shard, folder, said), daemon=True)
                process.start()
                running[shard.number] = process
            try:
                number, days, findings = said.get(timeout=1)
            except queue.Empty:
                _all_live(running)
                continue
            told(days)
            if findings is not None:
                found[number] = findings
                running.pop(number).join()
    finally:
        for process in running.values():
            process.terminate()
            process.join()
    return [found[shard.number] for shard in shards]


def _all_live(running: dict[int, Any]) -> None:
    for number, process in running.items():
        if process.exitcode not in (None, 0):
            raise RuntimeError(f"the simulation of clinic {number + 1} stopped: see above")


def _work(shard: Shard, folder: Path, said: Any) -> None:
    findings = run_shard(shard, load_words(), folder, lambda days: said.put((shard.number, days, None)))
    said.put((shard.number, 0, findings))

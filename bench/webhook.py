"""One text in: Pumpline's whole webhook beside a bare signed echo and beside what one would write first."""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from bench.house import add_patients, environment, folder, open_line, process
from bench.results import Measured, Results
from bench.texts import KNOWN_PHONES

_CONTESTANTS = ("echo", "pumpline", "naive")
_AT_ONCE = 16


@dataclass(frozen=True)
class Effort:
    """How long to measure. A slice is one contestant's turn."""

    rounds: int = 7
    slice_seconds: float = 2.0
    idle_seconds: float = 0.8


QUICK = Effort(rounds=2, slice_seconds=0.6, idle_seconds=0.3)


def webhook(effort: Effort, say: Callable[[str], None], workers: int = 1) -> Results:
    """Measure in round-robin slices, and compare only slices of the same round. `workers`: of each contestant."""
    busy: list[dict[str, dict[str, float]]] = []
    idle: list[dict[str, dict[str, float]]] = []
    with _contestants(workers) as ports, _generator() as load:
        for name in _CONTESTANTS:
            load(ports[name], 1, _AT_ONCE, 0.5)  # warm
        for n in range(1, effort.rounds + 1):
            order = _CONTESTANTS[n % 3 :] + _CONTESTANTS[: n % 3]
            busy.append({name: load(ports[name], 2 * n, _AT_ONCE, effort.slice_seconds) for name in order})
            idle.append({name: load(ports[name], 2 * n + 1, 1, effort.idle_seconds) for name in order})
            say(f"round {n}: " + ", ".join(f"{name} {busy[-1][name]['rate']:.0f}/s" for name in _CONTESTANTS))
    return _compared(busy, idle)


def _compared(busy: list[dict[str, dict[str, float]]], idle: list[dict[str, dict[str, float]]]) -> Results:
    def ratio(rounds: list[dict[str, dict[str, float]]], what: str, against: str) -> Measured:
        return Measured.of([one["pumpline"][what] / one[against][what] for one in rounds], "ratio")

    results = {
        "webhook_vs_echo_sqlite": ratio(busy, "rate", "echo"),
        "webhook_vs_naive": ratio(busy, "rate", "naive"),
        "webhook_p99_vs_echo": ratio(busy, "p99", "echo"),
        "webhook_p50_idle_vs_echo": ratio(idle, "p50", "echo"),
    }
    for name in _CONTESTANTS:
        results[f"{name}_per_s"] = Measured.of([one[name]["rate"] for one in busy], "texts/s")
        results[f"{name}_p99_ms"] = Measured.of([1e3 * one[name]["p99"] for one in busy], "ms")
        results[f"{name}_p50_idle_ms"] = Measured.of([1e3 * one[name]["p50"] for one in idle], "ms")
        results[f"{name}_errors"] = Measured.of([one[name]["errors"] for one in busy], "answers")
    return results


@contextmanager
def _contestants(workers: int) -> Iterator[dict[str, int]]:
    """Start all three on the same server with the same workers and threads; yield their ports."""
    with folder() as place, ExitStack() as stack:
        line = open_line(place)
        add_patients(line, KNOWN_PHONES)
        line.db.close()
        ports = {name: free_port() for name in _CONTESTANTS}
        for name, port in ports.items():
            env = environment(place, port=port) | {"BENCH_WORKERS": str(workers)}
            stack.enter_context(process("bench.serve", name, str(place), env=env))
        for port in ports.values():
            wait_for(port)
        yield ports


@contextmanager
def _generator() -> Iterator[Callable[[int, int, int, float], dict[str, float]]]:
    with process("bench.load", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as generator:

        def load(port: int, seed: int, connections: int, seconds: float) -> dict[str, float]:
            return ask(generator, {"port": port, "seed": seed, "connections": connections, "seconds": seconds})

        yield load


def ask(generator: "subprocess.Popen[str]", order: dict[str, Any]) -> dict[str, float]:
    if generator.stdin is None or generator.stdout is None:
        raise RuntimeError("the load generator has no pipes")
    print(json.dumps(order), file=generator.stdin, flush=True)
    answer: dict[str, float] = json.loads(generator.stdout.readline())
    return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise RuntimeError("a contestant did not start") from None
            time.sleep(0.02)
        else:
            return

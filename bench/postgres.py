"""A PostgreSQL of our own to measure on: Debian's, on loopback, as durable as it is by default."""

import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLUSTER = "BENCH_POSTGRESQL"  # in the environment, so that the processes we start know it too
_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def cluster(place: Path) -> Iterator[None]:
    """Run a server with its data in `place`; its server will not run as root."""
    if not _BINARIES:
        raise RuntimeError("there is no PostgreSQL here: apt-get install postgresql")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = place / "cluster"
    data.mkdir(parents=True)
    if os.getuid() == 0:
        for owned in (place, data):
            shutil.chown(owned, "postgres")
    _run(f"initdb -D {data} -U postgres -A trust")
    _run(
        f"pg_ctl -D {data} -w -l {place}/log -o "
        f"'-p {port} -k {data} -c listen_addresses=127.0.0.1 -c max_connections=200' start"
    )
    os.environ[CLUSTER] = f"postgres@127.0.0.1:{port}"
    try:
        yield
    finally:
        del os.environ[CLUSTER]
        _run(f"pg_ctl -D {data} -m immediate -w stop")


def url_for(instance: Path) -> str | None:
    """Return the address of an instance's database, made where it is new; None while SQLite is measured."""
    where = os.environ.get(CLUSTER)
    if where is None:
        return None
    import psycopg

    name = "bench_" + hashlib.sha256(str(instance.resolve()).encode()).hexdigest()[:12]
    with psycopg.connect(f"postgresql://{where}/postgres", autocommit=True) as connection:
        # two workers that start together ask at once, and the server lets the second one fail
        connection.execute("SELECT pg_advisory_lock(7236199)")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return f"postgresql+psycopg://{where}/{name}"


def _run(words: str) -> None:
    command = f"{_BINARIES[-1]}/{words}"
    whole = ["su", "postgres", "-s", "/bin/sh", "-c", command] if os.getuid() == 0 else ["/bin/sh", "-c", command]
    done = subprocess.run(whole, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        raise RuntimeError(f"PostgreSQL: {done.stderr.decode()[-500:]}")

"""The database of a run: a SQLite file, or a PostgreSQL of our own that may be stopped, slowed down and refused."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.drills.real_process import free_port

_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def is_here() -> bool:
    return bool(_BINARIES)


@dataclass
class Sqlite:
    folder: Path
    name: str = "sqlite"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/pumpline.db"

    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Postgresql:
    """A cluster in `folder`, on loopback, whose server keeps the run's clock. Its server will not run as root."""

    folder: Path
    environ: Mapping[str, str]
    name: str = "postgresql"

    def __post_init__(self) -> None:
        if not _BINARIES:
            raise RuntimeError("there is no PostgreSQL here: apt-get install postgresql")
        self._port = free_port()
        self._data = self.folder / "cluster"
        self._log = self.folder / "postgresql.txt"

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self._port}/postgres"

    def make(self) -> None:
        self._data.mkdir(parents=True)
        if os.getuid() == 0:
            shutil.chown(self._data, "postgres")
            shutil.chown(self.folder, "postgres")
        self._run(f"initdb -D {self._data} -U postgres -A trust --no-sync")

    def start(self) -> None:
        ways = f"-p {self._port} -k {self._data} -c listen_addresses=127.0.0.1 -c max_connections=200"
        self._run(f"pg_ctl -D {self._data} -w -l {self._log} -o '{ways}' start")

    def stop(self, how: str = "immediate") -> None:
        """`immediate`: as a power cut, what is not written ahead is gone."""
        self._run(f"pg_ctl -D {self._data} -m {how} -w stop")

    def sql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def read_only(self, is_so: bool) -> None:
        """As a replica that was promoted wrongly: every write is refused, on the connections that are open too."""
        self.sql(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if is_so else 'off'}")
        self.sql("SELECT pg_reload_conf()")

    def _run(self, words: str) -> None:
        faked = " ".join(f"{name}={value}" for name, value in self.environ.items())
        command = f"env {faked} {_BINARIES[-1]}/{words}"
        whole = ["su", "postgres", "-s", "/bin/sh", "-c", command] if os.getuid() == 0 else ["/bin/sh", "-c", command]
        done = subprocess.run(whole, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError(f"PostgreSQL: {done.stderr.decode()[-500:]}")

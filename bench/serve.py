"""Serve one contestant as `pumpline run` serves: `python -m bench.serve echo|naive|pumpline FOLDER`."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from app.commands.server import Server
from app.settings import load_settings
from bench.contestants import echo, naive

WORKERS = int(os.environ.get("BENCH_WORKERS", "1"))


class Contestant(Server):
    """Pumpline's own server, workers and threads, with another application in it, which has no live pages to end."""

    def load(self) -> Any:
        app = naive(Path(sys.argv[2])) if sys.argv[1] == "naive" else echo()
        app.extensions["live"] = SimpleNamespace(stop=lambda: None)
        return app


def main() -> None:
    settings = load_settings()
    (Server if sys.argv[1] == "pumpline" else Contestant)(settings, WORKERS).run()


if __name__ == "__main__":
    main()

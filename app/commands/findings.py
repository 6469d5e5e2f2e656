"""One finding of `pumpline doctor`."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    name: str
    result: Literal["ok", "warn", "fail"]
    what: str
    remedy: str | None = None


def ok(name: str, what: str) -> Check:
    return Check(name, "ok", what)


def warn(name: str, what: str, remedy: str) -> Check:
    return Check(name, "warn", what, remedy)


def fail(name: str, what: str, remedy: str) -> Check:
    return Check(name, "fail", what, remedy)

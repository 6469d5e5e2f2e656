"""What the running application offers to a route: the line, the settings, the time, the channel."""

from datetime import datetime
from typing import cast

from flask import current_app, g, request

from app.actions.job_health import StoredHealth
from app.actions.line import Line
from app.channels.base import Channel
from app.clock import Clock, system_clock
from app.settings import Settings
from app.web.holding import Holding
from app.web.live import Live


def line() -> Line:
    return cast(Line, current_app.extensions["line"])


def settings() -> Settings:
    return cast(Settings, current_app.extensions["settings"])


def channel() -> Channel:
    return cast(Channel, current_app.extensions["channel"])


def live() -> Live:
    return cast(Live, current_app.extensions["live"])


def holding() -> Holding:
    return cast(Holding, current_app.extensions["holding"])


def heard() -> StoredHealth:
    return cast(StoredHealth, current_app.extensions["heard"])


def now() -> datetime:
    """The line's time: in the simulator it may be ahead of the machine's. On a staff page one request has one time."""
    clock = cast(Clock, current_app.extensions["clock"])
    if request.blueprint != "console":
        return clock()  # the simulator pushes its clock within a request
    if "now" not in g:
        g.now = clock()
    return cast(datetime, g.now)


def machine_now() -> datetime:
    """The machine's own time: for sessions and throttling, which a pushed simulator clock must not end."""
    return system_clock()

"""Pumpline: a text line for people with an intrathecal baclofen pump, and a console for their nurses."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.channels.base import Channel
    from app.clock import Clock
    from app.settings import Settings


def create_app(
    settings: "Settings | None" = None, *, clock: "Clock | None" = None, channel: "Channel | None" = None
) -> "Flask":
    """Wire the parts of one installation. Nothing is migrated, sent or started here."""
    from app.wiring import wire

    return wire(settings, clock=clock, channel=channel)

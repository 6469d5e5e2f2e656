"""What forms and marks in browsers are signed with: the newest key signs, those before it are still accepted."""

from flask import Flask


def signing_keys(app: Flask) -> list[str]:
    """Return the keys, oldest first, as itsdangerous takes them."""
    return [*reversed(app.config["SECRET_KEY_FALLBACKS"] or ()), str(app.secret_key)]

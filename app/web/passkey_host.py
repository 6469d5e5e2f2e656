"""Passkeys belong to a host by name: an address of numbers has none."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask


def passkey_host(public_url: str) -> str:
    """Return the name that passkeys are bound to; empty where browsers allow none (numbers, http elsewhere)."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return host if parts.scheme == "https" or host == "localhost" else ""
    return ""


def offers_passkeys(app: Flask) -> bool:
    return bool(passkey_host(app.extensions["settings"].public_url))

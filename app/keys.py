"""The keys of this installation: from the settings, else made once and kept in the instance folder."""

import json
import os
import secrets
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from app.db.crypto import Keyring
from app.setting_rules import split_keys
from app.settings import Settings

FILE = "keys.json"


class KeysError(Exception):
    """The file with the keys cannot be used; says what to do."""


@dataclass(frozen=True)
class Keys:
    """`from_file`: at least one of them comes from the instance folder, not from the settings."""

    secret_key: str = field(repr=False)
    data_keys: tuple[str, ...] = field(repr=False)
    from_file: bool


def keys_for(settings: Settings) -> Keys:
    """Return the keys to use, making them at the first start. Raises KeysError."""
    secret_key = settings.secret_key.get_secret_value() if settings.secret_key else None
    data_keys = split_keys(settings.data_keys) if settings.data_keys else ()
    if secret_key and data_keys:
        return Keys(secret_key, data_keys, from_file=False)
    kept = _kept(settings.instance_dir / FILE)
    return Keys(secret_key or kept.secret_key, data_keys or kept.data_keys, from_file=True)


def _kept(path: Path) -> Keys:
    if not path.exists():
        _make(path)
    return _read(path)


def _make(path: Path) -> None:
    """Write new keys unless another process was first: a hard link appears whole, and never over an existing file."""
    content = json.dumps({"secret_key": secrets.token_urlsafe(48), "data_keys": [Keyring.new_key()]}, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".keys-")  # mode 0600
    except OSError as error:
        raise KeysError(
            f"the folder {path.parent} cannot be written: make it writable, or set PUMPLINE_INSTANCE_DIR"
        ) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        os.unlink(temporary)


def _read(path: Path) -> Keys:
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)  # copied or restored without care: nobody else's business
        data = json.loads(path.read_text(encoding="utf-8"))
        keys = Keys(str(data["secret_key"]), tuple(str(key) for key in data["data_keys"]), from_file=True)
        Keyring(keys.data_keys)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeysError(
            f"{path} cannot be used ({type(error).__name__}): restore it from a backup, or set PUMPLINE_SECRET_KEY "
            "and PUMPLINE_DATA_KEYS; without the old data keys nothing stored can be read"
        ) from None
    return keys

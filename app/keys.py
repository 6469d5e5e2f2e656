"""The keys of this installation: from the settings, else made once and kept in the instance folder.

Both kinds take new keys beside the old ones: `pumpline keys` changes the file, and says what to change in the settings.
"""

import json
import os
import secrets
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from app.db.crypto import Keyring
from app.db.durable import write_durably
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
    old_secret_keys: tuple[str, ...] = field(default=(), repr=False)  # still accepted, never signing


def keys_for(settings: Settings) -> Keys:
    """Return the keys to use, making them at the first start. Raises KeysError."""
    secret_key = settings.secret_key.get_secret_value() if settings.secret_key else None
    data_keys = split_keys(settings.data_keys) if settings.data_keys else ()
    old = split_keys(settings.old_secret_keys) if settings.old_secret_keys else ()
    if secret_key and data_keys:
        return Keys(secret_key, data_keys, from_file=False, old_secret_keys=old)
    kept = _kept(settings.instance_dir / FILE)
    return Keys(
        secret_key or kept.secret_key,
        data_keys or kept.data_keys,
        from_file=True,
        old_secret_keys=old if secret_key else (*old, *kept.old_secret_keys),
    )


def add_data_key(settings: Settings, *, front: bool) -> None:
    """Make a data key and keep it in the file: behind the others, where it opens, or in front, where it seals."""
    kept = _kept(settings.instance_dir / FILE)
    made = Keyring.new_key()
    _change(settings, replace(kept, data_keys=(made, *kept.data_keys) if front else (*kept.data_keys, made)))


def put_in_front(settings: Settings) -> None:
    """Let the key that was added last seal from now on."""
    kept = _kept(settings.instance_dir / FILE)
    _change(settings, replace(kept, data_keys=(kept.data_keys[-1], *kept.data_keys[:-1])))


def keep_only_first(settings: Settings) -> None:
    """Take every data key but the first out of the file."""
    kept = _kept(settings.instance_dir / FILE)
    _change(settings, replace(kept, data_keys=kept.data_keys[:1]))


def renew_secret_key(settings: Settings) -> None:
    """Make a secret key; the one before it is accepted for as long as it stands behind."""
    kept = _kept(settings.instance_dir / FILE)
    old = (kept.secret_key, *kept.old_secret_keys)
    _change(settings, replace(kept, secret_key=secrets.token_urlsafe(48), old_secret_keys=old))


def forget_old_secret_keys(settings: Settings) -> None:
    _change(settings, replace(_kept(settings.instance_dir / FILE), old_secret_keys=()))


def _change(settings: Settings, keys: Keys) -> None:
    """Raises KeysError."""
    path = settings.instance_dir / FILE
    try:
        write_durably(path, _content(keys).encode(), new=False)
    except OSError as error:
        raise KeysError(f"{path} cannot be written ({type(error).__name__}): nothing was changed") from error


def _content(keys: Keys) -> str:
    said: dict[str, object] = {"secret_key": keys.secret_key, "data_keys": keys.data_keys}
    if keys.old_secret_keys:
        said["old_secret_keys"] = keys.old_secret_keys
    return json.dumps(said, indent=1)


def _kept(path: Path) -> Keys:
    if not path.exists():
        _make(path)
    return _read(path)


def _make(path: Path) -> None:
    """Write new keys unless another process was first: a hard link appears whole, and never over an existing file."""
    content = _content(Keys(secrets.token_urlsafe(48), (Keyring.new_key(),), from_file=True))
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
        keys = Keys(
            str(data["secret_key"]),
            tuple(str(key) for key in data["data_keys"]),
            from_file=True,
            old_secret_keys=tuple(str(key) for key in data.get("old_secret_keys", ())),
        )
        Keyring(keys.data_keys)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeysError(
            f"{path} cannot be used ({type(error).__name__}): restore it from a backup, or set PUMPLINE_SECRET_KEY "
            "and PUMPLINE_DATA_KEYS; without the old data keys nothing stored can be read"
        ) from None
    return keys

"""Files that a power cut does not lose: written, forced to disk, and only then named."""

import os
from pathlib import Path


def write_durably(path: Path, content: bytes, *, new: bool) -> None:
    """Write a file that only the service's own user can read. It has its name when it is whole, or is not there.

    `new`: nobody else may be writing one of this name, and what stands there half-written is an error. Raises OSError.
    """
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC), 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError:
        part.unlink(missing_ok=True)  # on a full disk a half would only take the room that the next one needs
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a new or vanished name durable, not only what is in the file."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

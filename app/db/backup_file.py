"""A backup: one file, gzip of JSON lines inside the age format, the same from either database.

The first line is the header, the last one a hash of all before it; between them what waited in the spool, then table by
table, every row a list. age seals it in chunks, so that a file that was cut, mixed up or changed does not open to its
end. `age -d -i KEYFILE FILE | gunzip` shows it without Pumpline.
"""

import gzip
import hashlib
import json
import os
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyrage

from app.db.row_copy import Row
from app.db.shapes import KINDS, Column, Shape

FORMAT = 1
_MARK = "pumpline backup"
_LEVEL = 1  # what is sealed hardly gets smaller, however long one tries
_PIECE = 1 << 16
Sections = Iterable[tuple[Shape, Iterable[Row]]]
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class BadBackup(Exception):
    """A file that cannot be used as a backup; says why."""


@dataclass(frozen=True)
class Header:
    """What a backup says of itself before its rows."""

    made_at: str  # ISO, UTC
    version: str  # of Pumpline
    revision: str  # of the tables
    database: str  # sqlite, postgresql
    key_ids: tuple[str, ...]  # of the data keys without which it cannot be read
    no_key: int  # values that no key opened when it was made
    point: Mapping[str, Any]
    rows: Mapping[str, int]
    numbered: Mapping[str, int]
    tables: tuple[Shape, ...] = field(default=(), repr=False)
    spooled: int = 0


@dataclass(frozen=True)
class Spooled:
    """A webhook that waited for the database, sealed as it lay there."""

    name: str
    content: bytes = field(repr=False)


class _Lines:
    """The plain lines of a backup, with the hash over them."""

    def __init__(self, header: Header, spool: Sequence[Spooled], sections: Sections) -> None:
        self._header, self._spool, self._sections = header, spool, sections
        self._hash = hashlib.sha256()
        self.digest = ""

    def __iter__(self) -> Iterator[bytes]:
        for said in self._said():
            line = said.encode("ascii") + b"\n"
            self._hash.update(line)
            yield line
        self.digest = self._hash.hexdigest()
        yield _encode({"sha256": self.digest}).encode("ascii") + b"\n"

    def _said(self) -> Iterator[str]:
        yield _encode(_header_out(self._header))
        for one in self._spool:
            yield _encode({"spool": one.name, "content": one.content.decode("latin-1")})
        for shape, rows in self._sections:
            yield _encode({"table": shape.name})
            secret, count = shape.places_of("bytes"), 0
            for count, row in enumerate(rows, start=1):  # noqa: B007 - counts
                yield _encode(_row_out(row, secret) if secret else row)
            yield _encode({"end": shape.name, "rows": count})


def _row_out(row: Row, secret: Sequence[int]) -> list[Any]:
    values = list(row)
    for place in secret:
        if values[place] is not None:
            values[place] = bytes(values[place]).decode("latin-1")  # a byte, a character: any bytes, and back
    return values


def write(
    file: BinaryIO,
    header: Header,
    spool: Sequence[Spooled],
    sections: Sections,
    recipients: Sequence[Any],
) -> str:
    """Write a backup and return the hash of what it holds. Raises what reading rows or writing the file raises."""
    lines = _Lines(header, spool, sections)
    source = _Squeezed(iter(lines))
    sink = _Sink(file)
    try:
        pyrage.encrypt_io(source, sink, list(recipients))
    except pyrage.EncryptError:
        raised = source.raised or sink.raised
        if raised is None:
            raise
        raise raised from None
    return lines.digest


class _Squeezed:
    """What the encryption reads from: it asks for bytes, the rows are drawn as they are needed."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._zip = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
        self._ready = bytearray()
        self._done = False
        self.raised: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            while len(self._ready) < size and not self._done:
                self._fill()
        except BaseException as error:  # the encryption keeps the words of an error and loses the error
            self.raised = error
            raise
        piece = bytes(self._ready[:size])
        del self._ready[:size]
        return piece

    def _fill(self) -> None:
        batch, size = [], 0
        for line in self._lines:
            batch.append(line)
            size += len(line)
            if size >= _PIECE:
                break
        else:
            self._done = True
        self._ready += self._zip.compress(b"".join(batch))
        if self._done:
            self._ready += self._zip.flush()


class _Sink:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.raised: BaseException | None = None

    def write(self, piece: bytes) -> int:
        try:
            return self._file.write(piece)
        except BaseException as error:
            self.raised = error
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except BaseException as error:
            self.raised = error
            raise


@contextmanager
def opened(path: Path, identities: Sequence[Any]) -> Iterator["Reader"]:
    """Open a backup for one reading from its beginning to its end. Raises BadBackup, OSError."""
    with path.open("rb") as file:
        decrypting = _Decrypting(file, identities)
        try:
            yield Reader(decrypting)
        finally:
            decrypting.close()


class _Decrypting:
    """Decrypts in a thread of its own, through a pipe: the library pushes, and we would rather draw."""

    def __init__(self, file: BinaryIO, identities: Sequence[Any]) -> None:
        out, into = os.pipe()
        self._end = os.fdopen(out, "rb")
        self.plain = gzip.GzipFile(fileobj=self._end)
        self._raised: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(file, into, list(identities)), daemon=True)
        self._thread.start()

    def _run(self, file: BinaryIO, into: int, identities: list[Any]) -> None:
        try:
            with os.fdopen(into, "wb") as pipe:
                pyrage.decrypt_io(file, pipe, identities)
        except Exception as error:
            self._raised = error

    def lines(self) -> Iterator[bytes]:
        try:
            yield from self.plain
        except (EOFError, OSError, zlib.error):
            raise self._why() from None
        self._thread.join()
        if self._raised:
            raise self._why()

    def _why(self) -> BadBackup:
        self.close()
        said = str(self._raised or "")
        if "No matching keys" in said:
            return BadBackup("PUMPLINE_BACKUP_KEY does not open this file: it was written for another key")
        if isinstance(self._raised, pyrage.DecryptError):
            return BadBackup("this is no backup of Pumpline's, or its beginning is damaged")
        return BadBackup("the file is damaged or was cut: use another one")

    def close(self) -> None:
        self._end.close()  # a thread that still writes finds nobody reading, and ends
        self._thread.join()


class Reader:
    """One reading of a backup. `spool` and `tables` are read in this order, each once."""

    def __init__(self, decrypting: _Decrypting) -> None:
        self._lines = decrypting.lines()
        self._hash = hashlib.sha256()
        self._pushed: Any = None
        self.digest = ""
        self.header = _header_in(self._next())

    def _next(self) -> Any:
        if self._pushed is not None:
            pushed, self._pushed = self._pushed, None
            return pushed
        line = next(self._lines, None)
        if line is None:
            raise BadBackup("the file ends too early: use another one")
        try:
            value = json.loads(line)
        except ValueError:
            raise BadBackup("this is no backup of Pumpline's") from None
        if not (isinstance(value, dict) and "sha256" in value):
            self._hash.update(line)
        return value

    def spool(self) -> list[Spooled]:
        found = []
        while "spool" in (value := self._next()):
            found.append(Spooled(value["spool"], value["content"].encode("latin-1")))
        self._pushed = value
        return found

    def tables(self) -> Iterator[tuple[Shape, Iterator[Row]]]:
        """Yield every table with its rows, read before the next one; at the end all is checked. Raises BadBackup."""
        shapes = {shape.name: shape for shape in self.header.tables}
        told: dict[str, int] = {}
        while "table" in (value := self._next()):
            shape = shapes[value["table"]]
            rows = self._rows(shape, told)
            yield shape, rows
            for _ in rows:  # whoever broke off half-way
                pass
        if told != dict(self.header.rows):
            raise BadBackup("a table is missing, or has other rows than the header says: use another one")
        self.digest = self._hash.hexdigest()
        if value.get("sha256") != self.digest or next(self._lines, None) is not None:
            raise BadBackup("the file does not hold what was written: use another one")

    def _rows(self, shape: Shape, told: dict[str, int]) -> Iterator[Row]:
        secret, width, count = shape.places_of("bytes"), len(shape.columns), 0
        while isinstance(value := self._next(), list):
            if len(value) != width:
                raise BadBackup("a row has other columns than its table: use another one")
            for place in secret:
                if value[place] is not None:
                    value[place] = value[place].encode("latin-1")
            count += 1
            yield tuple(value)
        if value != {"end": shape.name, "rows": count}:
            raise BadBackup("a table ends too early: use another one")
        told[shape.name] = count


def check(path: Path, identities: Sequence[Any], told: Callable[[int], None] = lambda _: None) -> Reader:
    """Read a backup to its end and return what was read of it. Raises BadBackup, OSError."""
    with opened(path, identities) as reader:
        reader.spool()
        for _, rows in reader.tables():
            told(sum(1 for _ in rows))
        return reader


def _header_out(header: Header) -> dict[str, Any]:
    return {
        _MARK: FORMAT,
        "made_at": header.made_at,
        "version": header.version,
        "revision": header.revision,
        "database": header.database,
        "key_ids": header.key_ids,
        "no_key": header.no_key,
        "point": dict(header.point),
        "rows": dict(header.rows),
        "numbered": dict(header.numbered),
        "spooled": header.spooled,
        "tables": [
            {"name": shape.name, "key": shape.key, "columns": [[column.name, column.kind] for column in shape.columns]}
            for shape in header.tables
        ],
    }


def _header_in(said: Any) -> Header:
    if not isinstance(said, dict) or _MARK not in said:
        raise BadBackup("this is no backup of Pumpline's")
    if said[_MARK] != FORMAT:
        raise BadBackup(f"this backup is of format {said[_MARK]}, this version reads {FORMAT}: use a newer Pumpline")
    tables = tuple(
        Shape(one["name"], tuple(Column(name, kind) for name, kind in one["columns"]), tuple(one["key"]))
        for one in said["tables"]
    )
    if strange := {column.kind for shape in tables for column in shape.columns} - KINDS:
        raise BadBackup(f"this backup holds values this version does not know ({', '.join(strange)})")
    return Header(
        made_at=said["made_at"],
        version=said["version"],
        revision=said["revision"],
        database=said["database"],
        key_ids=tuple(said["key_ids"]),
        no_key=said["no_key"],
        point=said["point"],
        rows=said["rows"],
        numbered=said["numbered"],
        tables=tables,
        spooled=said["spooled"],
    )

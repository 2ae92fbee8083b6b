"""The SQLite file off its disk, all the time: each minute the pages that changed go to another place.

A generation begins with every page; segments with the changed pages follow, each on the disk before it has its name.
The copy that is compared comes from SQLite's own online backup, so it is one moment of the database; see
docs/decisions/0005. Sealed fields stay sealed and wrapped keys wrapped; the master key is not in it.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812

from sqlalchemy import Connection

from storage.backup.errors import BackupFailed, ForeignBackup, NewerBackup, NotABackup
from storage.backup.shelf import STAMP
from storage.crypto import MasterKeys
from storage.engine import known_schemas, upgrade
from storage.errors import NoSuchMasterKey, WrongKey
from storage.files import sync_folder

PAGES, SEGMENT = "pages", "segment.json"
SEAL_SUBJECT = "stream"
GENERATION = timedelta(days=1)
KEPT_GENERATIONS = 2  # so an erased patient has left the stream after two days
NUMBER_BYTES = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """What stands in one file: `pages` of `page_size` bytes is the length of the whole database afterwards."""

    number: int
    made_at: str
    schema: str
    page_size: int
    pages: int
    changed: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Shipped:
    changed: int
    pages: int
    size: int  # bytes written to the stream


class Stream:
    """Ships what changed since the last time; begins with everything, as a process does not trust an earlier one."""

    def __init__(self, file: Path, target: Path, masters: MasterKeys) -> None:
        self._file, self._target, self._masters = file, target, masters
        self._known: list[bytes] = []
        self._generation: Path | None = None
        self._began = datetime.min.replace(tzinfo=UTC)
        self._number = 0
        self._reader: sqlite3.Connection | None = None
        self._version: int | None = None
        self._lock = Lock()

    def ship(self, now: datetime) -> Shipped | None:
        """None when nothing was committed since the last time. Raises `BackupFailed`; the next try ships all of it."""
        with self._lock:
            return self._ship(now)

    def _ship(self, now: datetime) -> Shipped | None:
        reader = self._reader or sqlite3.connect(self._file, isolation_level=None, timeout=15, check_same_thread=False)
        self._reader = reader
        reader.execute("PRAGMA wal_autocheckpoint=0")
        version = reader.execute("PRAGMA data_version").fetchone()[0]
        old = now - self._began >= GENERATION
        if version == self._version and not old:
            return None
        try:
            shipped = self._write(reader, now, anew=old or self._generation is None)
        except OSError as error:
            self._generation, self._began = None, datetime.min.replace(tzinfo=UTC)
            raise BackupFailed(self._target, error.strerror or type(error).__name__) from None
        self._version = version
        return shipped

    def close(self) -> None:
        with self._lock:
            if self._reader is not None:
                self._reader.close()

    def _write(self, reader: sqlite3.Connection, now: datetime, *, anew: bool) -> Shipped:
        copy = self._file.with_name(self._file.name + ".shipping")
        try:
            schema, page_size = _copy(reader, copy)
            if anew:
                self._generation = self._target / f"{now.astimezone(UTC):{STAMP}}"
                self._generation.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._known, self._number = [], 0
            assert self._generation is not None  # nosec B101
            shipped = self._segment(copy, self._generation, now, schema, page_size)
        finally:
            copy.unlink(missing_ok=True)
        if anew:
            self._began = now
            for old in sorted(_generations(self._target))[:-KEPT_GENERATIONS]:
                shutil.rmtree(old)
        return shipped

    def _segment(self, copy: Path, folder: Path, now: datetime, schema: str, page_size: int) -> Shipped:
        number = self._number + 1
        target = folder / f"{number:06}.zip"
        partial = target.with_name(target.name + ".partial")
        hashes: list[bytes] = []
        digest, changed = hashlib.sha256(), 0
        try:
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
                with ZipFile(raw, "w", ZIP_DEFLATED, compresslevel=1) as file:
                    with file.open(PAGES, "w", force_zip64=True) as member:
                        for place, page in _pages(copy, page_size):
                            seen = hashlib.blake2b(page, digest_size=16).digest()
                            hashes.append(seen)
                            if place < len(self._known) and self._known[place] == seen:
                                continue
                            entry = place.to_bytes(NUMBER_BYTES) + page
                            digest.update(entry)
                            member.write(entry)
                            changed += 1
                    made = Segment(
                        number, now.isoformat(), schema, page_size, len(hashes), changed, digest.hexdigest()
                    )  # fmt: skip
                    file.writestr(SEGMENT, self._sealed(made))
                raw.flush()
                os.fsync(raw.fileno())
            size = partial.stat().st_size
            partial.replace(target)
            sync_folder(folder)
        finally:
            partial.unlink(missing_ok=True)
        self._known, self._number = hashes, number
        return Shipped(changed, len(hashes), size)

    def _sealed(self, segment: Segment) -> str:
        text = json.dumps(asdict(segment))
        master, seal = self._masters.wrap(SEAL_SUBJECT, hashlib.sha256(text.encode()).digest())
        return json.dumps({"segment": text, "master": master, "seal": b64encode(seal).decode()})


class Streamed:
    """A stream as a source to restore from: the newest generation whose beginning is whole, as far as it is whole."""

    def __init__(self, path: Path, masters: MasterKeys) -> None:
        self.path = path
        self._masters = masters
        for generation in sorted(_generations(path), reverse=True):
            self._segments = list(_whole(generation, masters))
            if self._segments:
                break
        else:
            raise NotABackup(path, "no generation in it has a whole beginning")
        self._last = self._segments[-1][1]
        if self._last.schema not in known_schemas():
            raise NewerBackup(path, self._last.schema)
        self.moment = datetime.fromisoformat(self._last.made_at)
        self.rows: int | None = None

    def place(self, file: Path) -> None:
        with file.open("wb") as restored:
            for path, segment in self._segments:
                for place, page in _entries(path, segment):
                    restored.seek(place * segment.page_size)
                    restored.write(page)
            restored.truncate(self._last.pages * self._last.page_size)

    def fill(self, connection: Connection) -> None:
        upgrade(connection, "head")


def is_stream(path: Path) -> bool:
    return path.is_dir()


def _copy(reader: sqlite3.Connection, copy: Path) -> tuple[str, int]:
    """One moment of the database in a file beside it, which is gone before the system has written it to the disk."""
    copy.unlink(missing_ok=True)
    with closing(sqlite3.connect(copy)) as target:
        target.execute("PRAGMA synchronous=OFF")
        reader.backup(target)
        page_size = target.execute("PRAGMA page_size").fetchone()[0]
        schema = target.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    return str(schema), int(page_size)


def _pages(file: Path, page_size: int) -> Iterator[tuple[int, bytes]]:
    with file.open("rb") as whole:
        place = 0
        while page := whole.read(page_size):
            yield place, page
            place += 1


def _generations(target: Path) -> list[Path]:
    return [path for path in target.glob("*Z") if path.is_dir()]


def _whole(generation: Path, masters: MasterKeys) -> Iterator[tuple[Path, Segment]]:
    """The segments in order, up to the first that is missing or damaged."""
    number = 1
    while (path := generation / f"{number:06}.zip").exists():
        try:
            segment = _read(path, masters)
            for _ in _entries(path, segment):
                pass
        except NotABackup:
            return
        yield path, segment
        number += 1


def _read(path: Path, masters: MasterKeys) -> Segment:
    try:
        with ZipFile(path) as file:
            said = json.loads(file.read(SEGMENT))
        text, master, seal = said["segment"], said["master"], b64decode(said["seal"])
        segment = Segment(**json.loads(text))
    except (OSError, BadZipFile, KeyError, ValueError, TypeError, ZlibError):
        raise NotABackup(path, "it is damaged") from None
    try:
        proved = masters.unwrap(SEAL_SUBJECT, master, seal) == hashlib.sha256(text.encode()).digest()
    except (NoSuchMasterKey, WrongKey):
        raise ForeignBackup(path, master) from None
    if not proved:
        raise NotABackup(path, "it was changed")
    return segment


def _entries(path: Path, segment: Segment) -> Iterator[tuple[int, bytes]]:
    """Place and content of each changed page; raises `NotABackup` at the end when they are not what was written."""
    digest, changed = hashlib.sha256(), 0
    try:
        with ZipFile(path) as file, file.open(PAGES) as member:
            while entry := member.read(NUMBER_BYTES + segment.page_size):
                digest.update(entry)
                changed += 1
                yield int.from_bytes(entry[:NUMBER_BYTES]), entry[NUMBER_BYTES:]
    except (OSError, EOFError, BadZipFile, KeyError, ZlibError):
        raise NotABackup(path, "it is damaged") from None
    if (digest.hexdigest(), changed) != (segment.sha256, segment.changed):
        raise NotABackup(path, "its pages are not those that were written")

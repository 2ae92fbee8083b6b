"""An archive: rows of tables in one zip file that any engine can read, proved by hashes and by the master key.

Inside stand `<table>.jsonl`, a JSON array per row with sealed values as base64, and last `manifest.json` and its seal.
Sealed fields stay sealed; the master key is never in it.
"""

import hashlib
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812

from storage.backup.errors import BackupFailed, ForeignBackup, NotABackup
from storage.crypto import MasterKeys
from storage.errors import NoSuchMasterKey, WrongKey
from storage.files import sync_folder

FORMAT = 1
MANIFEST, SEAL = "manifest.json", "manifest.seal"
SEAL_SUBJECT = "backup"
ROWS_AT_ONCE = 500

Row = Sequence[Any]
Kind = Literal["data", "keys"]
Moved = Callable[[int], None]  # called with the number of rows that were read or written since the last call


@dataclass(frozen=True, slots=True)
class TablePart:
    name: str
    columns: list[str]
    binary: list[int]  # places of the columns that hold bytes
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    kind: Kind
    made_at: str  # ISO, UTC: the moment that the rows show
    schema: str  # the revision of the migrations
    database: str  # which database it is of; empty when that had no name yet
    tables: list[TablePart]
    format: int = FORMAT

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.made_at)

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.tables)


class ArchiveWriter:
    """Adds tables to an archive that appears under its name only when it is whole and on the disk."""

    def __init__(self, file: ZipFile) -> None:
        self._file = file
        self.tables: list[TablePart] = []

    def add(
        self, name: str, columns: list[str], binary: list[int], batches: Iterable[Sequence[Row]], moved: Moved
    ) -> None:
        digest, rows = hashlib.sha256(), 0
        with self._file.open(f"{name}.jsonl", "w", force_zip64=True) as member:
            for batch in batches:
                lines = b"".join(_encoded(row) for row in batch)
                digest.update(lines)
                member.write(lines)
                rows += len(batch)
                moved(len(batch))
        self.tables.append(TablePart(name, columns, binary, rows, digest.hexdigest()))

    def finish(self, masters: MasterKeys, kind: Kind, made_at: datetime, schema: str, database: str) -> Manifest:
        manifest = Manifest(kind, made_at.isoformat(), schema, database, self.tables)
        text = json.dumps(asdict(manifest), indent=1).encode()
        master, wrapped = masters.wrap(SEAL_SUBJECT, hashlib.sha256(text).digest())
        self._file.writestr(MANIFEST, text)
        self._file.writestr(SEAL, json.dumps({"master": master, "seal": b64encode(wrapped).decode()}))
        return manifest


@contextmanager
def writing(target: Path) -> Iterator[ArchiveWriter]:
    """The archive at `target`, all of it or nothing; raises `BackupFailed` when the disk is full or away."""
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
            with ZipFile(raw, "w", ZIP_DEFLATED, compresslevel=1) as file:
                yield ArchiveWriter(file)
            raw.flush()
            os.fsync(raw.fileno())
        partial.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise BackupFailed(target, error.strerror or type(error).__name__) from None
    finally:
        partial.unlink(missing_ok=True)


class Archive:
    """An archive to read. Opening it proves manifest and seal; `prove` also reads and compares every row."""

    def __init__(self, path: Path, masters: MasterKeys) -> None:
        self.path = path
        try:
            self._file = ZipFile(path)
            text, seal = self._file.read(MANIFEST), json.loads(self._file.read(SEAL))
            loaded = json.loads(text)
            tables = [TablePart(**part) for part in loaded.pop("tables")]
            self.manifest = Manifest(**loaded, tables=tables)
        except (OSError, BadZipFile, KeyError, ValueError, TypeError, ZlibError) as error:
            raise NotABackup(path, _why(error)) from None
        self._prove_seal(masters, seal, hashlib.sha256(text).digest())
        if self.manifest.format != FORMAT:
            raise NotABackup(path, f"its format is {self.manifest.format}, this program reads {FORMAT}")

    def batches(self, part: TablePart) -> Iterator[list[list[Any]]]:
        """The rows of one table; raises `NotABackup` at the end when they are not the ones that were written."""
        digest, rows = hashlib.sha256(), 0
        batch: list[list[Any]] = []
        try:
            with self._file.open(f"{part.name}.jsonl") as member:
                for line in member:
                    digest.update(line)
                    batch.append(_decoded(line, part.binary))
                    rows += 1
                    if len(batch) == ROWS_AT_ONCE:
                        yield batch
                        batch = []
        except (OSError, EOFError, BadZipFile, KeyError, ValueError, IndexError, ZlibError) as error:
            raise NotABackup(self.path, f"{part.name}: {_why(error)}") from None
        if (digest.hexdigest(), rows) != (part.sha256, part.rows):
            raise NotABackup(self.path, f"the rows of {part.name} are not those that were written")
        if batch:
            yield batch

    def prove(self, moved: Moved) -> None:
        for part in self.manifest.tables:
            for batch in self.batches(part):
                moved(len(batch))

    def close(self) -> None:
        self._file.close()

    def _prove_seal(self, masters: MasterKeys, seal: dict[str, str], digest: bytes) -> None:
        try:
            sealed = masters.unwrap(SEAL_SUBJECT, seal["master"], b64decode(seal["seal"]))
        except (NoSuchMasterKey, WrongKey):
            raise ForeignBackup(self.path, str(seal["master"])) from None
        except (KeyError, ValueError, TypeError, AttributeError):
            raise NotABackup(self.path, "its seal is not readable") from None
        if sealed != digest:
            raise NotABackup(self.path, "its manifest was changed after it was sealed")


def _encoded(row: Row) -> bytes:
    return json.dumps([_plain(value) for value in row], separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def _plain(value: Any) -> Any:
    """What both engines mean by a value, in JSON: SQLite keeps moments and ids as text, PostgreSQL as types."""
    match value:
        case bytes() | memoryview():
            return b64encode(value).decode()
        case UUID():
            return value.hex
        case bool():
            return int(value)
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        case date():
            return value.isoformat()
        case _:
            return value


def _decoded(line: bytes, binary: list[int]) -> list[Any]:
    row: list[Any] = json.loads(line)
    for place in binary:
        if row[place] is not None:
            row[place] = b64decode(row[place])
    return row


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    return "it is damaged or cut short"

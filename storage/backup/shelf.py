"""Where archives stand and how long: data in one folder, patient keys in another and for a shorter time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.backup.archive import Moved
from storage.backup.errors import NoKeys
from storage.backup.snapshot import Snapshot, reading
from storage.crypto import MasterKeys
from storage.engine import Database

STAMP = "%Y%m%dT%H%M%SZ"
DATA, KEYS = ".data.zip", ".keys.zip"
BEFORE = "before"  # in the name of a backup that was made before a migration; those stay until somebody removes them
ABANDONED = timedelta(days=1)
REST_SECONDS = 0.005  # between batches, so that the bot beside it answers as fast as ever


@dataclass(frozen=True, slots=True)
class Shelf:
    data: Path
    keys: Path
    keep_data: timedelta
    keep_keys: timedelta

    def newest(self) -> Path | None:
        return max(_archives(self.data, DATA), key=made_at, default=None)

    def newest_keys(self) -> Path:
        """Keys are only added or destroyed, so the newest ones open whatever may still be opened."""
        newest = max(_archives(self.keys, KEYS), key=made_at, default=None)
        if newest is None:
            raise NoKeys(f"{self.keys} holds none")
        return newest

    def clear(self, now: datetime) -> int:
        """Removes what is too old, never the newest of each kind; returns how many files."""
        gone = 0
        for folder, ending, keep in ((self.data, DATA, self.keep_data), (self.keys, KEYS, self.keep_keys)):
            in_order = sorted(_archives(folder, ending), key=made_at)
            for path in in_order[:-1]:
                stays = ending == DATA and f"-{BEFORE}-" in path.name
                if made_at(path) < now - keep and not stays:
                    path.unlink()
                    gone += 1
            for left in _archives(folder, f"{ending}.partial"):  # of a backup that was killed
                if made_at(left) < now - ABANDONED:
                    left.unlink()
        return gone


@dataclass(frozen=True, slots=True)
class Backup:
    data: Path
    keys: Path
    rows: int
    size: int  # bytes of both files


def make(
    database: Database,
    masters: MasterKeys,
    shelf: Shelf,
    now: datetime,
    *,
    label: str = "",
    expect: Callable[[int], None] = lambda rows: None,
    moved: Moved = lambda rows: None,
    pause: float = 0,
) -> Backup:
    """Writes both archives from one moment. Keys come first, so that data on the shelf always has its keys."""
    name = f"afterglow-{now.astimezone(UTC):{STAMP}}{f'-{label}' if label else ''}"
    data, keys = shelf.data / (name + DATA), shelf.keys / (name + KEYS)
    with reading(database) as connection:
        seen = Snapshot(connection)
        expect(seen.count())
        made = [
            seen.write(target, masters, now, keys=only_keys, moved=moved, pause=pause)
            for target, only_keys in ((keys, True), (data, False))
        ]
    size = data.stat().st_size + keys.stat().st_size
    return Backup(data, keys, sum(manifest.rows for manifest in made), size)


def made_at(path: Path) -> datetime:
    """The moment in an archive's name."""
    stamp = path.name.removeprefix("afterglow-")[:16]
    return datetime.strptime(stamp, STAMP).replace(tzinfo=UTC)


def _archives(folder: Path, ending: str) -> list[Path]:
    return [path for path in folder.glob(f"afterglow-*{ending}") if _is_dated(path)]


def _is_dated(path: Path) -> bool:
    try:
        made_at(path)
    except ValueError:
        return False
    return True

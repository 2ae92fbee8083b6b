"""What can go wrong with a backup, each with a sentence that says what to do next."""

from pathlib import Path

from storage.errors import StorageError


class BackupFailed(StorageError):
    """No new backup was made; nothing half is left behind, and older ones are untouched."""

    def __init__(self, target: Path, why: str) -> None:
        super().__init__(
            f"The backup could not be written to {target}: {why}. Nothing half was left there. "
            "Make room or mend the disk, then run `afterglow backup`."
        )


class NotABackup(StorageError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not a whole backup of Afterglow: {why}. Take another one from the shelf.")


class ForeignBackup(StorageError):
    """Sealed by a master key that is not in the key file: nothing in it could be read."""

    def __init__(self, path: Path, master: str) -> None:
        super().__init__(
            f"{path} was made with the master key {master!r}, which is not the one in the key file. "
            "Put the right key file in place (MASTER_KEY_FILE); without it this backup cannot be read by anybody."
        )


class NewerBackup(StorageError):
    def __init__(self, path: Path, schema: str) -> None:
        super().__init__(
            f"{path} holds the schema {schema}, which this program does not know. Install the newer Afterglow first."
        )


class NoKeys(StorageError):
    def __init__(self, why: str) -> None:
        super().__init__(
            f"The patient keys for this backup are missing: {why}. Name an archive of keys with --keys; "
            "without keys no answer can be read."
        )


class OthersConnected(StorageError):
    def __init__(self, sessions: int) -> None:
        super().__init__(
            f"{sessions} other sessions are connected to this PostgreSQL database. Stop every Afterglow first: "
            "a restore must be alone."
        )


class NoDatabase(StorageError):
    def __init__(self, file: Path) -> None:
        super().__init__(
            f"There is no database at {file}. Look at DATA_DIR and DATABASE_URL; if it is lost, restore it."
        )


class OnlySqlite(StorageError):
    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is a stream of a SQLite file and cannot go to PostgreSQL at once. Restore it to SQLite first "
            "(without DATABASE_URL), run `afterglow backup` there, and restore that."
        )

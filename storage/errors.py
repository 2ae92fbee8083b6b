"""What can go wrong below the services, each with a sentence that says what to do next."""

from sqlalchemy.exc import SQLAlchemyError

QueryFailed = SQLAlchemyError  # inside a unit of work, before the engine gives it a name: let it pass


class StorageError(Exception):
    """The root of this tree; its message is fit for an operator's eyes and holds no health data."""


class Unavailable(StorageError):
    """Nothing can be stored: the database is away, its disk is full, or it stays locked. What was to be done waits."""

    def __init__(self, cause: Exception) -> None:
        # The driver's words may repeat values of a statement, so only the kind of error is told.
        super().__init__(f"The database cannot be used now ({type(getattr(cause, 'orig', cause)).__name__}).")
        self.disk_is_full = "full" in str(getattr(cause, "orig", "")).lower() or "space" in str(
            getattr(cause, "orig", "")
        )


class Conflict(StorageError):
    """Another process changed the same row first; the same act may be tried again."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"Another process was in the way ({type(getattr(cause, 'orig', cause)).__name__}).")


class ClaimLost(StorageError):
    """This process was too slow: another one has taken the row over, and nothing of this act is kept."""

    def __init__(self) -> None:
        super().__init__("Another process has taken over this row of the inbox; it does what is left to do.")


class NotLeading(StorageError):
    """Another process polls, ticks and sends now, so nothing of this act is kept."""

    def __init__(self) -> None:
        super().__init__("Another process holds the lease; it does what is due.")


class WrongKey(StorageError):
    """A sealed field does not open: another master key, or a row that was changed outside Afterglow."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__(
            f"A sealed value in {table}.{column} does not open. Either the master key file is not the one this "
            "database was made with, or the row was changed by hand. Put the right key file in place."
        )


class NoSuchMasterKey(StorageError):
    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"The master key {key_id!r} that this database was sealed with is not in the key file. "
            "Restore the key file from its backup: without it the data cannot be read by anybody."
        )


class BadKeyFile(StorageError):
    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"The key file {path} cannot be used: {why}. Each line must be '<name> <32 bytes in hex>'.")


class AlreadyRunning(StorageError):
    def __init__(self, path: str, pid: str) -> None:
        super().__init__(
            f"Another Afterglow (process {pid or 'unknown'}) is already running on {path}. "
            "Stop it first, or use PostgreSQL (DATABASE_URL) to run several processes."
        )


class SchemaTooOld(StorageError):
    def __init__(self, found: str | None, expected: str) -> None:
        super().__init__(
            f"The database schema is at {found or 'no version'}, this program needs {expected}. "
            "Run `afterglow migrate`."
        )


class SchemaTooNew(StorageError):
    """A newer program has changed what this one relies on; what it only added would not matter."""

    def __init__(self, found: str | None, expected: str, needed: str | None) -> None:
        super().__init__(
            f"The database schema is at {found}, which a newer Afterglow made for programs from schema "
            f"{needed or found} on; this one is of schema {expected}. Nothing was changed: install the newer Afterglow."
        )


class WrongWorld(StorageError):
    """A database that has met the real Telegram never serves the simulator, nor the other way round."""

    def __init__(self, belongs_to: str, wanted: str) -> None:
        super().__init__(
            f"This database belongs to {belongs_to} and cannot be used with {wanted}. "
            "Choose another DATA_DIR (or DATABASE_URL): simulated and real patients never share a file."
        )

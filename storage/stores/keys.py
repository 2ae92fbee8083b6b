"""Subject keys and facts."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from os import urandom

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from storage.crypto import KEY_BYTES, MasterKeys
from storage.errors import StorageError
from storage.tables.keys import Fact, SubjectKey

INDEX_SUBJECT = "index"  # the key under which chat ids are hashed
CACHED_FOR = timedelta(minutes=1)  # at most so long another process can use a key that was destroyed


class Erased(StorageError):
    def __init__(self) -> None:
        super().__init__("The key of this record was destroyed on request; what it sealed cannot be read any more.")


class KeyCache:
    """Unwrapped keys that are known to be committed; shared by the units of work of one process.

    Another process may destroy a key meanwhile, so everything is forgotten every minute, used or not.
    """

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}
        self._since = datetime.min.replace(tzinfo=UTC)

    def at(self, now: datetime) -> dict[str, bytes]:
        """What may still be used at this moment."""
        if not timedelta(0) <= now - self._since <= CACHED_FOR:
            self._known, self._since = {}, now
        return self._known


class Keys:
    """The subject keys as one unit of work sees them."""

    def __init__(self, session: Session, masters: MasterKeys, cache: KeyCache, now: datetime, fresh: set[str]) -> None:
        self._session = session
        self._masters = masters
        self._cached = cache.at(now)
        self._now = now
        # A key made in this transaction may still be rolled back: sealing later rows with it would lose them. So it
        # stays out of the shared cache until a later transaction has read it from its committed row.
        self._fresh = fresh
        self._made_here: dict[str, bytes] = {}

    def key_for(self, subject: str) -> bytes:
        known = self._known(subject)
        if known is not None:
            return known
        key = urandom(KEY_BYTES)
        master, wrapped = self._masters.wrap(subject, key)
        self._session.add(SubjectKey(subject=subject, master=master, wrapped=wrapped, made_at=self._now))
        self._session.flush()
        self._made_here[subject] = key
        self._fresh.add(subject)
        return key

    def existing_key(self, subject: str) -> bytes:
        known = self._known(subject)
        if known is None:
            raise Erased
        return known

    def erase(self, subject: str) -> None:
        self._session.execute(delete(SubjectKey).where(SubjectKey.subject == subject))
        self._cached.pop(subject, None)
        self._made_here.pop(subject, None)

    def erase_inbox_days_before(self, day: date, *, keep: Iterable[date] = ()) -> int:
        """Destroys the keys of old inbox days but the days to keep; returns how many."""
        kept = {inbox_subject(each) for each in keep}
        last = inbox_subject(day)
        old = self._session.scalars(
            select(SubjectKey.subject).where(SubjectKey.subject.like("inbox:%"), SubjectKey.subject < last)
        ).all()
        destroyed = [subject for subject in old if subject not in kept]
        for subject in destroyed:
            self.erase(subject)
        return len(destroyed)

    def forgotten(self, subject: str) -> bool:
        return self._known(subject) is None

    @property
    def master(self) -> str:
        """The master key that wraps what is made now."""
        return self._masters.current

    def count_under_older(self) -> int:
        query = select(func.count()).select_from(SubjectKey).where(SubjectKey.master != self._masters.current)
        return self._session.scalar(query) or 0

    def rewrap(self, limit: int = 200) -> int:
        """Wraps keys that an older master key holds with the current one; returns how many. Repeat until it is 0."""
        older = select(SubjectKey).where(SubjectKey.master != self._masters.current).limit(limit)
        rows = self._session.scalars(older).all()
        for row in rows:
            key = self._masters.unwrap(row.subject, row.master, row.wrapped)
            row.master, row.wrapped = self._masters.wrap(row.subject, key)
        return len(rows)

    def _known(self, subject: str) -> bytes | None:
        known = self._made_here.get(subject) or self._cached.get(subject)
        if known is not None:
            return known
        row = self._session.get(SubjectKey, subject)
        if row is None:
            return None
        key = self._masters.unwrap(subject, row.master, row.wrapped)
        if subject not in self._fresh:
            self._cached[subject] = key
        return key


class Facts:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def read(self, name: str) -> str | None:
        row = self._session.get(Fact, name)
        return row.value if row else None

    def starting_with(self, prefix: str) -> dict[str, str]:
        rows = self._session.scalars(select(Fact).where(Fact.name.startswith(prefix, autoescape=True)))
        return {row.name: row.value for row in rows}

    def since(self, name: str) -> datetime | None:
        """When the fact was set."""
        row = self._session.get(Fact, name)
        return row.set_at if row else None

    def set(self, name: str, value: str) -> None:
        self._session.merge(Fact(name=name, value=value, set_at=self._now))


def inbox_subject(day: date) -> str:
    return f"inbox:{day.isoformat()}"

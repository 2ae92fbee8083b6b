"""Who alone may do what only one process may do, by name."""

from sqlalchemy import case, or_, select, update
from sqlalchemy.orm import Session

from storage.errors import NotLeading
from storage.stores.sql import database_time, insert_for
from storage.tables.post import Lease


class Leases:
    """Who alone may poll, tick and send. Only the database's clock counts, so that no two processes disagree."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, name: str, holder: str, seconds: float) -> int | None:
        """Prolongs the holder's own lease or takes one that has run out; gives its term, None when another holds it.

        Each new holder has a new term. Waits for a transaction of the present holder that has passed `require`.
        """
        running = select(Lease.holder).where(Lease.name == name, Lease.until > database_time(self._session))
        if self._session.scalar(running) not in (None, holder):
            return None  # seen without touching the row: whoever only looks is in nobody's way
        fresh = insert_for(self._session)(Lease).values(
            name=name, holder=holder, until=database_time(self._session, seconds), term=1
        )
        own = Lease.holder == holder
        taken = self._session.execute(
            fresh.on_conflict_do_update(
                index_elements=[Lease.name],
                set_={
                    "holder": holder,
                    "until": database_time(self._session, seconds),
                    "term": case((own, Lease.term), else_=Lease.term + 1),
                },
                where=or_(own, Lease.until < database_time(self._session)),
            ).returning(Lease.term)
        )
        return taken.scalar_one_or_none()

    def require(self, name: str, holder: str, term: int) -> None:
        """Raises `NotLeading` unless this is the running term. Until the transaction ends nobody else can begin one."""
        held = self._session.scalar(
            select(Lease.term)
            .where(
                Lease.name == name,
                Lease.holder == holder,
                Lease.term == term,
                Lease.until > database_time(self._session),
            )
            .with_for_update(read=True)
        )
        if held is None:
            raise NotLeading

    def give_up(self, name: str, holder: str) -> None:
        """A process that stops in order lets the next one begin at once."""
        self._session.execute(
            update(Lease)
            .where(Lease.name == name, Lease.holder == holder)
            .values(until=database_time(self._session, -1))
            .execution_options(synchronize_session=False)
        )

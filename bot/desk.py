"""The way from asyncio to the services: each use case runs on a database thread, in one transaction."""

import asyncio
import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from bot.clock import Clock
from bot.services.errors import PatientErased
from bot.services.work import Caller, Knowledge, Work
from storage.engine import MOST_TRIES, Database
from storage.errors import Conflict
from storage.stores import Stores
from storage.stores.keys import Erased
from storage.tables.people import ChatState

P = ParamSpec("P")
T = TypeVar("T")

POSTGRES_THREADS = 4
SHARE_A_COMMIT = 32  # units of work at most; more would only delay the first of them, and whatever comes meanwhile


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an update came from: Telegram's chat number, and its place in the inbox."""

    number: int
    is_group: bool
    sender: int | None  # Telegram's number of the person, who in a group is not the chat
    source: int
    claim: str  # under whose name the row was claimed; marking it fails when another process has taken it over


@dataclass(slots=True)
class Job:
    """One unit of work that waits for a database thread."""

    act: Callable[[Stores], Any]
    done: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    wakes: bool
    at: datetime | None  # another present moment than the clock's
    gives_way: bool  # to whatever is about danger or about sending
    tries: int = 0


class Queue:
    """Units of work that wait together share a commit, one savepoint each: a commit costs more than what is in it."""

    def __init__(self, database: Database, clock: Clock, threads: int, wake: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._wake = wake
        self._most = threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")
        self._ahead: deque[Job] = deque()
        self._giving_way: deque[Job] = deque()
        self._lock = threading.Lock()
        self._busy = 0

    def put(self, job: Job) -> None:
        with self._lock:
            self._line_of(job).append(job)
            if self._busy >= self._most:
                return
            self._busy += 1
        self._threads.submit(self._work_off)

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    def _work_off(self) -> None:
        while True:
            with self._lock:
                batch = self._next_batch()
                if not batch:
                    self._busy -= 1
                    return
            self._serve(batch)

    def _next_batch(self) -> list[Job]:
        batch: list[Job] = []
        for line in (self._ahead, self._giving_way):
            while line and len(batch) < SHARE_A_COMMIT:
                batch.append(line.popleft())
        return batch

    def _serve(self, batch: Sequence[Job]) -> None:
        wakes = any(job.wakes for job in batch)
        try:
            now = self._clock.now()
            results = self._database.together([(job.at or now, job.act) for job in batch], announce=wakes)
        except BaseException as error:
            results = [error if isinstance(error, Exception) else RuntimeError("stopped")] * len(batch)
        with self._lock:
            for job in reversed(batch[len(results) :]):  # too much for one commit: what came meanwhile may go first
                self._line_of(job).appendleft(job)
        settled = []
        for job, result in zip(batch, results, strict=False):
            job.tries += 1
            if isinstance(result, Conflict) and job.tries < MOST_TRIES:
                with self._lock:
                    self._line_of(job).append(job)
            else:
                settled.append((job.done, result))
        batch[0].loop.call_soon_threadsafe(self._tell, settled, wakes)

    def _line_of(self, job: Job) -> deque[Job]:
        return self._giving_way if job.gives_way else self._ahead

    def _tell(self, settled: Sequence[tuple[asyncio.Future[Any], Any]], wakes: bool) -> None:
        """On the event loop: what became of a batch."""
        for done, result in settled:
            _settle(done, result)
        if wakes:
            self._wake()


class Desk:
    """SQLite has one thread and so one writer at a time; PostgreSQL a small pool.

    What only one process may do (poll, tick, send) goes through `lead`, on a thread of its own and behind the guard.
    """

    def __init__(self, database: Database, knowledge: Knowledge, clock: Clock) -> None:
        self.database = database
        self.knowledge = knowledge
        self.clock = clock
        self.name = secrets.token_hex(8)  # of this process, in claims and in the lease
        self.guard: Callable[[Stores], None] | None = None
        self._anybody = Queue(database, clock, 1 if database.is_sqlite else POSTGRES_THREADS, self.wake)
        self._leader = self._anybody if database.is_sqlite else Queue(database, clock, 1, self.wake)
        self._after_commit: list[Callable[[], None]] = []

    def on_commit(self, wake: Callable[[], None]) -> None:
        """Calls `wake` on the event loop after every `act`: new letters or rows may be waiting."""
        self._after_commit.append(wake)

    def wake(self) -> None:
        for wake in self._after_commit:
            wake()

    async def ask(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a use case that leaves no work for others: a look, or the note that something was done."""
        return await self._run(self._anybody, self._bound(None, use_case, *args, **kwargs), wakes=False)

    async def act(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a use case that no update caused."""
        return await self.act_for(None, use_case, *args, **kwargs)

    async def act_for(
        self, origin: Origin | None, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs a use case for whoever sent an update; all of it commits, or none of it."""
        return await self._run(self._anybody, self._bound(origin, use_case, *args, **kwargs), wakes=True)

    async def handle(
        self, origin: Origin, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same in turn: what is about danger was done before, and nothing of the kind waits behind an answer."""
        bound = self._bound(origin, use_case, *args, **kwargs)
        try:
            return await self._run(self._anybody, bound, wakes=True, gives_way=True)
        except Erased:  # an old button about somebody whose key was destroyed
            raise PatientErased from None

    async def lead(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a use case that only the holder of the lease may run. Raises `NotLeading`, and then keeps nothing."""
        return await self.lead_at(None, use_case, *args, **kwargs)

    async def lead_or_not(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same without the guard: the lease itself is taken on this thread, where nobody else holds its row."""
        return await self._run(self._leader, self._bound(None, use_case, *args, **kwargs), wakes=False)

    async def lead_at(
        self, now: datetime | None, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same with another present moment than the clock's: see delivery.drift."""
        return await self._run(self._leader, self._guarded(use_case, *args, **kwargs), wakes=False, at=now)

    async def lead_in_turn(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for routine work, which gives way to what is about danger or sending."""
        return await self._run(self._leader, self._guarded(use_case, *args, **kwargs), wakes=False, gives_way=True)

    def _guarded(
        self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Callable[[Stores], T]:
        bound = self._bound(None, use_case, *args, **kwargs)

        def guarded(stores: Stores) -> T:
            if self.guard is not None:
                self.guard(stores)
            return bound(stores)

        return guarded

    async def _run(
        self, queue: Queue, act: Callable[[Stores], T], *, wakes: bool, at: datetime | None = None,
        gives_way: bool = False,
    ) -> T:  # fmt: skip
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        queue.put(Job(act, done, loop, wakes, at, gives_way))
        return await done

    def act_now(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for the command line, where no event loop runs."""
        return self.database.transact(self.clock.now(), self._bound(None, use_case, *args, **kwargs))

    def close(self) -> None:
        self._anybody.close()
        self._leader.close()
        self.database.close()

    def _bound(
        self, origin: Origin | None, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Callable[[Stores], T]:
        def bound(stores: Stores) -> T:
            return use_case(self._work(stores, origin), *args, **kwargs)

        return bound

    def _work(self, stores: Stores, origin: Origin | None) -> Work:
        if origin is None:
            return Work(stores, stores.now, self.knowledge)
        met = stores.people.at(stores.chats.key(origin.number))
        chat = met.chat if met is not None else stores.chats.meet(origin.number, is_group=origin.is_group)
        stores.chats.set_state(chat, ChatState.OPEN)  # whoever writes can be written to
        if origin.is_group and origin.sender is not None:
            met = stores.people.at(stores.chats.key(origin.sender))
        person, patient = (met.person, met.patient) if met is not None else (None, None)
        return Work(stores, stores.now, self.knowledge, Caller(person, chat, patient, origin.source))


def _settle(done: asyncio.Future[Any], result: Any) -> None:
    if done.done():
        return  # whoever waited was stopped; what was done stays done
    if isinstance(result, Exception):
        done.set_exception(result)
    else:
        done.set_result(result)

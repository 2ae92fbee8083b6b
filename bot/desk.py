"""The way from asyncio to the services: each use case runs on a database thread, in one transaction."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from bot.clock import Clock
from bot.services.work import Caller, Knowledge, Work
from storage.engine import Database
from storage.stores import Stores
from storage.tables.people import ChatState

P = ParamSpec("P")
T = TypeVar("T")

POSTGRES_THREADS = 4


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an update came from: Telegram's chat number, and its place in the inbox."""

    number: int
    is_group: bool
    sender: int | None  # Telegram's number of the person, who in a group is not the chat
    source: int


class Desk:
    """SQLite has one thread and so one writer at a time; PostgreSQL a small pool."""

    def __init__(self, database: Database, knowledge: Knowledge, clock: Clock) -> None:
        self.database = database
        self.knowledge = knowledge
        self.clock = clock
        threads = 1 if database.is_sqlite else POSTGRES_THREADS
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="database")
        self._after_commit: list[Callable[[], None]] = []

    def on_commit(self, wake: Callable[[], None]) -> None:
        """Calls `wake` on the event loop after every `act`: new letters or rows may be waiting."""
        self._after_commit.append(wake)

    def wake(self) -> None:
        for wake in self._after_commit:
            wake()

    async def ask(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a use case that leaves no work for others: a look, or the note that something was done."""
        return await self._run(None, use_case, *args, **kwargs)

    async def act(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a use case that no update caused."""
        return await self.act_for(None, use_case, *args, **kwargs)

    async def act_for(
        self, origin: Origin | None, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs a use case for whoever sent an update; all of it commits, or none of it."""
        result = await self._run(origin, use_case, *args, **kwargs)
        self.wake()
        return result

    async def _run(
        self, origin: Origin | None, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def in_transaction() -> T:
            return self.database.transact(
                self.clock.now(), lambda stores: use_case(self._work(stores, origin), *args, **kwargs)
            )

        return await asyncio.get_running_loop().run_in_executor(self._threads, in_transaction)

    def act_now(self, use_case: Callable[Concatenate[Work, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for the command line, where no event loop runs."""
        return self.database.transact(
            self.clock.now(), lambda stores: use_case(self._work(stores, None), *args, **kwargs)
        )

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        self.database.close()

    def _work(self, stores: Stores, origin: Origin | None) -> Work:
        now = self.clock.now()
        if origin is None:
            return Work(stores, now, self.knowledge)
        chat = stores.chats.meet(origin.number, is_group=origin.is_group)
        stores.chats.set_state(chat, ChatState.OPEN)  # whoever writes can be written to
        person = stores.people.in_chat(chat)
        if origin.is_group and origin.sender is not None:
            own_chat = stores.chats.known(stores.chats.key(origin.sender))
            person = stores.people.in_chat(own_chat) if own_chat is not None else None
        return Work(stores, now, self.knowledge, Caller(person, chat, origin.source))

"""Several processes of the bot on one PostgreSQL database, to be killed, frozen and started again."""

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.desk import Desk
from tests.support.bot_process import bot_process
from tests.support.postgres import Postgres
from tests.support.processes import Process

# Every letter that is marked as sent, with the process that marked it and the one whose turn it was.
WATCH = """
CREATE TABLE marks (application text, holder text);
CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO marks SELECT current_setting('application_name'), holder FROM lease LIMIT 1;
  RETURN NEW;
END $$;
CREATE TRIGGER marked AFTER UPDATE ON outbox FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION mark();
"""


@dataclass
class Ship:
    """One process: its place, how the server knows it, and its name in the lease."""

    application: str
    process: Process
    name: str
    stack: AsyncExitStack


class Fleet:
    def __init__(self, address: str, folder: Path, server: Postgres, database: str) -> None:
        self._address = address
        self._folder = folder
        self._server = server
        self._database = database
        self._launched = 0
        self.ships: list[Ship] = []
        self.names: dict[str, str] = {}  # by application, also of those that are gone

    async def launch(self) -> Ship:
        self._launched += 1
        application, stack = f"ship{self._launched}", AsyncExitStack()
        url = self._server.url(self._database, application)
        process = await stack.enter_async_context(
            bot_process(self._address, self._folder, unlimited=True, database_url=url, wait=False)
        )
        name = (await process.line()).split()[-1]
        ship = Ship(application, process, name, stack)
        self.ships.append(ship)
        self.names[application] = name
        return ship

    async def sink(self, ship: Ship) -> None:
        self.ships.remove(ship)
        await ship.process.kill()
        await ship.stack.aclose()

    def freeze(self, ship: Ship) -> None:
        ship.process.send(signal.SIGSTOP)

    def thaw(self, ship: Ship) -> None:
        ship.process.send(signal.SIGCONT)

    def holder(self, desk: Desk) -> Ship | None:
        """The process that polls, ticks and sends, as the lease says."""
        with desk.database.engine.connect() as connection:
            name = connection.exec_driver_sql("SELECT holder FROM lease LIMIT 1").scalar()
        return next((ship for ship in self.ships if ship.name == name), None)

    def stale_marks(self, desk: Desk) -> int:
        """Letters marked as sent by a process whose turn was over."""
        with desk.database.engine.connect() as connection:
            marks = connection.exec_driver_sql("SELECT application, holder FROM marks").all()
        return sum(self.names.get(application) != holder for application, holder in marks)


def watch(desk: Desk) -> None:
    with desk.database.engine.begin() as connection:
        connection.exec_driver_sql(WATCH)


@asynccontextmanager
async def fleet(address: str, folder: Path, server: Postgres, database: str, size: int) -> AsyncIterator[Fleet]:
    launched = Fleet(address, folder, server, database)
    try:
        for _ in range(size):
            await launched.launch()
        yield launched
    finally:
        for ship in list(launched.ships):
            await launched.sink(ship)

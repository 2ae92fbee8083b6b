"""The simulator as one server: Bot API, people API and the page on one port of this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from bot.simulator.bot_api import BotApi
from bot.simulator.clock import SimulatorClock
from bot.simulator.faults import Faults
from bot.simulator.people_api import PeopleApi, kind_errors
from bot.simulator.phones import Hooks, Phones
from bot.simulator.world import World

TOKEN = "7000001:simulated-and-no-secret"  # nosec B105 - opens nothing but this simulator
LARGEST_FILE = 50 * 1024 * 1024


class Simulator:
    """With a folder, the phones are as they were when it starts again."""

    def __init__(self, clock: SimulatorClock, folder: Path | None = None, *, limits: bool = True) -> None:
        self.clock = clock
        self.token = TOKEN
        self.world = World(clock, folder)
        self.faults = Faults(limits=limits)
        self.phones = Phones(self.world)

    def attach(self, hooks: Hooks) -> None:
        """Lets turning the clock stop wherever the application has something to do."""
        self.phones.hooks = hooks

    @asynccontextmanager
    async def serve(self, host: str, port: int) -> AsyncIterator[str]:
        """Serves while the body runs; gives the address. Port 0 takes a free one."""
        application = web.Application(client_max_size=LARGEST_FILE, middlewares=[kind_errors])
        application.add_routes(BotApi(self.world, self.faults, self.token).routes())
        application.add_routes(PeopleApi(self.world, self.phones, self.faults).routes())
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            bound = runner.addresses[0][1]
            yield f"http://{host}:{bound}"
        finally:
            await runner.cleanup()

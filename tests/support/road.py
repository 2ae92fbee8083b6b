"""A channel of the second road in a test: a web hook on this machine that notes what it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class Road:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.is_broken = False
        self.is_slow = False
        self.asked = asyncio.Event()
        self.address = ""

    async def _hear(self, request: web.Request) -> web.Response:
        self.asked.set()
        if self.is_slow:
            await asyncio.sleep(60)
        if self.is_broken:
            return web.Response(status=500)
        told = await request.json()
        self.said.append(f"{told['title']}: {told['message']}")
        return web.Response()

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator["Road"]:
        road = cls()
        application = web.Application()
        application.router.add_post("/hook", road._hear)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            road.address = f"json://127.0.0.1:{runner.addresses[0][1]}/hook"
            yield road
        finally:
            await runner.cleanup()

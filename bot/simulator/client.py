"""A client of the people API, for tests, rehearsals and scripts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bot.simulator.ledger import Delivery

Json = dict[str, Any]


class Refused(Exception):
    """The simulator said why a person cannot do that."""


class PeopleClient:
    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self._address = address
        self._session = session

    @classmethod
    @asynccontextmanager
    async def connect(cls, address: str) -> AsyncIterator["PeopleClient"]:
        async with aiohttp.ClientSession() as session:
            yield cls(address, session)

    async def people(self) -> Json:
        return await self._call("GET", "/people")

    async def chat(self, chat: int, *, since: int | None = None, wait: float = 0) -> Json:
        query = {"wait": str(wait)} | ({"since": str(since)} if since is not None else {})
        return await self._call("GET", f"/chats/{chat}", params=query)

    async def act(self, person: int, act: str, **given: Any) -> Json:
        """`text`, `tap`, `edit`, `location`, `block`, `unblock` or `add-bot`."""
        return await self._call("POST", f"/people/{person}/{act}", json=given)

    async def send_file(self, person: int, name: str, data: bytes) -> Json:
        return await self._call("POST", f"/people/{person}/file", params={"name": name}, data=data)

    async def forward(self, **span: float | str) -> Json:
        """`minutes=15`, `hours=2`, `days=1`, or `to="next"`."""
        return await self._call("POST", "/clock/forward", json=span)

    async def fault(self, **given: Any) -> Json:
        return await self._call("POST", "/faults", json=given)

    async def add_many(self, first: int, count: int) -> Json:
        return await self._call("POST", "/people/many", json={"first": first, "count": count})

    async def taps(self, taps: list[tuple[int, str]]) -> float:
        """Many taps at once, by person and data; returns the simulator's monotonic time."""
        return float((await self._call("POST", "/taps", json={"taps": taps}))["at"])

    async def ledger(self) -> Json:
        """How many calls came, by method, were refused, and lost their reply; how many updates wait."""
        return await self._call("GET", "/ledger")

    async def deliveries(self, first: int = 0, wait: float = 0) -> tuple[list[Delivery], int]:
        """What was delivered from an index on, and the index to ask for next."""
        said = await self._call("GET", "/ledger/deliveries", params={"from": str(first), "wait": str(wait)})
        return [Delivery(*entry) for entry in said["deliveries"]], int(said["next"])

    async def no_faults(self) -> Json:
        return await self._call("DELETE", "/faults")

    async def file(self, name: str) -> bytes:
        async with self._session.get(f"{self._address}/files/{name}") as answer:
            return await answer.read()

    async def _call(self, method: str, path: str, **options: Any) -> Json:
        async with self._session.request(method, self._address + path, **options) as answer:
            said: Json = await answer.json()
            if answer.status >= 400:  # noqa: PLR2004 - HTTP: from here on it is an error
                raise Refused(said.get("error", str(answer.status)))
            return said

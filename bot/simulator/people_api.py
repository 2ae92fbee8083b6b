"""The people API: JSON over HTTP, documented in docs/simulator.md. The page uses nothing else."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from importlib import resources

from aiohttp import web

from bot.simulator.faults import Faults
from bot.simulator.phones import Phones
from bot.simulator.world import BOT_ID, BOT_NAME, Chat, Json, NotPossible, World

LONGEST_WAIT = 30.0

Act = Callable[[int, Json], Awaitable[object]]


class PeopleApi:
    def __init__(self, world: World, phones: Phones, faults: Faults) -> None:
        self._world = world
        self._phones = phones
        self._faults = faults
        self._acts: dict[str, Act] = {
            "text": lambda person, given: phones.write(person, given["text"], given.get("chat")),
            "tap": lambda person, given: phones.tap(
                person, button=given.get("button"), data=given.get("data"), message=given.get("message"),
                chat=given.get("chat"),
            ),
            "edit": lambda person, given: phones.edit(person, int(given["message"]), given["text"]),
            "location": lambda person, given: phones.share_location(person, given["latitude"], given["longitude"]),
            "block": lambda person, _: phones.block(person),
            "unblock": lambda person, _: phones.unblock(person),
            "add-bot": lambda person, given: phones.add_bot(person, given["chat"]),
        }  # fmt: skip

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.page),
            web.get("/people", self.everybody),
            web.get("/changes", self.changes),
            web.post("/people", self.add),
            web.post("/people/many", self.add_many),
            web.get("/chats/{chat}", self.chat),
            web.post("/people/{person}/file", self.file),
            web.post("/people/{person}/{act}", self.act),
            web.get("/files/{file}", self.download),
            web.get("/clock", self.clock),
            web.post("/clock/forward", self.forward),
            web.post("/taps", self.taps),
            web.get("/ledger", self.ledger),
            web.get("/ledger/deliveries", self.deliveries),
            web.post("/faults", self.fault),
            web.delete("/faults", self.no_faults),
        ]

    async def page(self, _: web.Request) -> web.Response:
        text = resources.files("bot.simulator").joinpath("page.html").read_text(encoding="utf-8")
        return web.Response(text=text, content_type="text/html")

    async def everybody(self, _: web.Request) -> web.Response:
        groups = [
            {"id": c.id, "title": c.title, "members": c.members} for c in self._world.chats.values() if c.is_group
        ]
        people = [asdict(person) for person in self._world.people.values()]
        return web.json_response({"bot": BOT_NAME, "people": people, "groups": groups})

    async def add(self, request: web.Request) -> web.Response:
        given = await request.json()
        self._world.add_person(int(given["id"]), str(given["name"]))
        return web.json_response({"id": given["id"]})

    async def add_many(self, request: web.Request) -> web.Response:
        """`{"first": 10000, "count": 500}`: people who have started the bot, so that it may write to them."""
        given = await request.json()
        for number in range(int(given["first"]), int(given["first"]) + int(given["count"])):
            self._world.add_person(number, f"Person {number}")
            self._world.chats[number].open = True
        return web.json_response({"people": len(self._world.people)})

    async def taps(self, request: web.Request) -> web.Response:
        """`{"taps": [[2001, "data"], …]}`: many taps at once, each on a button with that data, as updates in order."""
        taps = (await request.json())["taps"]
        await self._phones.tap_many((int(person), str(data)) for person, data in taps)
        return web.json_response({"at": time.monotonic(), "waiting": len(self._world.updates)})

    async def ledger(self, _: web.Request) -> web.Response:
        kept = self._world.ledger
        return web.json_response(
            {"calls": kept.calls, "refused": kept.refused, "lost_replies": kept.lost_replies,
             "deliveries": len(kept.deliveries), "waiting": len(self._world.updates), "at": time.monotonic()}
        )  # fmt: skip

    async def deliveries(self, request: web.Request) -> web.Response:
        """`?from=INDEX&wait=SECONDS`: what was delivered from there on, as [at, chat, text, edit]."""
        kept, first = self._world.ledger.deliveries, int(request.query.get("from", 0))
        wait = min(float(request.query.get("wait", 0)), LONGEST_WAIT)
        await self._world.wait_until(lambda: len(kept) > first, wait)
        return web.json_response({"next": len(kept), "deliveries": kept[first:]})

    async def changes(self, request: web.Request) -> web.Response:
        """`?since=VERSION&wait=SECONDS` answers when anything in any chat changed, or when the time is over."""
        wait = min(float(request.query.get("wait", 0)), LONGEST_WAIT)
        await self._world.wait_for_change(int(request.query.get("since", -1)), wait)
        return web.json_response({"version": self._world.version})

    async def chat(self, request: web.Request) -> web.Response:
        """`?since=VERSION&wait=SECONDS` answers when something changed, or when the time is over."""
        chat = self._world.chat(int(request.match_info["chat"]))
        wait = min(float(request.query.get("wait", 0)), LONGEST_WAIT)
        if wait:
            await self._world.wait_for_change(int(request.query.get("since", self._world.version)), wait)
        return web.json_response(self._shown(chat))

    def _shown(self, chat: Chat) -> Json:
        messages = [asdict(message) | {"from_bot": message.sender == BOT_ID} for message in chat.messages]
        return {"version": self._world.version, "id": chat.id, "open": chat.open, "messages": messages,
                "spinning": len(self._world.spinning)}  # fmt: skip

    async def act(self, request: web.Request) -> web.Response:
        act = self._acts.get(request.match_info["act"])
        if act is None:
            return web.json_response({"error": "no such act"}, status=404)
        given = await request.json() if request.can_read_body else {}
        await act(int(request.match_info["person"]), given)
        return web.json_response({"version": self._world.version})

    async def file(self, request: web.Request) -> web.Response:
        name = request.query.get("name", "file")
        await self._phones.send_file(int(request.match_info["person"]), name, await request.read())
        return web.json_response({"version": self._world.version})

    async def download(self, request: web.Request) -> web.Response:
        data = self._world.files.get(request.match_info["file"])
        if data is None:
            return web.json_response({"error": "no such file"}, status=404)
        kind = "application/pdf" if data.startswith(b"%PDF") else "image/png" if data[1:4] == b"PNG" else "text/plain"
        return web.Response(body=data, content_type=kind)

    async def clock(self, _: web.Request) -> web.Response:
        return web.json_response({"now": self._world.clock.now().isoformat(timespec="seconds")})

    async def forward(self, request: web.Request) -> web.Response:
        """`{"minutes": 15}`, hours or days; `{"to": "next"}` goes to the next due moment."""
        given = await request.json()
        if given.get("to") == "next":
            now = await self._phones.forward_to_next()
        else:
            span = {unit: float(given[unit]) for unit in ("seconds", "minutes", "hours", "days") if unit in given}
            now = await self._phones.forward(timedelta(**span))
        return web.json_response({"now": now.isoformat(timespec="seconds")})

    async def fault(self, request: web.Request) -> web.Response:
        given = await request.json()
        if "limits" in given or "latency" in given or "seed" in given:
            self._faults.limits = bool(given.get("limits", self._faults.limits))
            self._faults.latency = float(given.get("latency", self._faults.latency))
            self._faults.seed(int(given.get("seed", 1)))
        elif given.get("kind") == "migrate":
            old, new = int(given["chat"]), int(given["to"])
            group = self._world.chats.pop(old)
            group.id, self._world.moved[old] = new, new
            self._world.chats[new] = group
        else:
            self._faults.add(given.pop("kind"), **given)
        return web.json_response({"ok": True})

    async def no_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return web.json_response({"ok": True})


@web.middleware
async def kind_errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except NotPossible as error:
        return web.json_response({"error": str(error)}, status=409)
    except (KeyError, ValueError, TypeError) as error:
        return web.json_response({"error": f"not understood: {error}"}, status=400)

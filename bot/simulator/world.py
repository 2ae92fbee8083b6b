"""What the simulated Telegram knows: people, chats, messages, files, and updates the bot has not confirmed."""

import asyncio
import base64
import json
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

from bot.simulator.clock import SimulatorClock
from bot.simulator.ledger import Ledger

BOT_ID, BOT_NAME = 7000001, "afterglow_simulator_bot"

Json = dict[str, Any]


class NotPossible(Exception):
    """What a person cannot do: tap a button that is not there, write to nobody."""


@dataclass
class Person:
    id: int
    name: str


@dataclass
class Message:
    id: int
    sender: int
    date: int
    text: str = ""
    buttons: list[list[Json]] = field(default_factory=list)
    file: str | None = None  # id of a picture or document
    filename: str | None = None  # set for documents
    location: Json | None = None
    edited: bool = False
    silent: bool = False
    spoiler: bool = False
    pinned: bool = False


@dataclass
class Chat:
    """A private chat has its person's id; groups are negative. `open` is False when the bot may not write there."""

    id: int
    title: str = ""
    members: list[int] = field(default_factory=list)
    open: bool = False
    messages: list[Message] = field(default_factory=list)

    @property
    def is_group(self) -> bool:
        return self.id < 0


class World:
    """Everything in memory; with a folder, every change is on the disk before it is answered."""

    def __init__(self, clock: SimulatorClock, folder: Path | None = None) -> None:
        self.clock = clock
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, bytes] = {}
        self.updates: list[Json] = []
        self.next_update, self.next_message, self.version = 1, 1, 0
        self.ledger = Ledger()
        self.spinning: set[str] = set()  # callback queries without an answer
        self.moved: dict[int, int] = {}  # groups that became supergroups
        self._changed = asyncio.Condition()
        self._file = folder / "simulator.json" if folder else None
        if self._file is not None and self._file.exists():
            self._load(json.loads(self._file.read_text(encoding="utf-8")))
        else:
            self._settle_in()

    def _settle_in(self) -> None:
        data = tomllib.loads(resources.files("bot.simulator").joinpath("people.toml").read_text(encoding="utf-8"))
        for person in data["people"]:
            self.add_person(person["id"], person["name"])
        for group in data["groups"]:
            self.chats[group["id"]] = Chat(group["id"], group["title"], group["members"])

    def add_person(self, number: int, name: str) -> None:
        self.people[number] = Person(number, name)
        self.chats.setdefault(number, Chat(number, name, [number]))

    def chat(self, number: int) -> Chat:
        if number not in self.chats:
            raise NotPossible(f"there is no chat {number}")
        return self.chats[number]

    def message(self, chat: Chat, number: int) -> Message | None:
        return next((message for message in reversed(chat.messages) if message.id == number), None)

    def post(self, chat: Chat, sender: int, **content: Any) -> Message:
        message = Message(self.next_message, sender, int(self.clock.now().timestamp()), **content)
        self.next_message += 1
        chat.messages.append(message)
        return message

    def keep_file(self, data: bytes) -> str:
        name = f"file{len(self.files) + 1}"
        self.files[name] = data
        return name

    async def tell_bot(self, kind: str, content: Any) -> None:
        self.enqueue(kind, content)
        await self.changed()

    def enqueue(self, kind: str, content: Any) -> None:
        self.updates.append({"update_id": self.next_update, kind: content})
        self.next_update += 1

    def confirm(self, offset: int) -> None:
        """Forgets updates below the offset, as Telegram does; a negative one keeps the last few."""
        if offset < 0:
            self.updates = self.updates[offset:]
        else:
            self.updates = [update for update in self.updates if update["update_id"] >= offset]

    async def changed(self) -> None:
        self.version += 1
        self.save()
        async with self._changed:
            self._changed.notify_all()

    async def wait_for_change(self, since: int, seconds: float) -> None:
        """Returns when something has changed since that version, or after the time."""
        await self.wait_until(lambda: self.version > since, seconds)

    async def wait_until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Returns when a change has made it true, or after the time."""
        try:
            async with asyncio.timeout(seconds):
                async with self._changed:
                    await self._changed.wait_for(holds)
        except TimeoutError:
            return

    def save(self) -> None:
        if self._file is None:
            return
        state = {
            "ahead": self.clock.ahead.total_seconds(),
            "people": [asdict(person) for person in self.people.values()],
            "chats": [asdict(chat) for chat in self.chats.values()],
            "files": {name: base64.b64encode(data).decode() for name, data in self.files.items()},
            "updates": self.updates,
            "next": [self.next_update, self.next_message, self.version],
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps(state), encoding="utf-8")
        draft.replace(self._file)

    def _load(self, state: Json) -> None:
        self.clock.ahead = timedelta(seconds=state["ahead"])
        self.people = {entry["id"]: Person(**entry) for entry in state["people"]}
        for entry in state["chats"]:
            entry["messages"] = [Message(**message) for message in entry["messages"]]
            self.chats[entry["id"]] = Chat(**entry)
        self.files = {name: base64.b64decode(data) for name, data in state["files"].items()}
        self.updates = state["updates"]
        self.next_update, self.next_message, self.version = state["next"]

"""What people do with their phones. One implementation for the page, the tests and scripts from outside."""

from collections.abc import Awaitable, Iterable
from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

from bot.simulator.bot_api import as_json, user_json
from bot.simulator.world import BOT_ID, BOT_NAME, Chat, Json, Message, NotPossible, World


class Hooks(Protocol):
    """What turning the clock asks of the application, so that no due moment is jumped over."""

    def next_due(self, until: datetime) -> Awaitable[datetime | None]: ...

    def settle(self) -> Awaitable[None]: ...


class Phones:
    def __init__(self, world: World, hooks: Hooks | None = None) -> None:
        self._world = world
        self.hooks = hooks

    async def write(self, person: int, text: str, chat: int | None = None) -> Message:
        """A text; an invite link typed or pasted starts the bot with its payload."""
        link = f"t.me/{BOT_NAME}?start="
        if link in text:
            text = "/start " + text.partition(link)[2].split()[0]
        return await self._say(person, self._chat_of(person, chat), text=text)

    async def edit(self, person: int, message: int, text: str) -> None:
        """Changes what was written before."""
        chat = self._chat_of(person, None)
        found = next((known for known in chat.messages if known.id == message and known.sender == person), None)
        if found is None:
            raise NotPossible(f"there is no message {message} of one's own")
        found.text = text
        await self._world.tell_bot("edited_message", as_json(self._world, chat, found))

    async def share_location(self, person: int, latitude: float, longitude: float) -> Message:
        chat = self._chat_of(person, None)
        return await self._say(person, chat, location={"latitude": latitude, "longitude": longitude})

    async def send_file(self, person: int, name: str, data: bytes, caption: str = "") -> Message:
        chat = self._chat_of(person, None)
        return await self._say(person, chat, text=caption, file=self._world.keep_file(data), filename=name)

    async def tap(
        self, person: int, *, button: str | None = None, data: str | None = None, message: int | None = None,
        chat: int | None = None,
    ) -> str:  # fmt: skip
        """Taps a button by its text or its data, on one message or the latest that has it; returns the data.

        `data` need not be on any button: that is how a forged tap looks to the bot.
        """
        place = self._chat_of(person, chat)
        found, carried = self._find(place, button, data, message)
        await self._world.tell_bot("callback_query", self._tapped(person, place, found, carried))
        return carried

    async def tap_many(self, taps: Iterable[tuple[int, str]]) -> None:
        """Each person taps a button with that data in the own chat, without a look whether it is shown."""
        for person, data in taps:
            chat = self._chat_of(person, None)
            shown = chat.messages[-1] if chat.messages else self._world.post(chat, BOT_ID, text="…")
            self._world.enqueue("callback_query", self._tapped(person, chat, shown, data))
        await self._world.changed()

    def _tapped(self, person: int, chat: Chat, message: Message, data: str) -> Json:
        query = uuid4().hex
        self._world.spinning.add(query)
        return {"id": query, "from": user_json(self._world, person), "chat_instance": str(chat.id), "data": data,
                "message": as_json(self._world, chat, message)}  # fmt: skip

    async def block(self, person: int) -> None:
        await self._membership(self._chat_of(person, None), person, "member", "kicked", is_open=False)

    async def unblock(self, person: int) -> None:
        await self._membership(self._chat_of(person, None), person, "kicked", "member", is_open=True)

    async def add_bot(self, person: int, group: int) -> None:
        await self._membership(self._chat_of(person, group), person, "left", "member", is_open=True)

    async def forward(self, span: timedelta) -> datetime:
        """Turns the clock, stopping at every moment at which the application has something to do."""
        target = self._world.clock.now() + span
        await self._settle()
        while self.hooks is not None:
            moment = await self.hooks.next_due(target)
            if moment is None:
                break
            self._world.clock.turn_to(moment)
            await self._settle()
        self._world.clock.turn_to(target)
        await self._settle()
        await self._world.changed()
        return self._world.clock.now()

    async def forward_to_next(self) -> datetime:
        """To the next due moment within 60 days; nowhere when there is none."""
        await self._settle()
        moment = await self.hooks.next_due(self._world.clock.now() + timedelta(days=60)) if self.hooks else None
        return await self.forward(max(timedelta(0), moment - self._world.clock.now()) if moment else timedelta(0))

    async def _settle(self) -> None:
        if self.hooks is not None:
            await self.hooks.settle()

    async def _say(self, person: int, chat: Chat, **content: object) -> Message:
        if not chat.is_group:
            chat.open = True
        message = self._world.post(chat, person, **content)
        await self._world.tell_bot("message", as_json(self._world, chat, message))
        return message

    async def _membership(self, chat: Chat, person: int, before: str, after: str, *, is_open: bool) -> None:
        chat.open = is_open
        bot = user_json(self._world, BOT_ID)
        place = as_json(self._world, chat, Message(0, person, 0))["chat"]
        await self._world.tell_bot(
            "my_chat_member",
            {"chat": place, "from": user_json(self._world, person), "date": int(self._world.clock.now().timestamp()),
             "old_chat_member": {"user": bot, "status": before, "until_date": 0},
             "new_chat_member": {"user": bot, "status": after, "until_date": 0}},
        )  # fmt: skip

    def _chat_of(self, person: int, chat: int | None) -> Chat:
        if person not in self._world.people:
            raise NotPossible(f"there is nobody with the number {person}")
        place = self._world.chat(person if chat is None else chat)
        if person not in place.members:
            raise NotPossible("that person is not in that chat")
        return place

    def _find(self, chat: Chat, button: str | None, data: str | None, number: int | None) -> tuple[Message, str]:
        shown = [m for m in reversed(chat.messages) if m.sender == BOT_ID and number in (None, m.id)]
        for message in shown:
            for found in (found for row in message.buttons for found in row):
                carried = found.get("callback_data")
                if carried is not None and (found["text"] == button or (button is None and carried == data)):
                    return message, str(carried)
        if button is None and data is not None and shown:
            return shown[0], data
        raise NotPossible(f"there is no button {button or data!r} to tap")

"""What is sent: text, buttons, picture or document; and whom it is written for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bot.chat.callbacks import AnswerTap, Tap
from bot.chat.menus import Menu
from bot.texts import Texts

Button = Mapping[str, object]  # as Telegram reads it: `text`, and what it does
Buttons = Sequence[Sequence[Button]]


@dataclass(frozen=True, slots=True)
class Content:
    text: str
    buttons: Buttons = ()
    photo: Callable[[], bytes] | None = None
    document: Callable[[], bytes] | None = None
    filename: str | None = None
    silent: bool = False
    spoiler: bool = False
    protect: bool = False
    kept: bool = True  # False: tells about many patients, who may each ask that nothing about them is kept
    menu: Menu = ()  # the commands that this chat offers from now on
    pin: bool = False  # kept on top of the chat, so that it is there when the bot is not


@dataclass(frozen=True, slots=True)
class Reader:
    texts: Texts
    language: str

    def say(self, key: str, **values: str | int | float) -> str:
        return self.texts.say(key, self.language, **values)

    def count(self, key: str, n: int, **values: str | int | float) -> str:
        return self.texts.count(key, self.language, n, **values)

    def button(self, key: str, tap: Tap | AnswerTap, **values: str | int | float) -> Button:
        return labelled(self.say(key, **values), tap)

    def time(self, moment: datetime, zone: str) -> str:
        return f"{moment.astimezone(ZoneInfo(zone)):%H:%M}"

    def day_and_time(self, moment: datetime, zone: str) -> str:
        day = format_date(moment.astimezone(ZoneInfo(zone)), "EEE d MMM", locale=self.language)
        return f"{day}, {self.time(moment, zone)}"


def labelled(label: str, tap: Tap | AnswerTap) -> Button:
    return {"text": label, "callback_data": tap.encode()}

"""A raw update as Telegram sent it: the few things that must be known before the library parses it."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bot.desk import Origin
from bot.texts import LANGUAGES

Raw = dict[str, Any]
HIGHEST_ID = 2**53


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen at first sight, whatever else the update holds."""

    number: int  # 0 when the update belongs to no chat
    is_group: bool
    sender: int | None
    data: str | None  # of a tapped button
    callback_id: str | None
    text: str | None
    is_edit: bool  # of what was written before

    def origin(self, source: int, claim: str) -> Origin:
        return Origin(self.number, self.is_group, self.sender, source, claim)


def look(raw: Raw) -> Look:
    """Never raises on a malformed update: what cannot be read is left out."""
    tap = _mapping(raw.get("callback_query"))
    message = _mapping(tap.get("message")) or next(
        (_mapping(raw[kind]) for kind in ("message", "edited_message", "my_chat_member") if kind in raw), {}
    )
    chat = _mapping(message.get("chat"))
    sender = _mapping(tap.get("from")) or _mapping(message.get("from"))
    number = chat.get("id") or sender.get("id")
    return Look(
        number=number if isinstance(number, int) else 0,
        is_group=chat.get("type") in ("group", "supergroup"),
        sender=sender["id"] if isinstance(sender.get("id"), int) else None,
        data=_text(tap.get("data")),
        callback_id=_text(tap.get("id")),
        text=None if tap else _text(message.get("text")) or _text(message.get("caption")),
        is_edit="edited_message" in raw,
    )


def language(raw: Raw) -> str | None:
    """The language of the sender's Telegram, when it is one of ours; looked up nowhere."""
    message = _mapping(raw.get("callback_query")) or _mapping(raw.get("message"))
    code = _text(_mapping(message.get("from")).get("language_code")) or ""
    return code[:2] if code[:2] in LANGUAGES else None


def complete(raw: Raw) -> Raw:
    """The update as the library wants to parse it: with what it insists on, for servers that leave that out, and
    without the buttons of a tapped message, which nobody here reads."""
    tap = _mapping(raw.get("callback_query"))
    if not tap:
        return raw
    message = {"message_id": 0, "date": 0, **_mapping(tap.get("message"))}
    message.pop("reply_markup", None)
    return {**raw, "callback_query": {"chat_instance": "", **tap, **({"message": message} if "message" in tap else {})}}


def update_id(raw: Raw) -> int:
    """Telegram's number; for an update that has none, one that is negative and follows from what it holds."""
    number = raw.get("update_id")
    if isinstance(number, int) and 0 <= number < HIGHEST_ID:
        return number
    return -1 - int.from_bytes(sha256(dump(raw).encode(errors="replace")).digest()[:7])


def read(body: str) -> Raw:
    """A stored body; nothing when it is no update at all."""
    try:
        raw = json.loads(body)
    except ValueError:
        return {}
    return _mapping(raw)


def dump(raw: Raw) -> str:
    """Plain ASCII: half a surrogate pair in one text must not keep the whole batch from being stored."""
    return json.dumps(raw, separators=(",", ":"))


def _mapping(value: object) -> Raw:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None

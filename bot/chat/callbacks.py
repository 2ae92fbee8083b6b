"""What a button carries: typed, at most 64 bytes, decoded in one place. Nothing in it is trusted."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from uuid import UUID

LIMIT = 64  # bytes, Telegram's
SKIPPED = "-"


@dataclass(frozen=True, slots=True)
class AnswerTap:
    """An answer to one item; None skips it."""

    check_in: UUID
    instrument: str
    item: str
    value: int | None

    def encode(self) -> str:
        value = SKIPPED if self.value is None else self.value
        return _fit(f"a|{_short(self.check_in)}|{self.instrument}.{self.item}|{value}")


@dataclass(frozen=True, slots=True)
class Tap:
    """Any other button: what to do, with which row, and a word of detail."""

    act: str
    subject: UUID | None = None
    detail: str = ""

    def encode(self) -> str:
        return _fit(f"{self.act}|{_short(self.subject) if self.subject else ''}|{self.detail}")


def decode(data: str) -> AnswerTap | Tap | None:
    """None for what no button of ours ever carried."""
    fields = data.split("|")
    try:
        match fields:
            case ["a", check_in, question, value]:
                instrument, _, item = question.partition(".")
                return AnswerTap(_long(check_in), instrument, item, None if value == SKIPPED else int(value))
            case [act, subject, detail]:
                return Tap(act, _long(subject) if subject else None, detail)
    except (ValueError, Error):
        return None
    return None


def _fit(data: str) -> str:
    if len(data.encode()) > LIMIT:
        raise ValueError(f"a button holds at most {LIMIT} bytes, this one {len(data.encode())}: {data}")
    return data


def _short(row: UUID) -> str:
    return urlsafe_b64encode(row.bytes).decode().rstrip("=")


def _long(text: str) -> UUID:
    return UUID(bytes=urlsafe_b64decode(text + "=="))

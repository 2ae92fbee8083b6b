"""The post: what came in, what goes out, and which message shows which card."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table, own_id

MAX_ATTEMPTS = 3  # an update or a letter that failed three times is given up, visibly
MAX_DEATHS = 6  # so many tries that ended with the process, all but the first alone, are no chance any more

# SQLite only numbers rows by itself when the column is a plain INTEGER.
Position = BigInteger().with_variant(Integer, "sqlite")


class InboxState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"  # failed three times; visible, and can be replayed


class LetterState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    REPLACED = "replaced"  # a newer revision of the same card took its place before it was sent
    REFUSED = "refused"  # Telegram will never take it: blocked, gone, or unacceptable
    EXPIRED = "expired"
    BROKEN = "broken"  # we could not make it, several times; the operator is told


class InboxRow(Table):
    """One raw update, sealed under the key of its day."""

    __tablename__ = "inbox"

    position: Mapped[int] = mapped_column(Position, primary_key=True, autoincrement=True)
    update_id: Mapped[int] = mapped_column(BigInteger)
    chat_key: Mapped[str]
    day: Mapped[date]
    sealed_body: Mapped[bytes]
    state: Mapped[InboxState] = mapped_column(default=InboxState.WAITING)
    triaged: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    looks: Mapped[int] = mapped_column(default=0, server_default="0")  # times that triage began to look at it
    claimed_by: Mapped[str | None]  # the process that triages or handles it now
    claimed_until: Mapped[datetime | None]  # by the database's clock
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("update_id", "chat_key"),
        Index(None, "state", "position"),
        Index(None, "state", "chat_key", "position"),
        Index(
            "ix_inbox_not_triaged",
            "position",
            sqlite_where=text("state = 'waiting' AND triaged IS 0"),
            postgresql_where=text("state = 'waiting' AND triaged IS FALSE"),
        ),
    )


class Letter(Table):
    """What the bot will say: kind, reader and ids. The text is made when it is sent, and kept sealed afterwards."""

    __tablename__ = "outbox"

    position: Mapped[int] = mapped_column(Position, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    kind: Mapped[str]
    urgency: Mapped[int]
    chat_id: Mapped[UUID] = mapped_column(ForeignKey("chats.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patients.id"))
    subject_id: Mapped[UUID | None]  # the alert, check-in, … that the kind speaks of
    detail: Mapped[str] = mapped_column(default="")  # text keys and codes only
    card: Mapped[str | None]  # letters of the same card replace each other, and edit its message
    fresh: Mapped[bool] = mapped_column(default=True)  # True: a new message that sounds; False: an edit of the card
    state: Mapped[LetterState] = mapped_column(default=LetterState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    written_at: Mapped[datetime]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    sealed_said: Mapped[bytes | None]
    __table_args__ = (
        Index(None, "state", "urgency", "due_at"),
        Index(None, "chat_id", "card"),
    )


class Card(Table):
    """The message that shows a card in a chat, so that a change of state can edit it."""

    __tablename__ = "cards"

    id: Mapped[UUID] = own_id()
    chat_id: Mapped[UUID] = mapped_column(ForeignKey("chats.id"))
    card: Mapped[str]
    message_id: Mapped[int] = mapped_column(BigInteger)
    has_picture: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (UniqueConstraint("chat_id", "card"),)


class Lease(Table):
    """Who polls, ticks and sends, until when by the database's clock."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]
    term: Mapped[int]

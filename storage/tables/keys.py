"""Subject keys, and facts about the database itself."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Table


class SubjectKey(Table):
    """One row per person or inbox day. Destroying the row erases all that was sealed for the subject."""

    __tablename__ = "keys"

    subject: Mapped[str] = mapped_column(primary_key=True)
    master: Mapped[str]
    wrapped: Mapped[bytes]
    made_at: Mapped[datetime]


class Fact(Table):
    """Small facts: which Telegram this database has met, when polling last worked, which clinic phone was checked."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    set_at: Mapped[datetime]

"""What a use case gets: the stores of its transaction, the moment, who acts, and the clinic's knowledge."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.clinical.crisis import CrisisLines
from bot.clinical.library import Library
from bot.clinical.screening import Patterns
from bot.settings import Clinic, Roads
from storage.stores import Stores
from storage.tables.people import Chat, Patient, Person


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What does not change while the process runs."""

    clinic: Clinic
    library: Library
    patterns: Patterns
    crisis_lines: CrisisLines
    roads: Roads


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a use case acts for: the person and chat an update came from; all None when the clock itself acts."""

    person: Person | None = None
    chat: Chat | None = None
    patient: Patient | None = None  # when the person is one
    source: int = 0  # inbox position of the update

    @property
    def id(self) -> UUID | None:
        return self.person.id if self.person else None


@dataclass(frozen=True, slots=True)
class Work:
    """One unit of work. Use cases load and save through `stores`, and never commit."""

    stores: Stores
    now: datetime
    knowledge: Knowledge
    caller: Caller = Caller()

    @property
    def clinic(self) -> Clinic:
        return self.knowledge.clinic

    def by(self) -> Person:
        """The person who acts; permissions have made sure that there is one."""
        assert self.caller.person is not None  # nosec B101
        return self.caller.person

    def chat(self) -> Chat:
        assert self.caller.chat is not None  # nosec B101
        return self.caller.chat

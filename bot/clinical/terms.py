"""Clinical words with a fixed set of values; their definitions are in docs/glossary.md."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Level(StrEnum):
    """How soon a human must look: NOTE digest only, YELLOW next working day, ORANGE call within 4 h, RED page now."""

    NOTE = "note"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    @property
    def rank(self) -> int:
        """0 (NOTE) to 3 (RED). Compare ranks, never the levels themselves: they are strings."""
        return list(Level).index(self)

    def at_least(self, other: "Level") -> bool:
        return self.rank >= other.rank

    @staticmethod
    def highest(*levels: "Level") -> "Level":
        return max(levels, key=lambda level: level.rank)


class Rule(StrEnum):
    """The alert rules of docs/clinical.md, "Alert rules"."""

    SUICIDAL_THOUGHTS = "R0"
    LOSS_OF_RESPONSE = "R1"
    DROP_BELOW_REFERENCE = "R2"
    SHARP_DROP = "R3"
    PHQ9 = "R4"
    SILENCE = "R5"
    SIDE_EFFECTS = "R6"
    FADING = "R7"


class Mode(StrEnum):
    """How an answer came in. Answers by somebody else (PROXY, STAFF) never enter references."""

    TAP = "tap"
    TYPED = "typed"
    PROXY = "proxy"
    STAFF = "staff"


class Phase(StrEnum):
    INDUCTION = "induction"
    MAINTENANCE = "maintenance"


class Outcome(StrEnum):
    """What became of a check-in. UNDELIVERED is never the patient's silence."""

    PENDING = "pending"
    PARTLY = "partly"
    ANSWERED = "answered"
    MISSED = "missed"
    UNDELIVERED = "undelivered"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule sees.

    `reason` is a text key below "finding." in the catalogues, `values` its named placeholders (numbers stay numbers:
    they are formatted in the reader's language). `day` is the diary day that the finding is about.
    """

    rule: Rule
    level: Level
    reason: str
    day: date
    values: dict[str, float | int | str] = field(default_factory=dict)

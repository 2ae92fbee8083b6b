"""Free text is screened for danger in every shipped language; a match only ever adds an alert.

Patterns are data (screening_patterns/*.toml) that a clinician can read: a name, a level, what is looked for, and what
in the same clause takes it back (negation, past, somebody else, a figure of speech).
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources

from bot.clinical.terms import Level

LONGEST = 8000  # characters looked at; the rest of a longer text is looked at in further pieces
CLAUSES = re.compile(r"[.!?;\n]+|,? (?:but|aber|pero|sondern) ")


@dataclass(frozen=True, slots=True)
class Match:
    level: Level
    pattern: str


@dataclass(frozen=True, slots=True)
class Pattern:
    name: str
    level: Level
    looks_for: re.Pattern[str]
    unless: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Patterns:
    known: tuple[Pattern, ...]

    @classmethod
    def load(cls) -> "Patterns":
        found: list[Pattern] = []
        for file in sorted(
            resources.files("bot.clinical").joinpath("screening_patterns").iterdir(), key=lambda f: f.name
        ):
            data = tomllib.loads(file.read_text(encoding="utf-8"))
            unless = "|".join(data["takes_back"])
            for name, entry in data["patterns"].items():
                exceptions = "|".join(
                    filter(None, [unless if entry.get("can_be_taken_back", True) else "", *entry.get("unless", [])])
                )
                found.append(
                    Pattern(
                        f"{data['language']}.{name}",
                        Level(entry["level"]),
                        re.compile(rf"\b(?:{'|'.join(entry['looks_for'])})"),
                        re.compile(rf"\b(?:{exceptions})\b") if exceptions else None,
                    )
                )
        return cls(tuple(found))


def normalise(text: str) -> str:
    """Lower case without accents, one apostrophe, no letter three times."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'").replace("´", "'"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"(.)\1{2,}", r"\1\1", re.sub(r"[ \t]+", " ", plain))


def screen(text: str, patterns: Patterns) -> Match | None:
    """The highest match in any clause; None when nothing was found, which does not mean that there is nothing."""
    found: list[Match] = []
    for start in range(0, len(text), LONGEST):
        for clause in CLAUSES.split(normalise(text[start : start + LONGEST])):
            found += [
                Match(pattern.level, pattern.name)
                for pattern in patterns.known
                if pattern.looks_for.search(clause) and not (pattern.unless and pattern.unless.search(clause))
            ]
    return max(found, key=lambda match: match.level.rank, default=None)


def screen_rows(rows: Iterable[dict[str, str]], patterns: Patterns) -> Iterator[dict[str, str]]:
    """Each row with `level` and `pattern` added, both empty where nothing was found."""
    for row in rows:
        match = screen(row.get("text", ""), patterns)
        yield {**row, "level": match.level if match else "", "pattern": match.pattern if match else ""}

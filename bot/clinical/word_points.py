"""Points for single words and pairs of words: what no phrase finds is weighed word by word.

A file screening_patterns/XX.words.csv holds one line for each thing that may be said, and its points; `make words` fits
it to the sentences in tests/clinical/screening, and a clinician can read, sort and correct it like any table:

    burden      the word                    burde-      a word that begins so (its first five letters)
    ~die        the same, but taken back    without me  two words beside each other, by their first five letters
    ^ i   me $  the sentence begins, ends   want _ die  two words with one between them
    {despair}   a sign, or a pattern or table that is not sure alone, by its name in XX.toml

"Taken back" means denied, past, about somebody else or only asked about, as for phrases. What is said in up to two
neighbouring sentences is added up and divided by the square root of how many things were said, so that length alone is
no danger. ALARM_FROM and CALL_FROM are sums on that scale.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Protocol

from bot.clinical.phrases import BadPhrase
from bot.clinical.terms import Level

ALARM_FROM = 100  # points: somebody should read the note on the next working day
CALL_FROM = 130  # points: somebody should call
STEM = 5  # letters
FEWEST = 3  # words: with less, such as a typed number, there is nothing to weigh; phrases find "suicide" alone
KNOWN = 0.65  # of the words: a text of which the table knows fewer is in another language
TAKEN_BACK = "~"
BEGIN, END = "^", "$"
COLUMNS = ("said", "points")


class Line(Protocol):
    @property
    def parts(self) -> Iterable[Iterable[str]]: ...
    @property
    def names(self) -> Iterable[str]: ...


@dataclass(frozen=True, slots=True)
class WordPoints:
    points: Mapping[str, int]
    stems: frozenset[str]  # of all words that the file knows

    @classmethod
    def read(cls, text: str) -> "WordPoints":
        """Raises BadPhrase, which names the line."""
        points: dict[str, int] = {}
        lines = csv.reader(text.splitlines())
        next(lines, None)  # the names of the columns
        for number, row in enumerate(lines, start=2):
            if len(row) != len(COLUMNS) or not row[0] or not row[1].lstrip("-").isdigit():
                raise BadPhrase(f"line {number}: something said and its points, a whole number, are expected")
            said, worth = row
            if said in points:
                raise BadPhrase(f"line {number}: {said!r} has points already")
            points[said] = int(worth)
        words = (word.lstrip(TAKEN_BACK) for said in points for word in said.split())
        return cls(points, frozenset(word[:STEM] for word in words if word.isalnum()))

    def knows(self, lines: Iterable[Line]) -> float:
        """The share of the words that are in the table in some form: of a text in another language, few are."""
        words = _words(lines)
        return sum(word[:STEM] in self.stems for word in words) / len(words) if len(words) >= FEWEST else 0.0

    def level(self, *lines: Line) -> Level | None:
        """Of neighbouring lines, as words that are marked where they are taken back."""
        reached = self.weigh(*lines)
        return Level.ORANGE if reached >= CALL_FROM else Level.YELLOW if reached >= ALARM_FROM else None

    def weigh(self, *lines: Line) -> float:
        if len(_words(lines)) < FEWEST:
            return 0.0
        said = {thing for line in lines for thing in things_in(line)}
        return sum(self.points.get(thing, 0) for thing in said) / sqrt(len(said)) if said else 0.0


def _words(lines: Iterable[Line]) -> list[str]:
    """Without numbers and signs such as a stroke."""
    words = [word.lstrip(TAKEN_BACK) for line in lines for part in line.parts for word in part]
    return [word for word in words if word.isalpha()]


def things_in(line: Line) -> Iterator[str]:
    """What may have points in one line."""
    for part in line.parts:
        yield from things_said(part)
    yield from (f"{{{name}}}" for name in line.names)


def things_said(words: Iterable[str]) -> Iterator[str]:
    """What may have points in one part of it."""
    stems = [BEGIN]
    for word in words:
        mark = TAKEN_BACK if word.startswith(TAKEN_BACK) else ""
        plain = word.removeprefix(TAKEN_BACK)
        yield word
        if len(plain) >= STEM:
            yield f"{mark}{plain[:STEM]}-"
        stems.append(mark + plain[:STEM])
    stems.append(END)
    if len(stems) == len((BEGIN, END)):
        return
    yield from (f"{one} {other}" for one, other in pairwise(stems))
    yield from (f"{one} _ {other}" for one, other in zip(stems[1:-1], stems[3:-1], strict=False))

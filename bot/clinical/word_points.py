"""Points for single words and pairs of words: what no phrase finds is weighed word by word.

A file screening_patterns/XX.words.csv holds one line for each thing that may be said, and its points; `make words` fits
it to the sentences in tests/clinical/screening, and a clinician can read, sort and correct it like any table:

    burden      the word                    burde-      a word that begins so (its first five letters)
    ~die        the same, but taken back    without me  two words beside each other, by their first five letters
    ^ i   me $  the sentence begins, ends   want _ die  two words with one between them

"Taken back" means denied, past, about somebody else or only asked about, as for phrases. What is said in up to two
neighbouring sentences is added up and divided by the square root of how many things were said, so that length alone is
no danger. ALARM_FROM and CALL_FROM are sums on that scale.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from bot.clinical.phrases import BadPhrase
from bot.clinical.terms import Level

ALARM_FROM = 100  # points: somebody should read the note on the next working day
CALL_FROM = 130  # points: somebody should call
STEM = 5  # letters
FEWEST = 3  # words: with less, such as a typed number, there is nothing to weigh; phrases find "suicide" alone
KNOWN = 0.5  # of the words: a sentence with fewer that the file knows is in another language
TAKEN_BACK = "~"
BEGIN, END = "^", "$"


@dataclass(frozen=True, slots=True)
class WordPoints:
    points: Mapping[str, int]
    stems: frozenset[str]  # of all words that the file knows

    @classmethod
    def read(cls, text: str) -> "WordPoints":
        """Raises BadPhrase, which names the line."""
        points: dict[str, int] = {}
        for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
            said, worth = row.get("said"), row.get("points")
            if not said or worth is None or not worth.lstrip("-").isdigit():
                raise BadPhrase(f"line {number}: something said and its points, a whole number, are expected")
            if said in points:
                raise BadPhrase(f"line {number}: {said!r} has points already")
            points[said] = int(worth)
        words = (word.lstrip(TAKEN_BACK) for said in points for word in said.split())
        return cls(points, frozenset(word[:STEM] for word in words if word.isalnum()))

    def level(self, *sentences: Iterable[str]) -> Level | None:
        """Of neighbouring sentences, as words that are marked where they are taken back."""
        reached = self.weigh(*sentences)
        return Level.ORANGE if reached >= CALL_FROM else Level.YELLOW if reached >= ALARM_FROM else None

    def weigh(self, *sentences: Iterable[str]) -> float:
        read = [tuple(words) for words in sentences]
        words = [word.lstrip(TAKEN_BACK) for sentence in read for word in sentence]
        if len(words) < FEWEST or sum(word[:STEM] in self.stems for word in words) < KNOWN * len(words):
            return 0.0
        said = {thing for sentence in read for thing in things_said(sentence)}
        return sum(self.points.get(thing, 0) for thing in said) / sqrt(len(said)) if said else 0.0


def things_said(words: Iterable[str]) -> Iterator[str]:
    """What may have points in one sentence."""
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

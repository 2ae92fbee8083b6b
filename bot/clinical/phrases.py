"""A small notation for phrases, so that a clinician can read and correct what is looked for.

    want to die          these words, one after the other
    suicid*   *arme   *  a word that begins, or ends, so; any word
    <wish>               any phrase of the list `wish`
    (really)             may be there
    [kill|end] myself    one of these
    ..   ...   ....      up to two, five, seven other words, never one that `stops_gaps`; ... also ends at a pause
    jump & bridge        both, in either order, up to eight other words between
    ^   $                the sentence, or a part of it at a comma, begins, ends here

Phrases are followed word by word with sets of positions, never by trying again: the time grows with the text, not with
what is in it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

GAPS = {"..": (2, True), "...": (5, False), "....": (7, True)}  # words, whether a comma may stand in it
CUT_OUT = "~"  # stands where a figure of speech was; no phrase reaches across it
SPECIAL = "()[]|<>"
PIECES = re.compile(r"[()\[\]|<>]|[^\s()\[\]|<>]+")


class BadPhrase(ValueError):
    """A phrase that cannot be read; the text says where it stands and what is wrong."""


@dataclass(frozen=True)
class Sentence:
    """The words of one sentence; `commas` are the words before which a pause stands."""

    words: tuple[str, ...]
    commas: frozenset[int]
    forms: tuple[frozenset[str], ...]
    begins: Mapping[str, list[int]]  # by the name of a list that is looked for: where one of its phrases may begin
    ends: dict[tuple[str, int], frozenset[int]] = field(default_factory=dict)  # what was found out already
    found: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)


class Part(Protocol):
    def follow(self, here: Sentence, at: set[int], book: "Book") -> set[int]: ...

    def first(self, book: "Book") -> tuple[set[str], bool]:
        """The words that it can begin with, and whether it can be nothing."""
        ...


Phrase = tuple[Part, ...]
BOTH = 2


@dataclass(frozen=True)
class Word:
    form: str

    def follow(self, here: Sentence, at: set[int], book: "Book") -> set[int]:
        return {place + 1 for place in at if place < len(here.words) and self.form in here.forms[place]}

    def first(self, book: "Book") -> tuple[set[str], bool]:
        return {self.form}, False


@dataclass(frozen=True)
class Gap:
    most: int
    over_pauses: bool

    def follow(self, here: Sentence, at: set[int], book: "Book") -> set[int]:
        reached = set(at)
        for place in at:
            for further in range(place, min(place + self.most, len(here.words))):
                if here.words[further] in book.stops_gaps or (not self.over_pauses and further in here.commas):
                    break
                reached.add(further + 1)
        return reached if self.over_pauses else reached - here.commas

    def first(self, book: "Book") -> tuple[set[str], bool]:
        raise BadPhrase("a phrase cannot begin with a gap")


APART = Gap(8, over_pauses=True)


@dataclass(frozen=True)
class Listed:
    name: str

    def follow(self, here: Sentence, at: set[int], book: "Book") -> set[int]:
        return {end for place in at for end in book.ends(self.name, here, place)}

    def first(self, book: "Book") -> tuple[set[str], bool]:
        return set(book.lists[self.name].starts), False


@dataclass(frozen=True)
class OneOf:
    choices: tuple[Phrase, ...]
    optional: bool

    def follow(self, here: Sentence, at: set[int], book: "Book") -> set[int]:
        reached = set(at) if self.optional else set()
        for choice in self.choices:
            reached |= follow(choice, here, at, book)
        return reached

    def first(self, book: "Book") -> tuple[set[str], bool]:
        begins = [first(choice, book) for choice in self.choices]
        return {word for words, _ in begins for word in words}, self.optional or any(empty for _, empty in begins)


@dataclass(frozen=True)
class Edge:
    begins: bool

    def follow(self, here: Sentence, at: set[int], book: "Book") -> set[int]:
        return {place for place in at if place in here.commas or place == (0 if self.begins else len(here.words))}

    def first(self, book: "Book") -> tuple[set[str], bool]:
        return set(), True


def follow(phrase: Phrase, here: Sentence, at: set[int], book: "Book") -> set[int]:
    """Where the phrase can end when it begins at one of these places."""
    for part in phrase:
        if not at:
            break
        at = part.follow(here, at, book)
    return at


def first(phrase: Phrase, book: "Book") -> tuple[set[str], bool]:
    words: set[str] = set()
    for part in phrase:
        begins, can_be_nothing = part.first(book)
        words |= begins
        if not can_be_nothing:
            return words, False
    return words, True


@dataclass(frozen=True)
class PhraseList:
    """Phrases, found by the word they begin with."""

    starts: Mapping[str, tuple[Phrase, ...]]


@dataclass
class Book:
    """The lists of one language by name; each may use those read before it."""

    stops_gaps: frozenset[str] = frozenset({CUT_OUT})
    lists: dict[str, PhraseList] = field(default_factory=dict)
    forms: set[str] = field(default_factory=set)
    begun_by: dict[str, list[str]] = field(default_factory=dict)  # a first word -> the lists that are looked for

    def add(self, name: str, lines: str, *, only_used: bool = False) -> None:
        """`only_used`: never looked for itself, only as a part of other phrases."""
        starts: dict[str, list[Phrase]] = {}
        for line in phrases_of(lines):
            try:
                phrase = self._read(line)
                begins, empty = first(phrase, self)
                if empty:
                    raise BadPhrase("a phrase needs at least one word that must be there")
            except BadPhrase as problem:
                raise BadPhrase(f"{name}: {line[:100]!r}: {problem}") from None
            for word in begins:
                starts.setdefault(word, []).append(phrase)
        self.lists[name] = PhraseList({word: tuple(phrases) for word, phrases in starts.items()})
        for word in () if only_used else starts:
            self.begun_by.setdefault(word, []).append(name)

    def ends(self, name: str, here: Sentence, place: int) -> frozenset[int]:
        """Where a phrase of this list can end that begins at this place."""
        known = here.ends.get((name, place))
        if known is None:
            reached: set[int] = set()
            if place < len(here.words):
                starts = self.lists[name].starts
                for form in here.forms[place]:
                    for phrase in starts.get(form, ()):
                        reached |= follow(phrase, here, {place}, self)
            known = here.ends[name, place] = frozenset(reached)
        return known

    def found(self, name: str, here: Sentence) -> tuple[tuple[int, int], ...]:
        """Every place where a phrase of this list begins, with its last end."""
        known = here.found.get(name)
        if known is None:
            ends = [(place, self.ends(name, here, place)) for place in here.begins.get(name, ())]
            known = here.found[name] = tuple((place, max(reached)) for place, reached in ends if reached)
        return known

    def sentence(self, words: Sequence[str], commas: Iterable[int]) -> Sentence:
        forms = tuple(self._forms_of(word) for word in words)
        begins: dict[str, list[int]] = {}
        for place, here in enumerate(forms):
            for name in {name for form in here for name in self.begun_by.get(form, ())}:
                begins.setdefault(name, []).append(place)
        return Sentence(tuple(words), frozenset(commas), forms, begins)

    def _forms_of(self, word: str) -> frozenset[str]:
        possible = [word, "*"]
        possible += [word[:size] + "*" for size in range(1, len(word) + 1)]
        possible += ["*" + word[size:] for size in range(len(word) - 1)]
        return frozenset(form for form in possible if form in self.forms)

    def _read(self, line: str) -> Phrase:
        halves: list[Phrase] = []
        for half in line.split(" & "):
            phrase, rest = self._sequence(PIECES.findall(half), "")
            if rest:
                raise BadPhrase(f"a {rest[0]!r} too many")
            halves.append(phrase)
        if len(halves) == 1:
            return halves[0]
        if len(halves) > BOTH:
            raise BadPhrase("only two can be joined by &")
        there, back = (*halves[0], APART, *halves[1]), (*halves[1], APART, *halves[0])
        return (OneOf((there, back), optional=False),)

    def _sequence(self, pieces: list[str], closing: str) -> tuple[Phrase, list[str]]:
        parts: list[Part] = []
        while pieces and pieces[0] != "|" and pieces[0] != closing:
            piece, pieces = pieces[0], pieces[1:]
            if piece in ("(", "["):
                part, pieces = self._choices(pieces, {"(": ")", "[": "]"}[piece], optional=piece == "(")
                parts.append(part)
            elif piece == "<":
                if pieces[1:2] != [">"]:
                    raise BadPhrase("the name of a list stands between < and >")
                if pieces[0] not in self.lists:
                    raise BadPhrase(f"there is no list <{pieces[0]}> above")
                parts.append(Listed(pieces[0]))
                pieces = pieces[2:]
            elif piece in SPECIAL:
                return tuple(parts), [piece, *pieces]
            else:
                parts.append(self._single(piece))
        return tuple(parts), pieces

    def _choices(self, pieces: list[str], closing: str, *, optional: bool) -> tuple[OneOf, list[str]]:
        choices: list[Phrase] = []
        while True:
            phrase, pieces = self._sequence(pieces, closing)
            if not phrase:
                raise BadPhrase(f"a choice before {closing!r} is empty")
            choices.append(phrase)
            if not pieces or pieces[0] not in ("|", closing):
                raise BadPhrase(f"a {closing!r} is missing")
            end, pieces = pieces[0], pieces[1:]
            if end == closing:
                return OneOf(tuple(choices), optional), pieces

    def _single(self, piece: str) -> Part:
        if piece in GAPS:
            return Gap(*GAPS[piece])
        if piece in ("^", "$"):
            return Edge(piece == "^")
        bare = piece.strip("*")
        if piece != "*" and not bare.isalnum() and not (len(bare) == 1 and bare.isprintable()):
            raise BadPhrase(f"{piece!r} is neither a word nor a sign of the notation")
        if bare != unicodedata.normalize("NFKD", bare.casefold()) or (
            piece.startswith("*") and piece[1:].endswith("*")
        ):
            raise BadPhrase(f"{piece!r} must be lower case, without accents, with one * at most")
        self.forms.add(piece)
        return Word(piece)


def phrases_of(lines: str) -> list[str]:
    """One phrase a line, or several with " | " between; # begins a comment. An indented line goes on the one before."""
    pieces, depth = [""], 0
    for letter in re.sub(r"\n[ \t]+", " ", "\n".join(line.partition("#")[0].rstrip() for line in lines.splitlines())):
        depth += (letter in "([") - (letter in ")]")
        if letter in "|\n" and depth <= 0:
            pieces.append("")
        else:
            pieces[-1] += " " if letter == "\n" else letter
    return [phrase for piece in pieces if (phrase := piece.strip())]

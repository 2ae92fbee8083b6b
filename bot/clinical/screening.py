"""Free text is screened for danger in every shipped language; a match only ever adds an alert.

What is looked for is data (screening_patterns/*.toml) that a clinician can read and correct: see docs/screening.md.
In each language a text is read like this:

    1. plain words: no capitals, accents or apostrophes; slips, short forms and spaced-out letters undone
    2. sentences end at . ! ? ; and before words like "but"
    3. what is not meant is cut out ("this traffic is killing me", "the thoughts of suicide are gone")
    4. a pattern counts unless it is denied, long past, about somebody else, asked about, or its own `unless` is there
    5. signs that are no danger alone are weighed together: each has points, also points against, and from a sum on
       within neighbouring sentences they are a match like a pattern
    6. at last every word is weighed (word_points.py): what nobody thought of writing down as a phrase. Signs have
       points there, too, and so have patterns and tables that are too often wrong alone (`alone = false`): those count
       only when the words around them say the same
"""

import tomllib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from importlib import resources
from typing import Any

from bot.clinical.phrases import CUT_OUT, BadPhrase, Book, Sentence, phrases_of
from bot.clinical.plain_words import Line, Spelling, lines_of
from bot.clinical.terms import Level
from bot.clinical.word_points import KNOWN, TAKEN_BACK, WordPoints

LONGEST = 8000  # characters looked at; the rest of a longer text is looked at in further pieces
OVERLAP = 200  # characters that two pieces share, so that nothing is cut in half
DENIAL_REACHES = 5  # words after "not", "never", "no"
DENIED_AFTER_REACHES = 2  # words up to "none", "is gone"
FRAME_REACHES = 4  # words after "she asked whether", "he said"
NEIGHBOURS = 3  # sentences, one after the other, whose signs are weighed together, unless the table says fewer
MIXED = 0.1  # of the words: two languages that know a text about equally well are both asked
WORDS = "words"  # the name of a match of which no phrase, only its words say what it is
SIGNS = "signs."  # before the names of their lists
TAKES_BACK = (
    "not_meant", "denies", "denial_stops_at", "denial_goes_on_over", "long_ago", "was_once", "says_now", "right_now",
    "still", "somebody_else", "oneself", "only_asked",
)  # fmt: skip


class BadPatterns(ValueError):
    """A pattern file that cannot be used, in one sentence that names the file and the place."""


@dataclass(frozen=True, slots=True)
class Match:
    level: Level
    pattern: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """`examples` are sentences that it must find; the tests read them."""

    name: str
    level: Level
    looks_for: str
    unless: str
    examples: tuple[str, ...]
    alone: bool  # else it counts only when the words agree


@dataclass(frozen=True, slots=True)
class Weighing:
    """A points table: the signs found in neighbouring sentences, each counted once, alarm from a sum on."""

    name: str
    level: Level
    alarm_from: int
    within: int  # sentences, one after the other
    points: dict[str, int]
    examples: tuple[str, ...]
    alone: bool

    def reached_by(self, signs: Iterable[str]) -> bool:
        return sum(self.points.get(sign, 0) for sign in signs) >= self.alarm_from


class Tongue(Enum):
    """Whether a line is in the language that reads it."""

    OURS = auto()
    ANOTHER = auto()
    UNKNOWN = auto()  # too short, or in words that no table knows: nothing there could disagree


@dataclass(frozen=True, slots=True)
class Reading:
    """One line: its parts, as words with a mark where they are taken back; what it is a sign of; what matches."""

    parts: tuple[tuple[str, ...], ...]
    names: frozenset[str]  # of signs, and of what is not sure alone
    sure: tuple[Match, ...]
    unsure: tuple[Match, ...]  # count when the words agree


@dataclass(frozen=True)
class Language:
    """One language's ways of saying it, and its ways of not meaning it."""

    code: str
    book: Book
    patterns: tuple[Pattern, ...]
    signs: frozenset[str]
    harmless_signs: frozenset[str]  # with points against only: they count however they are said
    weighings: tuple[Weighing, ...]
    but: frozenset[str]
    reads_as: dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]  # by first word: what is read as what
    key_words: frozenset[str]
    harmless: tuple[str, ...]  # sentences in which nothing must be found; the tests read them
    word_points: WordPoints

    def found_in(self, lines: Iterable[Reading], tongues: Iterable[Tongue]) -> Iterator[Match]:
        """Every match in one text; the words of a line are weighed when it is in this language."""
        before: tuple[Reading, ...] = ()
        for line, tongue in zip(lines, tongues, strict=True):
            yield from line.sure
            # What would be RED is looked at by somebody, whatever the words say.
            yield from (Match(Level.YELLOW, match.pattern) for match in line.unsure if match.level == Level.RED)
            if tongue is Tongue.UNKNOWN:
                yield from line.unsure
            for near in ((line,), (*before, line)) if tongue is Tongue.OURS else ():
                if level := self.word_points.level(*near):
                    yield from (match for one in near for match in one.unsure)
                    yield Match(level, f"{self.code}.{WORDS}")
            before = (line,)

    def read(self, lines: Iterable[Line]) -> Iterator[Reading]:
        """What stands in each line, and what was found in it and the lines before."""
        near: deque[frozenset[str]] = deque(maxlen=NEIGHBOURS)
        for line in lines:
            clauses = self._clauses(*self._read_as(line))
            sentences = [self._cut_out(self.book.sentence(words, commas)) for words, commas in clauses]
            near.append(frozenset(sign for sentence in sentences for sign in self.signs_in(sentence)))
            found: list[Pattern | Weighing] = [
                pattern for sentence in sentences for pattern in self.patterns if self._meant(pattern, sentence)
            ]
            found += [weighing for weighing in self.weighings if _reached(weighing, near)]
            yield Reading(
                parts=tuple(self._marked(sentence) for sentence in sentences),
                names=frozenset(sign.removeprefix(SIGNS) for sign in near[-1])
                | {one.name for one in found if not one.alone},
                sure=tuple(self._match(one) for one in found if one.alone),
                unsure=tuple(self._match(one) for one in found if not one.alone),
            )

    def _match(self, one: Pattern | Weighing) -> Match:
        return Match(one.level, f"{self.code}.{one.name}")

    def _marked(self, sentence: Sentence) -> tuple[str, ...]:
        return tuple(
            f"{TAKEN_BACK}{word}" if self._taken_back(sentence, place, place + 1) else word
            for place, word in enumerate(sentence.words)
            if word != CUT_OUT
        )

    def signs_in(self, sentence: Sentence) -> Iterator[str]:
        for sign in self.signs.intersection(sentence.begins):
            hits = self.book.found(sign, sentence)
            if hits and (sign in self.harmless_signs or self._counts(hits, sentence)):
                yield sign

    def _read_as(self, line: Line) -> tuple[list[str], list[int]]:
        words: list[str] = []
        moved: list[int] = []
        place = 0
        while place < len(line.words):
            form, meaning = next(
                (
                    (form, meaning)
                    for form, meaning in self.reads_as.get(line.words[place], ())
                    if line.words[place : place + len(form)] == form
                ),
                ((line.words[place],), (line.words[place],)),
            )
            moved += [len(words)] * len(form)
            words += meaning
            place += len(form)
        return words, [moved[comma] if comma < len(moved) else len(words) for comma in line.commas]

    def _clauses(self, words: list[str], commas: list[int]) -> Iterator[tuple[list[str], list[int]]]:
        start = 0
        for end in [*(place for place, word in enumerate(words) if word in self.but), len(words)]:
            if end > start:
                yield words[start:end], [comma - start for comma in commas if start < comma < end]
            start = end + 1

    def _cut_out(self, sentence: Sentence) -> Sentence:
        words = list(sentence.words)
        for start, end in self.book.found("not_meant", sentence):
            words[start:end] = [CUT_OUT] * (end - start)
        return self.book.sentence(words, sentence.commas) if CUT_OUT in words else sentence

    def _meant(self, pattern: Pattern, sentence: Sentence) -> bool:
        if pattern.looks_for not in sentence.begins:
            return False
        hits = self.book.found(pattern.looks_for, sentence)
        if not hits or self.book.found(pattern.unless, sentence):
            return False
        return self._counts(hits, sentence)

    def _counts(self, hits: Iterable[tuple[int, int]], sentence: Sentence) -> bool:
        return any(not self._taken_back(sentence, start, end) for start, end in hits)

    def _taken_back(self, sentence: Sentence, start: int, end: int) -> bool:
        return (
            self._denied(sentence, start)
            or any(end <= place <= end + DENIED_AFTER_REACHES for place, _ in self.book.found("denied_after", sentence))
            or self._asked(sentence, start)
            or self._past(sentence, start, end)
            or self._about_somebody_else(sentence, start, end)
        )

    def _denied(self, sentence: Sentence, start: int) -> bool:
        carried = {
            place for first, last in self.book.found("denial_goes_on_over", sentence) for place in range(first, last)
        }
        stops = [place for place, _ in self.book.found("denial_stops_at", sentence) if place not in carried]
        for place, _ in self.book.found("denies", sentence):
            for last in self.book.ends("denies", sentence, place):
                if not last <= start <= last + DENIAL_REACHES or any(place <= stop < start for stop in stops):
                    continue
                if not _pause(sentence, last, start) or carried.issuperset(range(last, start)):
                    return True
        return False

    def _asked(self, sentence: Sentence, start: int) -> bool:
        return any(
            last <= start <= last + FRAME_REACHES
            for place in range(start)
            for last in self.book.ends("only_asked", sentence, place)
        )

    def _past(self, sentence: Sentence, start: int, end: int) -> bool:
        """Past before or after, and nothing that brings it back; what is said in the present tense is never past."""
        if self.book.found("still", sentence):
            return False
        once = [last for _, last in self.book.found("was_once", sentence) if last <= start]
        present = any(start <= place < end for place, _ in self.book.found("says_now", sentence))
        ago = [] if present else [place for place, _ in self.book.found("long_ago", sentence)]
        now = [
            place for name in ("right_now", "says_now") for place, _ in self.book.found(name, sentence) if place < start
        ]
        before = max([*once, *(place for place in ago if place < start)], default=-1)
        return before > max(now, default=-1) or (not now and any(place >= end for place in ago))

    def _about_somebody_else(self, sentence: Sentence, start: int, end: int) -> bool:
        own = [last for place, last in self.book.found("oneself", sentence) if place < end]
        if any(last > start for last in own):
            return False
        clause = max((comma for comma in sentence.commas if comma <= start), default=0)
        others = [last for place, last in self.book.found("somebody_else", sentence) if clause <= place < start]
        return max(others, default=-1) > max(own, default=-1)


def _reached(weighing: Weighing, near: Sequence[frozenset[str]]) -> bool:
    """By the newest line, or by it and those before it, as far as the table looks."""
    together: set[str] = set()
    for signs in list(near)[: -weighing.within - 1 : -1]:
        together |= signs
        if weighing.reached_by(together):
            return True
    return False


def _pause(sentence: Sentence, start: int, end: int) -> bool:
    return any(start <= comma <= end for comma in sentence.commas)


@dataclass(frozen=True)
class Patterns:
    languages: tuple[Language, ...]
    spelling: Spelling

    @classmethod
    def load(cls) -> "Patterns":
        """The shipped languages. Raises BadPatterns, which names the file and the place."""
        folder = resources.files("bot.clinical").joinpath("screening_patterns")
        files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
        points = [folder.joinpath(file.name.replace(".toml", ".words.csv")) for file in files]
        return cls.of(
            [
                read(file.read_text(encoding="utf-8"), file.name, words.read_text(encoding="utf-8"))
                for file, words in zip(files, points, strict=True)
            ]
        )

    @classmethod
    def of(cls, languages: Iterable[Language]) -> "Patterns":
        languages = tuple(languages)
        known = {form.strip("*") for language in languages for form in language.book.forms}
        known |= {
            word for language in languages for forms in language.reads_as.values() for form, _ in forms for word in form
        }
        return cls(languages, Spelling.of(known, {key for language in languages for key in language.key_words}))

    def found_in(self, lines: Iterable[Line]) -> Iterator[Match]:
        """What every language finds; a line's words have their points only in the language that it is in."""
        lines = list(lines)
        read = [(language, list(language.read(lines))) for language in self.languages]
        whole = [language.word_points.knows(readings) for language, readings in read]
        knows = [[language.word_points.knows([line]) for line in readings] for language, readings in read]
        most = [max(of_line) for of_line in zip(*knows, strict=True)]
        for (language, readings), of_text, of_lines in zip(read, whole, knows, strict=True):
            tongues = (
                _tongue(known, best) if best > 0 else _tongue(of_text, max(whole))  # too short to tell: as the rest
                for known, best in zip(of_lines, most, strict=True)
            )
            yield from language.found_in(readings, tongues)


def _tongue(known: float, most: float) -> Tongue:
    """By the share of the words that this language knows, and the most that any does."""
    if most < KNOWN:
        return Tongue.UNKNOWN
    return Tongue.OURS if known >= max(KNOWN, most - MIXED) else Tongue.ANOTHER


def screen(text: str, patterns: Patterns) -> Match | None:
    """The highest match in any sentence; None when nothing was found, which does not mean that there is nothing."""
    pieces = [text[max(0, start - OVERLAP) : start + LONGEST] for start in range(0, len(text), LONGEST)]
    found = [match for piece in pieces for match in patterns.found_in(lines_of(piece, patterns.spelling))]
    return max(found, key=lambda match: match.level.rank, default=None)


def screen_rows(rows: Iterable[dict[str, str]], patterns: Patterns) -> Iterator[dict[str, str]]:
    """Each row with `level` and `pattern` added, both empty where nothing was found."""
    for row in rows:
        match = screen(row.get("text") or "", patterns)
        yield {**row, "level": match.level if match else "", "pattern": match.pattern if match else ""}


def read(text: str, name: str, words: str = "") -> Language:
    """One language from its TOML file and the CSV with the points of its words. Raises BadPatterns."""
    try:
        points = WordPoints.read(words)
    except BadPhrase as problem:
        raise BadPatterns(f"{name.replace('.toml', '.words.csv')}: {problem}") from None
    try:
        return _language(tomllib.loads(text), points)
    except KeyError as missing:
        raise BadPatterns(f"{name}: {missing} is missing") from None
    except (BadPhrase, ValueError) as problem:
        raise BadPatterns(f"{name}: {problem}") from None


def _language(data: dict[str, Any], points: WordPoints) -> Language:
    reading, taken_back = data["reading"], data["taken_back"]
    book = Book(stops_gaps=frozenset({CUT_OUT, *reading["stops_gaps"].split()}))
    for name, lines in data["words"].items():
        book.add(name, lines, only_used=True)
    for name in TAKES_BACK:
        book.add(name, taken_back[name])
    book.add("denied_after", taken_back.get("denied_after", ""))
    signs = data.get("signs", {})
    for name, lines in signs.items():
        book.add(f"{SIGNS}{name}", lines)
    weighings = tuple(_weighing(name, entry, signs) for name, entry in data.get("weighed", {}).items())
    for_danger = {sign for weighing in weighings for sign, points in weighing.points.items() if points > 0}
    return Language(
        code=data["language"],
        book=book,
        signs=frozenset(f"{SIGNS}{name}" for name in signs),
        harmless_signs=frozenset(f"{SIGNS}{name}" for name in signs) - for_danger,
        weighings=weighings,
        patterns=tuple(_pattern(name, entry, book) for name, entry in data["patterns"].items()),
        but=frozenset(reading["but"].split()),
        reads_as=_short_forms(reading["reads_as"]),
        key_words=frozenset(reading["key_words"].split()),
        harmless=tuple(phrases_of(taken_back["harmless"])),
        word_points=points,
    )


def _pattern(name: str, entry: dict[str, Any], book: Book) -> Pattern:
    if unknown := entry.keys() - {"level", "catches", "looks_for", "unless", "examples", "alone"}:
        raise BadPhrase(f"{name}: {', '.join(sorted(unknown))} is not a key of a pattern")
    looks_for, unless = f"{name}.looks_for", f"{name}.unless"
    book.add(looks_for, entry["looks_for"])
    book.add(unless, entry.get("unless", ""))
    examples = tuple(phrases_of(entry["examples"]))
    return Pattern(name, Level(entry["level"]), looks_for, unless, examples, entry.get("alone", True))


def _weighing(name: str, entry: dict[str, Any], signs: Iterable[str]) -> Weighing:
    if unknown := entry.keys() - {"level", "catches", "alarm_from", "within", "points", "examples", "alone"}:
        raise BadPhrase(f"{name}: {', '.join(sorted(unknown))} is not a key of a points table")
    points: dict[str, int] = entry["points"]
    if unknown := points.keys() - set(signs):
        raise BadPhrase(f"{name}: there is no sign {', '.join(sorted(unknown))}")
    within = entry.get("within", NEIGHBOURS)
    if not all(isinstance(number, int) for number in (entry["alarm_from"], within, *points.values())):
        raise BadPhrase(f"{name}: points are whole numbers")
    if not 1 <= within <= NEIGHBOURS:
        raise BadPhrase(f"{name}: within 1 to {NEIGHBOURS} sentences")
    return Weighing(
        name,
        Level(entry["level"]),
        entry["alarm_from"],
        within,
        {f"{SIGNS}{sign}": number for sign, number in points.items()},
        tuple(phrases_of(entry["examples"])),
        entry.get("alone", True),
    )


def _short_forms(reads_as: dict[str, str]) -> dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]]:
    """Longer forms first, so that "wish i was" is not read as "wish i"."""
    by_word: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for meaning, forms in reads_as.items():
        for form in phrases_of(forms):
            words = tuple(form.split())
            by_word.setdefault(words[0], []).append((words, tuple(meaning.split())))
    return {word: tuple(sorted(forms, key=lambda one: -len(one[0]))) for word, forms in by_word.items()}

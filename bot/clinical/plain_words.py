"""A text as plain words: what people do to letters is undone before anything is looked for."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LONGEST_WORD = 60  # letters; nothing that is looked for is longer
SHORTEST_KEY = 5  # letters; shorter words are too close to each other to be guessed
APOSTROPHES = re.compile(r"(?<=\w)['’´`‘ʼ](?=\w)")
HYPHENS = re.compile(r"(?<=\w)[-‐‑](?=\w)")
SPACED_OUT = re.compile(r"(?<!\w)(?:[^\W\d_][ .*_-]{1,2}){3,}[^\W\d_](?!\w)")
DISGUISED = re.compile(r"(?<![^\W\d_])[^\W\d_]+(?:[!1@$03*#]+[^\W\d_]+)+")
PIECES = re.compile(r"\d+(?:[.,:]\d+)+|[^\W_]+|\.{2,}|[^\w\s]|\n")
REPEATED = re.compile(r"([^\W\d])\1{2,}")
UMLAUTS = re.compile(r"([aou])e")  # "moechte": the accents are gone already, so it is read as "mochte"
MOST_WORDS = 60  # of one sentence; a longer one, mostly without any punctuation, is read in pieces
SHARED_WORDS = 15  # of two pieces, so that nothing is cut in half
ENDS = frozenset(".!?;")
PAUSES = frozenset(",:()–—…\n")
LOOKS_LIKE = str.maketrans({"!": "i", "1": "i", "@": "a", "$": "s", "0": "o", "3": "e"})


@dataclass(frozen=True)
class Spelling:
    """The words that are looked for, in any language; a slip in a key word is read as that word."""

    known: frozenset[str]
    keys: frozenset[str]  # long ones are also recognised with one slip
    near: Mapping[str, str]  # a key word with one letter missing -> the key word

    @classmethod
    def of(cls, known: Iterable[str], keys: Iterable[str]) -> "Spelling":
        keys = frozenset(keys)
        near = {short: key for key in sorted(keys) for short in _one_letter_less(key)}
        return cls(frozenset(known) | keys, keys, near)

    def correct(self, word: str) -> str:
        if word in self.known:
            return word
        if REPEATED.search(word):
            for times in (r"\1", r"\1\1"):
                if (short := REPEATED.sub(times, word)) in self.known:
                    return short
            word = REPEATED.sub(r"\1", word)
        if (short := UMLAUTS.sub(r"\1", word)) in self.known:
            return short
        if len(word) < SHORTEST_KEY:
            return word
        for form in (word, *_one_letter_less(word)):
            key = form if form in self.keys else self.near.get(form)
            if key is not None and key[0] == word[0] and abs(len(key) - len(word)) <= 1:
                return key
        return word

    def uncover(self, disguised: str) -> str:
        """ "k!ll" and "su*cide" are the words that they look like, if those are looked for; else nothing changes."""
        if (seen := disguised.translate(LOOKS_LIKE)) in self.known:
            return seen
        if "*" in seen and len(seen) <= LONGEST_WORD:
            fits = re.compile(re.escape(seen).replace(r"\*", "."))
            return next((key for key in sorted(self.keys) if fits.fullmatch(key)), disguised)
        return disguised


@dataclass(frozen=True)
class Line:
    """One sentence: its words, and the words before which a pause stands."""

    words: tuple[str, ...]
    commas: tuple[int, ...]


def lines_of(text: str, spelling: Spelling) -> list[Line]:
    """The sentences of a text in lower case, without accents and apostrophes, with slips corrected."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = APOSTROPHES.sub("", plain).replace(" - ", ", ")
    plain = SPACED_OUT.sub(lambda spaced: re.sub(r"[^\w]|_", "", spaced[0]), plain)
    plain = HYPHENS.sub(" ", plain)
    plain = DISGUISED.sub(lambda word: spelling.uncover(word[0]), plain)
    found: list[Line] = []
    words: list[str] = []
    commas: list[int] = []
    for piece in PIECES.findall(plain):
        if piece in ENDS or len(words) == MOST_WORDS:
            if words:
                found.append(Line(tuple(words), tuple(commas)))
            words, commas = ([] if piece in ENDS else words[-SHARED_WORDS:]), []
        if piece in ENDS:
            continue
        if piece in PAUSES or piece.startswith(".."):
            commas.append(len(words))
        else:
            words.append(spelling.correct(piece[:LONGEST_WORD]))
    return [*found, Line(tuple(words), tuple(commas))] if words else found


def _one_letter_less(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]

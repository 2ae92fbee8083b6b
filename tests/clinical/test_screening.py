"""Free text: what is found, what is left alone, and what a broken pattern file says.

The sentences are our own (tests/clinical/screening/*.csv): those that the patterns and points were made with, and
held-out ones, written by a stranger to both and never looked at since.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clinical.plain_words import lines_of
from bot.clinical.screening import (
    BadPatterns,
    Language,
    Match,
    Pattern,
    Patterns,
    Reading,
    Weighing,
    read,
    screen,
    screen_rows,
)
from bot.clinical.terms import Level
from bot.clinical.word_points import WordPoints
from tests.study.words import fitted

SENTENCES = Path(__file__).parent / "screening"
SHIPPED = Path(__file__).parents[2] / "bot" / "clinical" / "screening_patterns"
PATTERNS = Patterns.load()
LANGUAGES = [language.code for language in PATTERNS.languages]
KINDS = ("explicit", "indirect", "plan", "selfharm", "negative")
# What must be read rightly, by split and language: the share of dangers found, and of harmless sentences left alone.
BOUNDS = {
    "tune": {
        "de": dict(zip(KINDS, (0.9, 0.75, 0.7, 0.7, 0.9), strict=True)),
        "en": dict(zip(KINDS, (0.9, 0.8, 0.8, 0.8, 0.9), strict=True)),
        "es": dict(zip(KINDS, (0.9, 0.75, 0.7, 0.7, 0.9), strict=True)),
    },
    # The goal: explicit 0.95, indirect 0.80, harmless 0.90; of plans and self-harm what was seen, less a margin.
    "held_out": {
        language: dict(zip(KINDS, (0.95, 0.8, 0.7, 0.75, 0.9), strict=True)) for language in ("de", "en", "es")
    },
}
HELD = [(split, language, kind) for split, by in BOUNDS.items() for language, of in by.items() for kind in of]


def sentences(language: str, kind: str, split: str) -> list[str]:
    with (SENTENCES / f"{language}.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if (row["kind"], row["split"]) == (kind, split)]


def found(text: str) -> Match | None:
    return screen(text, PATTERNS)


@pytest.mark.parametrize(("split", "language", "kind"), HELD)
def test_sentences_are_read_rightly(split: str, language: str, kind: str) -> None:
    """Danger is found, and the rest is left alone."""
    texts = sentences(language, kind, split)
    wrong = {text: match for text in texts if ((match := found(text)) is None) == (kind != "negative")}
    assert len(texts) >= 6
    assert 1 - len(wrong) / len(texts) >= BOUNDS[split][language][kind], wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_explicit_thoughts_are_called_about_and_plans_are_paged(language: str) -> None:
    for kind, level, share in (
        ("explicit", Level.ORANGE, 0.85),
        ("plan", Level.ORANGE, 0.8),
        ("plan", Level.RED, 0.3),
    ):
        levels = [match.level for text in sentences(language, kind, "tune") if (match := found(text))]
        assert sum(one.at_least(level) for one in levels) / len(levels) >= share, (kind, level)


def finds(language: Language, one: Pattern | Weighing, example: str) -> bool:
    """A match of its level; of one that is not sure alone, it is enough that it is seen: the words decide."""
    seen = any(one.name in reading.names for reading in language.read(lines_of(example, PATTERNS.spelling)))
    match = found(example)
    return (seen and not one.alone) or (match is not None and match.level.at_least(one.level))


@pytest.mark.parametrize("language", PATTERNS.languages, ids=LANGUAGES)
def test_every_pattern_finds_its_own_examples(language: Language) -> None:
    for pattern in language.patterns:
        assert pattern.examples, pattern.name
        for example in pattern.examples:
            assert finds(language, pattern, example), (pattern.name, example)


@pytest.mark.parametrize("language", PATTERNS.languages, ids=LANGUAGES)
def test_what_the_file_calls_harmless_is_harmless(language: Language) -> None:
    assert {sentence: found(sentence) for sentence in language.harmless if found(sentence)} == {}


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("I don't want to die but I can't stop thinking of killing myself", Level.ORANGE),
        ("not suicidal lol just kidding i want to die", Level.ORANGE),
        ("yesterday I was fine, today I want to end it", Level.ORANGE),
        ("WANNA DIE!!! 😭😭", Level.ORANGE),
        ("i want to k*ll myself", Level.ORANGE),
        ("s u i c i d e is all i think about", Level.ORANGE),
        ("thinking about sewerslide again", Level.ORANGE),
        ("i want to unalive myself", Level.ORANGE),
        ("estoy bien, mentira, me quiero morir. i want to die", Level.ORANGE),
        ("ich bin müde und quiero morirme", Level.ORANGE),
        ("heute ging es. goodbye everyone, i took all my pills", Level.RED),
        ("No quiero morir pero no paro de pensar en matarme", Level.ORANGE),
        ("Früher wollte ich sterben und jetzt will ich es wieder: ich will sterben", Level.ORANGE),
    ],
)
def test_mixed_and_disguised_texts(text: str, level: Level) -> None:
    match = found(text)
    assert match is not None
    assert match.level.at_least(level)


def test_the_end_of_a_very_long_text_counts() -> None:
    assert found("Today I slept and ate and walked. " * 600 + "I want to kill myself") is not None
    assert found("word " * 1_595 + "I want to kill myself and nothing else") is not None


@settings(deadline=None)
@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str) -> None:
    found(text)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from(["not", "i", "want to", "die", ",", "kill myself", ".", "no", "quiero", "morir", "ich", "will"])
        | st.text(max_size=3),
        min_size=200, max_size=2_000,
    )
)  # fmt: skip
def test_nor_do_eight_thousand_characters_of_anything(words: list[str]) -> None:
    found(" ".join(words)[:8_000])


@pytest.mark.parametrize(
    "unit", ["want to die ", "not ", "i want ", "a b c d ", "k*", "!1", "die, ", "((((", "ich will ", "🪦"]
)
def test_the_work_grows_with_the_text_not_with_what_is_in_it(unit: str) -> None:
    """Counted, not timed: how often positions are followed in one text, and in one four times as long."""
    few, many = (sum(_sizes(unit * count)) for count in (400, 1_600))
    assert many <= few * 4.5 + 400


def _sizes(text: str) -> Iterator[int]:
    for line in lines_of(text, PATTERNS.spelling):
        for language in PATTERNS.languages:
            sentence = language.book.sentence(line.words, line.commas)
            for pattern in language.patterns:
                language.book.found(pattern.looks_for, sentence)
            yield len(sentence.ends)


def test_rows_keep_their_columns() -> None:
    rows = screen_rows([{"id": "7", "text": "I want to die"}, {"id": "8", "text": "slept well"}], PATTERNS)
    assert list(rows) == [
        {"id": "7", "text": "I want to die", "level": "orange", "pattern": "en.wish_to_die"},
        {"id": "8", "text": "slept well", "level": "", "pattern": ""},
    ]


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        ('level = "orange"', 'level = "purple"', "purple"),
        ("<wish> .. <be_dead>", "<wihs> .. <be_dead>", "there is no list <wihs> above"),
        ("<wish> .. <be_dead>", ".. <be_dead>", "a phrase cannot begin with a gap"),
        ("<wish> .. <be_dead>", "(really)", "needs at least one word that must be there"),
        ("<wish> .. <be_dead>", "[die | dead", "a ']' is missing"),
        ("<wish> .. <be_dead>", "want to Die", "lower case"),
        ("<wish> .. <be_dead>", "don't die", "neither a word nor a sign"),
        ("[taken_back]", "[taken_bak]", "'taken_back' is missing"),
        ("looks_for", "look_for", "look_for is not a key of a pattern"),
        ('language = "en"', "language = ", "en.toml: "),
    ],
)
def test_a_broken_pattern_file_says_where(now: str, then: str, said: str) -> None:
    text = (SHIPPED / "en.toml").read_text(encoding="utf-8")
    assert now in text
    with pytest.raises(BadPatterns, match=r"^en\.toml: ") as problem:
        read(text.replace(now, then), "en.toml")
    assert said in str(problem.value)


SMALL = """
language = "xx"
[reading]
but = "but"
stops_gaps = "not"
key_words = ""
[reading.reads_as]
[words]
[signs]
weary = "weary of it"
burden = "a burden"
last = "last time"
film = "film"
[weighed.many_signs]
level = "orange"
catches = "signs that are no danger alone"
alarm_from = 4
points = { weary = 2, burden = 2, last = 3, film = -2 }
examples = "i am weary of it and a burden"
[taken_back]
not_meant = ""
denies = "not"
denial_stops_at = ""
denied_after = "none"
denial_goes_on_over = ""
was_once = ""
long_ago = "years ago"
says_now = ""
right_now = ""
still = ""
somebody_else = "he"
oneself = "i"
only_asked = ""
harmless = ""
[patterns]
"""


@pytest.mark.parametrize(
    ("text", "alarms"),
    [
        ("I am weary of it and a burden", True),
        ("a burden, weary of it", True),
        ("I am weary of it. The soup was good! I am a burden", True),
        ("I am weary of it. One. Two. I am a burden", False),
        ("weary of it, so weary of it, weary of it", False),
        ("weary of it, but a burden", True),
        ("weary of it and not a burden", False),
        ("I was weary of it and a burden years ago", False),
        ("weary of it and a burden: none", False),
        ("weary of it and a burden, to all of us none", True),
        ("he is weary of it and a burden", False),
        ("weary of it and a burden, the film said", False),
        ("weary of it and a burden. The film was good", True),
        ("weary of it and a burden, the last time, not a film", True),
    ],
)
def test_signs_are_weighed_together_and_each_counts_once(text: str, alarms: bool) -> None:
    match = screen(text, Patterns.of([read(SMALL, "xx.toml")]))
    assert match == (Match(Level.ORANGE, "xx.many_signs") if alarms else None)


def test_a_points_table_may_look_at_fewer_sentences() -> None:
    patterns = Patterns.of([read(SMALL.replace("alarm_from = 4", "alarm_from = 4\nwithin = 1"), "xx.toml")])
    assert screen("I am weary of it and a burden", patterns) is not None
    assert screen("I am weary of it. I am a burden", patterns) is None


def test_a_phrase_may_be_broken_inside_brackets() -> None:
    broken = SMALL.replace('"a burden"', "'''\na [burden |  # so\n  weight] on\nbe [a\nburden]\n'''")
    patterns = Patterns.of([read(broken, "xx.toml")])
    assert screen("weary of it, to be a burden", patterns) is not None
    assert screen("weary of it, a weight on them", patterns) is not None
    assert screen("weary of it, a burden", patterns) is None


@pytest.mark.parametrize(
    ("now", "then", "said"),
    [
        ("film = -2", "flim = -2", "there is no sign flim"),
        ("film = -2", "film = 0.5", "whole numbers"),
        ("alarm_from = 4", "alarm_from = 4\nwithin = 4", "within 1 to 3 sentences"),
        ("alarm_from", "alarms_from", "alarms_from is not a key of a points table"),
        ('burden = "a burden"', 'burden = "a [burden"', "signs.burden"),
    ],
)
def test_a_broken_points_table_says_where(now: str, then: str, said: str) -> None:
    with pytest.raises(BadPatterns, match=r"^xx\.toml: ") as problem:
        read(SMALL.replace(now, then), "xx.toml")
    assert said in str(problem.value)


@pytest.mark.parametrize("language", PATTERNS.languages, ids=LANGUAGES)
def test_every_points_table_alarms_at_its_own_examples(language: Language) -> None:
    for weighing in language.weighings:
        assert weighing.examples, weighing.name
        for example in weighing.examples:
            assert finds(language, weighing, example), (weighing.name, example)


@pytest.mark.parametrize("language", PATTERNS.languages, ids=LANGUAGES)
def test_every_sign_is_weighed_somewhere(language: Language) -> None:
    assert language.signs == {sign for weighing in language.weighings for sign in weighing.points}


WORDS = """said,points
burden,350
burde-,40
~burden,-60
a burde,30
film,-250
"""


def line(sentence: str, *names: str) -> Reading:
    return Reading((tuple(sentence.split()),), frozenset(names), sure=(), unsure=())


def weighed(*sentences: str) -> Level | None:
    return WordPoints.read(WORDS).level(*map(line, sentences))


def test_the_points_of_what_is_said_add_up_and_length_alone_is_no_danger() -> None:
    assert weighed("such a burden") == Level.ORANGE  # 420 points for nine things said: 140
    assert weighed("such a ~burden") is None
    assert weighed("a film", "a burden") is None
    assert weighed("a burden") is None, "two words say too little"
    points = WordPoints.read(WORDS)
    assert points.weigh(line("such a burden")) > points.weigh(line("such a burden and such a film"))


@pytest.mark.parametrize(
    "text",
    ["suicide", "kill me", "kms", "Suizid", "i can't go on", "no puedo más", "Leb wohl", "better off without me"],
)
def test_what_is_too_short_to_weigh_counts_as_it_stands(text: str) -> None:
    assert found(text) is not None


def test_a_sign_has_points_like_a_word() -> None:
    points = WordPoints.read(f"{WORDS}{{despair}},500\nsuch,1\nthing,1\n")
    assert points.level(line("such a thing")) is None
    assert points.level(line("such a thing", "despair")) == Level.ORANGE  # 502 points for ten things said: 159
    assert points.level(line("such a film", "despair")) is None


def test_what_is_not_sure_alone_counts_when_the_words_agree() -> None:
    unsure = SMALL.replace("alarm_from = 4", "alarm_from = 4\nalone = false")
    agree = "said,points\n{many_signs},500\nweary,200\nfilm,-600\ni,1\nam,1\nof,1\nit,1\nand,1\na,1\nburden,1\n"
    patterns = Patterns.of([read(unsure, "xx.toml", agree)])
    said = "I am weary of it and a burden"
    assert screen(said, Patterns.of([read(unsure, "xx.toml")])) is not None  # no table that could disagree
    assert screen(said, patterns) == Match(Level.ORANGE, "xx.many_signs")
    assert screen(f"{said} and a film", patterns) is None


def test_a_sentence_of_another_language_is_not_weighed() -> None:
    assert weighed("le burden du jour est la") is None


@pytest.mark.parametrize("broken", ["burden", "burden,many", ",3", "film,1"])
def test_a_broken_table_of_words_says_where(broken: str) -> None:
    with pytest.raises(BadPatterns, match=r"^xx\.words\.csv: line 7"):
        read(SMALL, "xx.toml", f"{WORDS}{broken}\n")


def test_the_points_of_words_are_those_that_the_sentences_give() -> None:
    language = min(PATTERNS.languages, key=lambda one: len(one.word_points.points))
    points, _ = fitted(language, PATTERNS)
    shipped = language.word_points.points
    differ = {
        said: (worth, shipped.get(said)) for said, worth in points.items() if abs(worth - shipped.get(said, 0)) > 2
    }
    assert differ == {}, "make words"

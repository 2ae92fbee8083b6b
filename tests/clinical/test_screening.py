"""Free text: what is found, what is left alone, and what a broken pattern file says.

The sentences are our own (tests/clinical/screening/*.csv). Held by a bound are those that the patterns were tuned on;
docs/screening.md has the figures of the held-out ones, which are lower.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clinical.plain_words import lines_of
from bot.clinical.screening import BadPatterns, Language, Match, Patterns, read, screen, screen_rows
from bot.clinical.terms import Level

SENTENCES = Path(__file__).parent / "screening"
SHIPPED = Path(__file__).parents[2] / "bot" / "clinical" / "screening_patterns"
PATTERNS = Patterns.load()
LANGUAGES = [language.code for language in PATTERNS.languages]
RECALL = {"explicit": 0.95, "plan": 0.95, "selfharm": 0.9, "indirect": 0.8}
SPECIFICITY = 0.9


def sentences(language: str, kind: str, split: str) -> list[str]:
    with (SENTENCES / f"{language}.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if (row["kind"], row["split"]) == (kind, split)]


def found(text: str) -> Match | None:
    return screen(text, PATTERNS)


@pytest.mark.parametrize("split", ["tune"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", RECALL)
def test_danger_is_found(language: str, kind: str, split: str) -> None:
    texts = sentences(language, kind, split)
    missed = [text for text in texts if found(text) is None]
    assert len(texts) >= 6
    assert 1 - len(missed) / len(texts) >= RECALL[kind], missed


@pytest.mark.parametrize("split", ["tune"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rest_is_left_alone(language: str, split: str) -> None:
    texts = sentences(language, "negative", split)
    hits = {text: match.pattern for text in texts if (match := found(text))}
    assert len(texts) >= 40
    assert 1 - len(hits) / len(texts) >= SPECIFICITY, hits


@pytest.mark.parametrize("language", LANGUAGES)
def test_explicit_thoughts_are_called_about_and_plans_are_paged(language: str) -> None:
    for split in ("tune",):
        levels = [match.level for text in sentences(language, "explicit", split) if (match := found(text))]
        assert all(level.at_least(Level.ORANGE) for level in levels)
        plans = [match.level for text in sentences(language, "plan", split) if (match := found(text))]
        assert plans.count(Level.RED) / len(plans) >= 0.9


@pytest.mark.parametrize("language", PATTERNS.languages, ids=LANGUAGES)
def test_every_pattern_finds_its_own_examples(language: Language) -> None:
    for pattern in language.patterns:
        assert pattern.examples, pattern.name
        for example in pattern.examples:
            match = found(example)
            assert match is not None, (pattern.name, example)
            assert match.level.at_least(pattern.level), (pattern.name, example, match)


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

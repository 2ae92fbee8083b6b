"""Fits the points of words to our own sentences: `make words` writes bot/clinical/screening_patterns/XX.words.csv.

A logistic regression over the things said in each sentence; its weights, scaled so that ALARM_FROM is the sum from
which few harmless sentences alarm, are the points. Which sum that is, is read off harmless sentences that the fit has
not seen (five folds): `--false-alarms` of them alarm. The same sentences give the same file.
"""

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from math import log, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from bot.clinical.plain_words import lines_of
from bot.clinical.screening import Language, Patterns
from bot.clinical.word_points import ALARM_FROM, COLUMNS, things_in

HERE = Path(__file__).parents[2]
SENTENCES = HERE / "tests" / "clinical" / "screening"
FILES = HERE / "bot" / "clinical" / "screening_patterns"
HARMLESS = "negative"
FOLDS = 5
SEED = 1
STRENGTH = 1.0  # of the fit; 0.3 to 3 do about as well on unseen sentences
FALSE_ALARMS = 0.05  # of harmless sentences, by words alone: those that we have are harder than most
SEEN_OFTEN = (
    3  # what is said in fewer sentences has no points: with two, half as many again, and no better on unseen ones
)
Said = frozenset[str]


def main() -> None:
    wanted = argparse.ArgumentParser(prog="python -m tests.study.words", description=__doc__)
    wanted.add_argument("--false-alarms", type=float, default=FALSE_ALARMS, help="share of harmless sentences")
    options = wanted.parse_args()
    patterns = Patterns.load()
    for language in patterns.languages:
        points, figures = fitted(language, patterns, options.false_alarms)
        _write(FILES / f"{language.code}.words.csv", points)
        sys.stdout.write(
            f"{language.code}: {len(points)} things said have points; unseen by the fit, alarms: {figures}\n"
        )


def fitted(language: Language, patterns: Patterns, false_alarms: float = FALSE_ALARMS) -> tuple[dict[str, int], str]:
    """The points, and how many of each kind of sentence alarm by words alone when the fit has not seen them."""
    texts, kinds = _sentences(language)
    said = [_said(text, language, patterns) for text in texts]
    danger = np.array([kind != HARMLESS for kind in kinds])
    unseen = _unseen(said, danger)
    limit = float(np.quantile(unseen[~danger], 1 - false_alarms))
    points = {thing: round(ALARM_FROM * weight / limit) for thing, weight in _weights(said, danger).items()}
    found = Counter(kind for kind, reached in zip(kinds, unseen, strict=True) if reached >= limit)
    figures = ", ".join(f"{kind} {found[kind]}/{total}" for kind, total in sorted(Counter(kinds).items()))
    return {thing: worth for thing, worth in points.items() if worth}, figures


def _sentences(language: Language) -> tuple[list[str], list[str]]:
    """Those to tune on, and the examples and harmless sentences in the language's own file."""
    rows = dict.fromkeys(language.harmless, HARMLESS)
    rows |= {example: "example" for pattern in language.patterns for example in pattern.examples}
    rows |= {example: "example" for weighing in language.weighings for example in weighing.examples}
    with (SENTENCES / f"{language.code}.csv").open(encoding="utf-8", newline="") as file:
        rows |= {row["text"]: row["kind"] for row in csv.DictReader(file) if row["split"] == "tune"}
    return list(rows), list(rows.values())


def _said(text: str, language: Language, patterns: Patterns) -> Said:
    return frozenset(thing for line in language.read(lines_of(text, patterns.spelling)) for thing in things_in(line))


def _weights(said: Sequence[Said], danger: NDArray[np.bool_]) -> dict[str, float]:
    """What is said seldom may weigh more than what is said often: the fit is shrunk less there."""
    often = Counter(thing for things in said for thing in things)
    rarity = {thing: 1 + log(len(said) / times) for thing, times in often.items() if times >= SEEN_OFTEN}
    rows = [{thing: rarity[thing] / sqrt(len(things)) for thing in things if thing in rarity} for things in said]
    columns = DictVectorizer()
    fit = LogisticRegression(C=STRENGTH, class_weight="balanced", fit_intercept=False, max_iter=5_000)
    fit.fit(columns.fit_transform(rows), danger)
    weights: list[float] = np.asarray(fit.coef_)[0].tolist()
    names: list[str] = columns.get_feature_names_out().tolist()
    return {thing: weight * rarity[thing] for thing, weight in zip(names, weights, strict=True)}


def _reached(things: Said, weights: dict[str, float]) -> float:
    return sum(weights.get(thing, 0.0) for thing in things) / sqrt(len(things)) if things else 0.0


def _unseen(said: Sequence[Said], danger: NDArray[np.bool_]) -> NDArray[np.float64]:
    fold: list[int] = (np.random.default_rng(SEED).permutation(len(said)) % FOLDS).tolist()
    reached: list[float] = [0.0] * len(said)
    for number in range(FOLDS):
        rest = [place for place, of in enumerate(fold) if of != number]
        weights = _weights([said[place] for place in rest], danger[rest])
        for place, of in enumerate(fold):
            if of == number:
                reached[place] = _reached(said[place], weights)
    return np.array(reached)


def _write(file: Path, points: dict[str, int]) -> None:
    with file.open("w", encoding="utf-8", newline="") as written:
        table = csv.writer(written, lineterminator="\n")
        table.writerow(COLUMNS)
        lines: list[tuple[str, int]] = sorted(points.items(), key=_most_first)
        table.writerows(lines)


def _most_first(line: tuple[str, int]) -> tuple[int, str]:
    said, worth = line
    return -worth, said


if __name__ == "__main__":
    main()

"""The simulation study of the alert rules: `make study`. Prints the tables of docs/alert-rules.md.

The same seed gives the same figures on every machine; rules and limits are the product's own.
"""

import argparse
import os
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from itertools import product
from multiprocessing.pool import Pool

from bot.clinical.rules import Limits
from bot.clinical.terms import Rule
from tests.study.measure import SEES_A_FALL, SOON, Group, interval, measure
from tests.study.patients import KINDS, World

NOT_SAFETY = tuple(rule for rule in Rule if rule != Rule.SUICIDAL_THOUGHTS)
EVER = 60
PARTS = ("kinds", "chronic", "grid", "limits")
TRADE_OFFS = {
    "loss_days": (2, 3, 4),
    "ewma_width": (2.0, 2.5, 3.0),
    "ewma_minimum": (1.0, 1.25, 1.5),
    "sharp_drop": (3.0, 4.0, 5.0),
    "missed_near": (2, 3, 4),
}
FADING = ("fading early", "fading late", "fading in part", "in maintenance, fading")
CHANCE = "no fall (chance)"
ELSEWHERE = (CHANCE, "falling", "chronic thoughts, stable", "chronic thoughts, rising")  # have tables of their own
FALLS, PHIS, MISSING = (2.0, 3.0), (0.0, 0.25, 0.5), (0.0, 0.2, 0.4)


def main() -> None:
    wanted = argparse.ArgumentParser(prog="python -m tests.study", description=__doc__)
    wanted.add_argument("--people", type=int, default=1200, help="of each kind")
    wanted.add_argument(
        "--grid", type=int, default=300, help="people in each cell of the grid and for each other limit"
    )
    wanted.add_argument("--only", action="append", choices=PARTS)
    wanted.add_argument("--seed", type=int, default=1)
    wanted.add_argument("--limits", action="append", default=[], metavar="NAME=NUMBER")
    options = wanted.parse_args()
    given = dict(text.split("=") for text in options.limits)
    limits = Limits().with_overrides({name: float(value) for name, value in given.items()})
    started = time.monotonic()
    with Pool(os.cpu_count()) as pool:
        Study(pool, options.seed, limits).print_all(options.people, options.grid, options.only or PARTS)
    sys.stderr.write(f"{time.monotonic() - started:.0f} s\n")


class Study:
    def __init__(self, pool: Pool, seed: int, limits: Limits) -> None:
        self._pool, self._seed, self._limits = pool, seed, limits

    def print_all(self, people: int, grid: int, parts: Collection[str]) -> None:
        if "kinds" in parts:
            self._kinds(people)
        if "chronic" in parts:
            self._chronic(people)
        if "grid" in parts:
            self._grid(grid)
        if "limits" in parts:
            self._trade_offs(grid)

    def _kinds(self, people: int) -> None:
        groups = {kind: self._of(kind, World(), people) for kind in KINDS if kind not in ELSEWHERE}
        _falls({kind: groups[kind] for kind in FADING} | {CHANCE: self._of(CHANCE, World(), people)})
        _loads(groups)
        _over_infusions(groups["fading over infusions"], groups["stable over infusions"])

    def _of(self, kind: str, world: World, people: int, *, reviewed: bool = False) -> Group:
        return measure(self._pool, kind, world, people, seed=self._seed, limits=self._limits, reviewed=reviewed)

    def _chronic(self, people: int) -> None:
        rows = []
        for reviewed in (False, True):
            group = self._of("chronic thoughts, stable", World(), people, reviewed=reviewed)
            rates = ([one.danger[0] for one in group.outcomes], [one.danger[1] for one in group.outcomes])
            rows.append(
                [
                    "with a reviewed baseline" if reviewed else "without",
                    *(_rate(interval(values)) for values in (*rates, [one.orange for one in group.outcomes])),
                    f"{group.load([Rule.SILENCE])[0]:.2f}",
                ]
            )
        heads = ["", "R0: first two weeks", "R0: afterwards", "R0: ORANGE or RED", "R5"]
        _table("Chronic thoughts, stable", heads, rows)
        rows = []
        for rise in (2.0, 3.0):
            group = self._of("chronic thoughts, rising", World(fall=rise), people, reviewed=True)
            rows.append([f"+{rise:.0f}", _share(group, (one.danger_first for one in group.outcomes), SOON)])
        _table("Chronic thoughts, rising, with a reviewed baseline", ["rise", f"seen within {SOON} days"], rows)

    def _grid(self, people: int) -> None:
        together, alone, loads = [], [], []
        for phi, missing in product(PHIS, MISSING):
            cell = [f"{phi:g}", f"{100 * missing:.0f} %"]
            falls = [self._of("falling", World(phi=phi, missing=missing, fall=fall), people) for fall in FALLS]
            stable = self._of("stable", World(phi=phi, missing=missing), people)
            together.append([*cell, *(text for group in falls for text in _seen(group))])
            alone.append([*cell, *(_alone(group, rule) for group in falls for rule in SEES_A_FALL)])
            loads.append([*cell, _load(stable, NOT_SAFETY), *_by_rule(stable)])
        heads = ["autocorrelation", "missing"]
        seen = [f"−{fall:.0f}: {what}" for fall in FALLS for what in (f"within {SOON} days", "ever", "median day")]
        _table("Grid: sudden falls of 2 and 3 points, seen by any rule", [*heads, *seen], together)
        ruled = [f"−{fall:.0f}: {rule}" for fall in FALLS for rule in SEES_A_FALL]
        _table(f"Grid: the same by one rule alone, within {SOON} days", [*heads, *ruled], alone)
        _table("Grid: stable patients, alerts per patient-month", [*heads, "together", *map(str, NOT_SAFETY)], loads)

    def _trade_offs(self, people: int) -> None:
        rows = []
        for name, values in TRADE_OFFS.items():
            for value in values:
                other = Study(self._pool, self._seed, self._limits.with_overrides({name: value}))
                seen = [_seen(other._of(kind, World(), people))[0] for kind in ("fading early", "fading late")]
                loads = [_load(other._of(kind, World(), people), NOT_SAFETY) for kind in ("stable", "highly variable")]
                default = " (default)" if getattr(self._limits, name) == value else ""
                rows.append([f"`{name}` {value:g}{default}", *seen, *loads])
        heads = ["limit", "fading early", "fading late", "stable", "highly variable"]
        _table(f"Other limits: seen within {SOON} days, and alerts per patient-month", heads, rows)


def _falls(groups: dict[str, Group]) -> None:
    heads = ["patients", f"any rule within {SOON} days", "median day", *(f"{rule} alone" for rule in SEES_A_FALL)]
    rows = []
    for kind, group in groups.items():
        alone = [_share(group, (one.first[rule] for one in group.outcomes), SOON) for rule in SEES_A_FALL]
        rows.append([kind, _seen(group)[0], _signed(group.delay()), *alone])
    _table("Falls that should be seen", heads, rows)


def _loads(groups: dict[str, Group]) -> None:
    heads = ["patients", "together", *(str(rule) for rule in NOT_SAFETY)]
    rows = [[kind, _load(group, NOT_SAFETY), *_by_rule(group)] for kind, group in groups.items()]
    _table("Alerts per patient-month, R0 apart", heads, rows)


def _over_infusions(fading: Group, stable: Group) -> None:
    rows = []
    for name, group in (("losing 0.6 per infusion", fading), ("stable", stable)):
        days = [one.fading_at for one in group.outcomes]
        rows.append([name, *(_share(group, days, 14 * number) for number in (4, 5, 6, 7))])
    _table("R7 over seven infusions", ["patients", *(f"by infusion {number}" for number in (4, 5, 6, 7))], rows)


def _seen(group: Group) -> tuple[str, str, str]:
    """Within a week of the crossing, ever, and the median day."""
    days = [one.any_first for one in group.outcomes]
    return _share(group, days, SOON), _share(group, days, EVER), _signed(group.delay())


def _alone(group: Group, rule: Rule) -> str:
    return f"{100 * group.share((one.first[rule] for one in group.outcomes), SOON)[0]:.0f} %"


def _by_rule(group: Group) -> list[str]:
    return [f"{group.load([rule])[0]:.2f}" for rule in NOT_SAFETY]


def _share(group: Group, days: Iterable[int | None], within: int) -> str:
    share, low, high = group.share(days, within)
    return f"{100 * share:.0f} % ({100 * low:.0f}–{100 * high:.0f})"


def _load(group: Group, rules: Iterable[Rule]) -> str:
    return _rate(group.load(rules))


def _rate(known: tuple[float, float]) -> str:
    rate, half = known
    return f"{rate:.2f} (±{half:.2f})"


def _signed(days: float | None) -> str:
    return "–" if days is None else f"{days:+.0f}".replace("-", "−")


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = [f"**{title}**", "", f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

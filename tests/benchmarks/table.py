"""One table for all figures: ours, the baseline of the same run, and the ratio."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

console = Console()


@dataclass(frozen=True, slots=True)
class Row:
    what: str
    ours: str
    baseline: str = ""
    ratio: str = ""


def times(ours: float, theirs: float) -> str:
    """How many times as much."""
    return f"{ours / theirs:.2f} x" if theirs else ""


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.2f} ms"


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(values: Sequence[float]) -> str:
    return " / ".join(milliseconds(percentile(values, share)) for share in (0.5, 0.95, 0.99))


def machine() -> str:
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, load average {load:.1f} at the start"


def show(title: str, rows: Sequence[Row]) -> None:
    table = Table(title=title, title_justify="left", show_lines=False)
    for heading in ("", "Afterglow", "baseline", "ratio"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(row.what, row.ours, row.baseline, row.ratio)
    console.print(table)

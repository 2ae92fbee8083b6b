"""The baseline: the same page and diary from the same data by matplotlib (Agg, 200 dpi) and reportlab.

It draws the same charts and sets the same words in tables of the same rows; it makes no PDF/A, no tags and no
alternative texts, which the report has.
"""

import io
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot
from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Image, PageBreak, Paragraph, SimpleDocTemplate, Table

rl_config.useA85 = 0  # pictures as bytes: a tenth of its time would go into writing them as letters
BLUE, TEAL, ORANGE, GREY = "#005EB8", "#00796B", "#D55E00", "#5F6B76"
WORDS = ParagraphStyle("words", fontName="Helvetica", fontSize=6.6, leading=8)
HEADING = ParagraphStyle("heading", fontName="Helvetica-Bold", fontSize=9, leading=12, spaceBefore=4)
WIDE = 186 * mm
GRID = [
    ("FONTSIZE", (0, 0), (-1, -1), 6.8), ("LEADING", (0, 0), (-1, -1), 8), ("TOPPADDING", (0, 0), (-1, -1), 1),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1), ("LINEBELOW", (0, 0), (-1, -1), 0.3, HexColor("#C9CFD6")),
]  # fmt: skip


def render(view: dict[str, Any], *, whole: bool) -> bytes:
    """PDF of the data that the report's template gets: the summary alone, or with the diary."""
    out = io.BytesIO()
    story = [*_summary(view), *([PageBreak(), *_diary(view["diary"])] if whole else [])]
    SimpleDocTemplate(out, pagesize=A4, leftMargin=12 * mm, rightMargin=12 * mm, topMargin=10 * mm).build(story)
    return out.getvalue()


def _summary(view: dict[str, Any]) -> list[Any]:
    head = Paragraph(f"{view['head']['patient']} · {view['head']['clinic']} · {view['head']['made']}", HEADING)
    tiles = Table([[_tile(tile) for tile in view["tiles"]]], colWidths=[WIDE / 6] * 6, style=GRID)
    alerts = [view["alerts"]["heads"], *([*_alert(row)] for row in view["alerts"]["rows"])]
    effects = view["side_effects"] or {"heads": [], "rows": []}
    shown = [["", *effects["heads"]], *([row["name"], *map(str, row["cells"])] for row in effects["rows"])]
    return [
        head, tiles, Paragraph(view["words"]["mood"], HEADING), _picture(_mood(view["mood"]), 70),
        Paragraph(view["words"]["phq9"], HEADING), _picture(_totals(view["phq9"]), 40),
        *([_picture(_course(view["course"]), 18)] if view["course"] else []),
        Paragraph(view["words"]["episodes"], HEADING), _picture(_episodes(view["episodes"]), 45),
        Table(shown, style=GRID), Table(alerts, style=GRID),
        *(Paragraph(f"{event['letter']} {event['words']}", WORDS) for event in view["events"]["lines"]),
        Paragraph(view["words"]["informs"], WORDS),
    ]  # fmt: skip


def _tile(tile: dict[str, Any]) -> list[Paragraph]:
    words = [tile["label"], f"{tile['value']} {tile['unit']}", *tile["notes"]]
    return [Paragraph(line, WORDS) for line in words]


def _alert(row: dict[str, str]) -> list[str]:
    return [row[name] for name in ("code", "raised", "rule", "level_name", "taken", "outcome")]


def _picture(figure: Any, height: float) -> Image:
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=200)
    pyplot.close(figure)
    return Image(io.BytesIO(held.getvalue()), width=WIDE, height=height * mm)


def _ticks(axes: Any, panel: dict[str, Any]) -> None:
    axes.set_xlim(*panel["range"])
    axes.set_xticks([tick["at"] for tick in panel["ticks"]], [tick["label"] for tick in panel["ticks"]], fontsize=6)
    for mark in panel["infusions"]:
        axes.axvline(mark["x"], color=TEAL, linewidth=0.6)


def _mood(panel: dict[str, Any]) -> Any:
    figure, axes = pyplot.subplots(figsize=(7.3, 2.75))
    _ticks(axes, panel)
    axes.plot(*zip(*panel["dots"], strict=True), ".", color=BLUE, markersize=2, alpha=0.5)
    for line in panel["means"]:
        axes.plot(*zip(*line, strict=True), color=BLUE, linewidth=1.5)
    for mark in panel["infusions"]:
        axes.annotate(mark["label"], (mark["x"], 10.2), fontsize=6, color=TEAL)
    axes.plot(panel["missed"], [-0.6] * len(panel["missed"]), "|", color=GREY, markersize=4)
    axes.plot([mark["x"] for mark in panel["alerts"]], [-1.2] * len(panel["alerts"]), "D", color=ORANGE, markersize=3)
    if panel["before"] is not None:
        axes.axhline(panel["before"], linestyle=":", color="black", linewidth=0.8)
    return figure


def _totals(panel: dict[str, Any]) -> Any:
    figure, axes = pyplot.subplots(figsize=(7.3, 1.6))
    _ticks(axes, panel)
    for shade, band in zip((1, 0.97, 0.94, 0.9, 0.85), panel["bands"], strict=True):
        axes.axhspan(band["from"], band["to"], color=str(shade))
        axes.annotate(band["label"], (panel["range"][1], band["from"]), fontsize=6)
    for line in panel["lines"]:
        axes.plot(*zip(*line, strict=True), "s-", color=BLUE, markersize=2.5, linewidth=1)
    return figure


def _course(panel: dict[str, Any]) -> Any:
    figure, axes = pyplot.subplots(figsize=(7.3, 0.7))
    axes.set_xticks([tick["at"] for tick in panel["ticks"]], [tick["label"] for tick in panel["ticks"]], fontsize=6)
    axes.axvspan(*panel["window"], color="#EEF1F4")
    days, means = zip(*panel["means"], strict=True)
    axes.vlines(days, [low for (_, low), _ in panel["bars"]], [high for _, (_, high) in panel["bars"]], color=GREY)
    axes.plot(days, means, ".", color=BLUE, markersize=2)
    axes.vlines(panel["infusions"], 10, 11, color=TEAL, linewidth=0.6)
    return figure


def _episodes(episodes: dict[str, Any]) -> Any:
    figure, grid = pyplot.subplots(2, 4, figsize=(7.3, 1.8), sharex=True, sharey=True)
    band = episodes["shared"]["band"]
    for axes, one in zip(grid.flat, episodes["shown"], strict=False):
        axes.set_title(f"{one['title']} {one['quality']}", fontsize=6)
        if band:
            days, low, high = zip(*band, strict=True)
            axes.fill_between(days, low, high, color="#D5DBE1")
        for line in one["lines"]:
            axes.plot(*zip(*line, strict=True), color=BLUE if one["current"] else GREY)
        if one["points"]:
            axes.plot(*zip(*one["points"], strict=True), ".", color=GREY, markersize=2)
    return figure


def _diary(diary: dict[str, Any]) -> list[Any]:
    story: list[Any] = [Paragraph(diary["scale"], WORDS)]
    widths = [19 * mm, 11 * mm, 17 * mm, *[13 * mm] * 5, None]
    for month in diary["months"]:
        rows = [diary["heads"], *(_row(row) for row in month["rows"])]
        story += [Paragraph(month["name"], HEADING), Table(rows, colWidths=widths, style=GRID, repeatRows=1)]
    return story


def _row(row: dict[str, Any]) -> list[Any]:
    if row["kind"] != "check_in":
        return [row["day"], row["words"], *[""] * 7]
    cells = row["cells"] or [""] * 5
    if row["times"]:
        cells = [f"{said} {time}" for said, time in zip(cells, row["times"], strict=True)]
    return [row["day"], row["asked"], row["answered"], *cells, Paragraph(row["more"], WORDS) if row["more"] else ""]

"""The panels of the page and of the pictures as data: marks in days and scores, labels in words, no lengths."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from bot.clinical.diary import Diary, Event
from bot.clinical.library import Library
from bot.clinical.terms import Level
from bot.exports import series
from bot.exports.axes import ticks
from bot.exports.figures import Period, before_treatment, highest_urges, totals
from bot.exports.wording import Voice

A_YEAR = 366  # days on the axis unless a period is asked for; a longer one hides single infusions
LEAST_DAYS = 14  # a shorter axis would make single days look like trends
MANY_DAYS = 150  # from here on dots and ticks are drawn finer
EVENTS_NAMED = 6  # with a letter in the chart, and in words below it
PHQ9_HIGH = 27
PHQ9_BANDS = (
    (0, 5, "minimal"), (5, 10, "mild"), (10, 15, "moderate"), (15, 20, "moderately_severe"), (20, 27, "severe"),
)  # fmt: skip
SHOWN_ALERTS = (Level.ORANGE, Level.RED)


def window(diary: Diary, today: date, period: Period | None) -> Period:
    """The days that are shown: the period asked for, else from enrolment on, at most a year back."""
    if period is not None:
        return period
    return max(beginning(diary), today - timedelta(days=A_YEAR - 1)), today


def beginning(diary: Diary) -> date:
    return min(
        [diary.enrolled_on, *(check_in.day for check_in in diary.check_ins[:1]), *(i.day for i in diary.infusions[:1])]
    )


def span(voice: Voice, shown: Period) -> str:
    first, last = shown
    return voice.say(
        "span", first=voice.short_day(first) if first.year == last.year else voice.day(first), last=voice.day(last)
    )


def mood(diary: Diary, voice: Voice, shown: Period) -> dict[str, Any]:
    """Own answers and those of others, 7-day means, infusions, days without an answer, events, ORANGE and RED."""
    first, last = shown
    missed, undelivered = series.unanswered(diary, first, last)
    many = (last - first).days > MANY_DAYS
    before = before_treatment(diary).value
    return {
        **_axis(shown, voice),
        "ticks_y": [0, 2, 4, 6, 8, 10],
        "dots": series.answers(diary, first, last),
        "others": series.answers_by_others(diary, first, last),
        "dot": 1.0 if many else 1.5,
        "means": series.moving_means(diary, first, last),
        "infusions": infusion_marks(diary, shown),
        "planned": [(day - first).days for day in diary.planned if last < day < first + timedelta(days=LEAST_DAYS)],
        "missed": missed,
        "undelivered": undelivered,
        "tick": 0.5 if many else 0.9,
        "before": before,
        "before_name": voice.say("page.before", mean=voice.number(before)),
        "urge": [((day - first).days, high) for day, high in highest_urges(diary) if high and first <= day <= last],
        "urge_name": voice.say("page.strip_urge"),
        "strips": [voice.say("page.strip_days"), voice.say("page.strip_events")],
        "alerts": [
            {"x": (alert.day - first).days, "level": alert.level.value}
            for alert in diary.alerts
            if alert.level in SHOWN_ALERTS and first <= alert.day <= last
        ],
        "events": [_event_mark(event, letter, shown) for event, letter in lettered(diary, shown)],
    }


def _axis(shown: Period, voice: Voice) -> dict[str, Any]:
    """Half a day of air on both sides, so that no mark is cut."""
    first, today = shown
    last = max(today, first + timedelta(days=LEAST_DAYS - 1))
    return {
        "range": [-0.5, (last - first).days + 0.5],
        "known": (today - first).days + 0.5,  # what is after it has not come yet
        "ticks": ticks(first, last, voice),
    }


def course(diary: Diary, voice: Voice, shown: Period) -> dict[str, Any] | None:
    """All months since the beginning in one strip; None when the charts above show everything."""
    first, last = beginning(diary), shown[1]
    months = series.months(diary, last)
    if first >= shown[0] or not months:
        return None
    marks = [((month.middle - first).days, month) for month in months]
    return {
        **_axis((first, last), voice),
        "window": [max((shown[0] - first).days, 0) - 0.5, (last - first).days + 0.5],
        "bars": [((x, month.low), (x, month.high)) for x, month in marks],
        "means": [(x, month.mean) for x, month in marks],
        "infusions": [(infusion.day - first).days for infusion in diary.infusions if infusion.day <= last],
        "alt": voice.say(
            "caption.course", day=voice.day(first), n=len(months),
            low=voice.number(min(month.mean for month in months)), high=voice.number(max(m.mean for m in months)),
        ),
    }  # fmt: skip


def lettered(diary: Diary, shown: Period) -> list[tuple[Event, str]]:
    """Events that touch the days shown; the last six bear letters, earlier ones none."""
    first, last = shown
    inside = [event for event in diary.events if first <= (event.until or event.day) and event.day <= last]
    letters = ["", *"abcdef"[:EVENTS_NAMED]]
    earlier = max(len(inside) - EVENTS_NAMED, 0)
    return [(event, letters[max(place - earlier + 1, 0)]) for place, event in enumerate(inside)]


def _event_mark(event: Event, letter: str, shown: Period) -> dict[str, Any]:
    first, last = shown
    start = max((event.day - first).days, 0)
    return {"x": start, "to": max((min(event.until or event.day, last) - first).days, start), "label": letter}


def infusion_marks(diary: Diary, shown: Period) -> list[dict[str, Any]]:
    """Numbered; where numbers would run into each other, only every few of them, and always the last, are written."""
    first, last = shown
    inside = [infusion for infusion in diary.infusions if first <= infusion.day <= last]
    apart = max((last - first).days // 40, 1)
    marks: list[dict[str, Any]] = []
    labelled: date | None = None
    for infusion in reversed(inside):
        clear = labelled is None or (labelled - infusion.day).days >= apart
        labelled = infusion.day if clear else labelled
        marks.append({"x": (infusion.day - first).days, "label": str(infusion.number) if clear else ""})
    return marks[::-1]


def questionnaire(diary: Diary, library: Library, voice: Voice, shown: Period) -> dict[str, Any]:
    """The PHQ-9 panel. Totals with answers by somebody else stand apart, off the line; no figure counts them."""
    first, last = shown
    found = [
        ((total.day - first).days, total) for total in totals(diary, library, "phq9") if first <= total.day <= last
    ]
    points: list[series.Point] = [(x, total.value) for x, total in found if total.own and total.value is not None]
    return {
        **_axis(shown, voice),
        "high": PHQ9_HIGH,
        "bands": [{"from": low, "to": high, "label": voice.say(f"band.{band}")} for low, high, band in PHQ9_BANDS],
        "infusions": [{"x": mark["x"]} for mark in infusion_marks(diary, shown)],
        "points": points,
        "others": [(x, total.value) for x, total in found if not total.own and total.value is not None],
        "incomplete": [x for x, total in found if total.value is None],
        "lines": series.questionnaire_runs(points),
    }


def legend(voice: Voice, kinds: Sequence[str]) -> list[dict[str, str]]:
    return [{"kind": kind, "text": voice.say(f"legend.{kind}")} for kind in kinds]


def mood_legend(voice: Voice, panel: dict[str, Any]) -> list[dict[str, str]]:
    """Only what can be seen: a symbol that is not in the chart would be looked for."""
    levels = {mark["level"] for mark in panel["alerts"]}
    present = {
        "dot": panel["dots"], "proxy": panel["others"], "mean": panel["means"], "infusion": panel["infusions"],
        "planned": panel["planned"], "missed": panel["missed"], "undelivered": panel["undelivered"],
        "orange": "orange" in levels, "red": "red" in levels, "event": panel["events"],
    }  # fmt: skip
    return legend(voice, [kind for kind, there in present.items() if there])


def questionnaire_legend(voice: Voice, panel: dict[str, Any]) -> list[dict[str, str]]:
    present = {"other_total": panel["others"], "incomplete": panel["incomplete"]}
    return legend(voice, [kind for kind, there in present.items() if there])

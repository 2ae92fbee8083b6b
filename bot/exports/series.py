"""The lines and marks of the charts in data units: days since the first day shown, and scores.

Nothing here knows lengths, colours or languages.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import quantiles

from bot.clinical.diary import Diary, Infusion
from bot.clinical.terms import Outcome
from bot.exports.figures import LEAST_FOR_A_MEAN, RECENT_DAYS, newest

LONGEST_EPISODE = 60  # days: daily check-ins end there
LEAST_FOR_A_BAND = 4  # infusions with an answer on that day, so that the middle half means something
SHORTEST_BAND = 7  # days; the corner of an induction would look like a finding
EPISODES_SHOWN = 8
LEAST_FOR_A_MONTH = 4  # answered days, as many as a reference needs

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Episode:
    """The days after one infusion, day 0 being the infusion; it ends before the next one or after 60 days."""

    infusion: Infusion
    points: tuple[Point, ...]
    runs: tuple[tuple[Point, ...], ...]
    days: int  # elapsed in it, of which `points` were answered


def moving_means(diary: Diary, first: date, last: date) -> list[list[Point]]:
    """7-day means on answered days, one line per stretch between infusions.

    They start anew the day after each infusion (a mean reaching back over it would hide the response), rest on at least
    two answers, and are interrupted where a whole week has no answer.
    """
    values = list(diary.values("daily", "mood"))
    starts = sorted({infusion.day for infusion in diary.infusions})
    lines: list[list[Point]] = []
    stretch: object = None
    previous: date | None = None
    for place, (day, _) in enumerate(values):
        if not first <= day <= last or day in starts:
            continue
        since = _last_before(starts, day)
        earliest = max(day - timedelta(days=RECENT_DAYS - 1), since + timedelta(days=1) if since else date.min)
        window = [value for at, value in values[max(0, place - RECENT_DAYS + 1) : place + 1] if at >= earliest]
        if len(window) < LEAST_FOR_A_MEAN:
            continue
        if not lines or since != stretch or (previous and (day - previous).days > RECENT_DAYS):
            lines.append([])
        lines[-1].append(((day - first).days, sum(window) / len(window)))
        stretch, previous = since, day
    return lines


def _last_before(starts: Sequence[date], day: date) -> date | None:
    place = bisect_left(starts, day)
    return starts[place - 1] if place else None


def answers(diary: Diary, first: date, last: date) -> list[Point]:
    return [((day - first).days, value) for day, value in diary.values("daily", "mood") if first <= day <= last]


def answers_by_others(diary: Diary, first: date, last: date) -> list[Point]:
    """Mood that somebody else gave, on days without an answer of the patient's own."""
    own = {day for day, _ in diary.values("daily", "mood")}
    given: dict[date, int] = {}
    for check_in in diary.check_ins:
        answer = newest(check_in, "daily").get("mood")
        if answer is not None and answer.value is not None and first <= check_in.day <= last:
            given[check_in.day] = answer.value
    return [((day - first).days, value) for day, value in given.items() if day not in own]


def unanswered(diary: Diary, first: date, last: date) -> tuple[list[int], list[int]]:
    """Days without a mood answer: those the patient left, and those on which no check-in reached the patient."""
    answered = {first + timedelta(days=x) for x, _ in answers(diary, first, last)}
    answered |= {first + timedelta(days=x) for x, _ in answers_by_others(diary, first, last)}
    missed: set[int] = set()
    undelivered: set[int] = set()
    for check_in in diary.check_ins:
        if check_in.day in answered or not first <= check_in.day <= last:
            continue
        if check_in.outcome is Outcome.UNDELIVERED:
            undelivered.add((check_in.day - first).days)
        elif check_in.outcome not in (Outcome.PENDING, Outcome.CANCELLED):
            missed.add((check_in.day - first).days)
    return sorted(missed), sorted(undelivered - missed)


def episodes(diary: Diary, today: date) -> list[Episode]:
    """One per infusion, oldest first."""
    values = list(diary.values("daily", "mood"))
    days = [day for day, _ in values]
    given = [infusion for infusion in diary.infusions if infusion.day <= today]
    found = []
    for place, infusion in enumerate(given):
        following = given[place + 1].day if place + 1 < len(given) else today + timedelta(days=1)
        end = min(following, infusion.day + timedelta(days=LONGEST_EPISODE + 1))
        inside = values[bisect_right(days, infusion.day) : bisect_left(days, end)]
        points = tuple(((day - infusion.day).days, float(value)) for day, value in inside)
        found.append(Episode(infusion, points, tuple(_runs(points)), (end - infusion.day).days - 1))
    return found


def _runs(points: Sequence[Point]) -> Iterator[tuple[Point, ...]]:
    """7-day means of one episode, broken where a week has no answer."""
    run: list[Point] = []
    for x, _ in points:
        window = [value for at, value in points if x - RECENT_DAYS < at <= x]
        if len(window) < LEAST_FOR_A_MEAN:
            continue
        if run and x - run[-1][0] > RECENT_DAYS:
            yield tuple(run)
            run = []
        run.append((x, sum(window) / len(window)))
    if run:
        yield tuple(run)


def middle_half(found: Sequence[Episode]) -> list[tuple[int, float, float]]:
    """Quartiles of the answers by day since the infusion, over three days, where four infusions have answers."""
    band = []
    mood_on = [dict(episode.points) for episode in found]
    for day in range(1, LONGEST_EPISODE + 1):
        near = [[moods[x] for x in (day - 1, day, day + 1) if x in moods] for moods in mood_on]
        means = [sum(values) / len(values) for values in near if values]
        if len(means) < LEAST_FOR_A_BAND:
            break
        low, _, high = quantiles(means, n=4, method="inclusive")
        band.append((day, low, high))
    return band if len(band) >= SHORTEST_BAND else []


@dataclass(frozen=True, slots=True)
class Month:
    middle: date
    mean: float
    low: float  # of the middle half of its answers
    high: float
    answered: int


def months(diary: Diary, last: date) -> list[Month]:
    """The mood of each calendar month with enough answers, oldest first."""
    found: dict[date, list[int]] = {}
    for day, value in diary.values("daily", "mood"):
        if day <= last:
            found.setdefault(day.replace(day=1), []).append(value)
    return [
        Month(first.replace(day=15), sum(values) / len(values), low, high, len(values))
        for first, values in found.items()
        if len(values) >= LEAST_FOR_A_MONTH
        for low, _, high in [quantiles(values, n=4, method="inclusive")]
    ]


def questionnaire_runs(points: Sequence[Point], longest_gap: int = 21) -> list[list[Point]]:
    """The points joined, except across gaps of more than three weeks."""
    runs: list[list[Point]] = []
    for point in points:
        if not runs or point[0] - runs[-1][-1][0] > longest_gap:
            runs.append([])
        runs[-1].append(point)
    return runs

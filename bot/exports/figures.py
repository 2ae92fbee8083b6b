"""The numbers on the page, computed once for the report, the tables and FHIR.

Mood is 0-10 (10 best), PHQ-9 0-27 (27 worst). Every mean carries how many days it rests on; a mean that would rest on
too few is None. Answers given by somebody else stay out, as they do in the rules.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from bot.clinical.diary import CheckIn, Diary, Infusion, Response
from bot.clinical.instrument import Score
from bot.clinical.library import Library
from bot.clinical.response import BEFORE_DAYS, BEFORE_MINIMUM, InfusionResponse, NotYet, responses
from bot.clinical.terms import Mode, Outcome

Period = tuple[date, date]

OWN_MODES = (Mode.TAP, Mode.TYPED)
RECENT_DAYS = 7
WATCHED_DAYS = 28  # adherence of the recent past, as on the patient card
LEAST_GAIN = 1.0  # points of mood; docs/clinical.md, R1: below it there was no response
LEAST_FOR_A_MEAN = 2  # answered days of seven; with fewer, the dots say it better


@dataclass(frozen=True, slots=True)
class Mean:
    """`value` is None when no day was answered; `answered` of `days` is its data quality."""

    value: float | None
    answered: int
    days: int


@dataclass(frozen=True, slots=True)
class Total:
    """One sitting of a questionnaire. `value` is None when items were skipped: incomplete is never scored."""

    check_in: CheckIn
    instrument: str
    version: str
    day: date
    value: int | None
    low: int | None
    high: int | None
    band: str | None
    skipped: int
    own: bool  # False: somebody else answered at least one item


@dataclass(frozen=True, slots=True)
class Answered:
    days: int
    due: int  # days on which a check-in reached the patient
    undelivered: int  # days on which none did; never counted against the patient
    by_others: int  # answered days without an answer of the patient's own


@dataclass(frozen=True, slots=True)
class Figures:
    today: date
    infusion: Infusion | None
    days_since: int | None
    recent: Mean
    before: Mean
    first: Total | None
    best: Total | None
    now: Total | None
    item9: tuple[date, int] | None
    item9_highest: tuple[date, int] | None
    half_lost: int | None  # day after the current infusion on which half of the gain was gone
    half_holds: bool  # at least half of the current gain is still there
    gain: float | None  # of the current infusion, in points; None: too few answers to tell
    half_lost_days: dict[int, int]  # by infusion number, where it happened
    half_lost_median: float | None
    gains: int  # infusions with a gain of a point or more: only these have a half to lose
    urge: int | None  # the highest of the last seven days; None: not answered
    answered: Answered
    answered_recently: Answered


def figures(diary: Diary, library: Library, today: date) -> Figures:
    """Everything that the top of the page says, as known at the end of `today`."""
    diary = until(diary, today)
    given = diary.infusions[-1] if diary.infusions else None
    sittings = [total for total in totals(diary, library, "phq9") if total.own and total.value is not None]
    courses = responses(diary, today)
    halves = {course.number: days for course in courses if (days := half_lost(course)) is not None}
    item9 = list(item_nine(diary, library))
    current = courses[-1] if courses else None
    return Figures(
        today=today,
        infusion=given,
        days_since=(today - given.day).days if given else None,
        recent=mean_of_mood(diary, today - timedelta(days=RECENT_DAYS - 1), today),
        before=before_treatment(diary),
        first=sittings[0] if sittings else None,
        best=min(sittings, key=lambda total: total.value or 0, default=None),
        now=sittings[-1] if sittings else None,
        item9=item9[-1] if item9 else None,
        item9_highest=max(item9, key=lambda entry: (entry[1], entry[0]), default=None),
        half_lost=half_lost(current) if current else None,
        half_holds=current is not None and isinstance(current.half_lost, NotYet),
        gain=current.gain if current else None,
        half_lost_days=halves,
        half_lost_median=median(halves.values()) if halves else None,
        gains=sum(course.gain is not None and course.gain >= LEAST_GAIN for course in courses),
        urge=max((high for day, high in highest_urges(diary) if (today - day).days < RECENT_DAYS), default=None),
        answered=days_answered(diary.check_ins),
        answered_recently=days_answered(c for c in diary.check_ins if (today - c.day).days < WATCHED_DAYS),
    )


def until(diary: Diary, last: date) -> Diary:
    """The diary as it stood at the end of a diary day."""
    return within(diary, (date.min, last))


def within(diary: Diary, period: Period | None) -> Diary:
    """Only what belongs to diary days of the period, both ends included; None leaves the diary whole."""
    if period is None:
        return diary
    first, last = period
    return replace(
        diary,
        infusions=tuple(entry for entry in diary.infusions if first <= entry.day <= last),
        check_ins=tuple(entry for entry in diary.check_ins if first <= entry.day <= last),
        alerts=tuple(entry for entry in diary.alerts if first <= entry.day <= last),
        notes=tuple(entry for entry in diary.notes if first <= entry.day <= last),
        events=tuple(entry for entry in diary.events if first <= (entry.until or entry.day) and entry.day <= last),
        planned=tuple(day for day in diary.planned if day >= first),
    )


def closed(period: Period, diary: Diary, now: datetime) -> Period:
    """The period with its open ends (`date.min`, `date.max`) closed: by the enrolment, and by today."""
    first = max(period[0], min([diary.enrolled_on, *(check_in.day for check_in in diary.check_ins)]))
    last = min(period[1], now.astimezone(ZoneInfo(diary.zone)).date())
    return first, max(first, last)


def mean_of_mood(diary: Diary, first: date, last: date) -> Mean:
    found = [value for day, value in diary.values("daily", "mood") if first <= day <= last]
    return Mean(sum(found) / len(found) if found else None, len(found), (last - first).days + 1)


def newest(check_in: CheckIn, instrument: str) -> dict[str, Response]:
    """The newest revision of each item, in the order in which the items were first answered."""
    found: dict[str, Response] = {}
    for response in check_in.responses:
        known = found.get(response.item)
        if response.instrument == instrument and (known is None or response.revision > known.revision):
            found[response.item] = response
    return found


def instruments_of(check_in: CheckIn) -> dict[str, str]:
    """Code and version of each instrument answered in this check-in, in order."""
    return {response.instrument: response.version for response in check_in.responses}


def totals(diary: Diary, library: Library, only: str | None = None) -> Iterator[Total]:
    """Every sitting of every questionnaire that has a total, oldest first."""
    for check_in in diary.check_ins:
        for code, version in instruments_of(check_in).items():
            if only is None or code == only:
                yield from _total(check_in, code, version, library)


def _total(check_in: CheckIn, code: str, version: str, library: Library) -> Iterator[Total]:
    answers = newest(check_in, code)
    score = library.instrument(code, version).score({item: answer.value for item, answer in answers.items()})
    if score is None:
        return
    own = all(answer.mode in OWN_MODES for answer in answers.values())
    if isinstance(score, Score):
        yield Total(check_in, code, version, check_in.day, score.value, score.low, score.high, score.band, 0, own)
    else:
        yield Total(check_in, code, version, check_in.day, None, None, None, None, len(score.unanswered), own)


def item_nine(diary: Diary, library: Library) -> Iterator[tuple[date, int]]:
    """Answers to the PHQ-9 item on being better off dead or hurting oneself, 0-3; unfinished sittings count too."""
    for check_in in diary.check_ins:
        for code, version in instruments_of(check_in).items():
            if code == "phq9":
                item = library.instrument(code, version).items[8].code
                answer = newest(check_in, code).get(item)
                if answer is not None and answer.value is not None:
                    yield check_in.day, answer.value


def highest_urges(diary: Diary) -> Iterator[tuple[date, int]]:
    """The patient's own answers on the urge to kill themselves: the highest of each answered day, 0-10."""
    highest: dict[date, int] = {}
    for check_in in diary.check_ins:
        answer = newest(check_in, "daily").get("urge")
        if answer is not None and answer.value is not None and answer.mode in OWN_MODES:
            highest[check_in.day] = max(answer.value, highest.get(check_in.day, 0))
    return iter(sorted(highest.items()))


def days_answered(check_ins: Iterable[CheckIn]) -> Answered:
    """Days, not check-ins: a day counts as answered when anything was."""
    due: set[date] = set()
    answered: set[date] = set()
    undelivered: set[date] = set()
    own: set[date] = set()
    for check_in in check_ins:
        modes = {response.mode for response in check_in.responses if response.value is not None}
        if modes:
            answered.add(check_in.day)
        if modes & set(OWN_MODES):
            own.add(check_in.day)
        if check_in.outcome is Outcome.UNDELIVERED:
            undelivered.add(check_in.day)
        elif check_in.outcome not in (Outcome.CANCELLED, Outcome.PENDING):
            due.add(check_in.day)
    return Answered(len(answered), len(due | answered), len(undelivered - due - answered), len(answered - own))


def before_treatment(diary: Diary) -> Mean:
    """The reference that every gain is measured from, with the days it rests on."""
    first = next((infusion.day for infusion in diary.infusions), None)
    earlier = [value for day, value in diary.values("daily", "mood") if first is not None and day < first]
    used = earlier[-BEFORE_DAYS:]
    return Mean(sum(used) / len(used) if len(used) >= BEFORE_MINIMUM else None, len(used), BEFORE_DAYS)


def half_lost(course: InfusionResponse) -> int | None:
    """Days after the infusion until half of its gain was gone; a gain below a point is none to lose."""
    if course.gain is None or course.gain < LEAST_GAIN or not isinstance(course.half_lost, int):
        return None
    return course.half_lost

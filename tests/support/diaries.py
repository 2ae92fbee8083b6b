"""Synthetic diaries with the shapes that clinics meet: made by a seed, so that every call gives the same patient."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from math import exp
from random import Random
from zoneinfo import ZoneInfo

from bot.clinical.diary import AlertEntry, CheckIn, Diary, Event, Infusion, Note, Response
from bot.clinical.library import Library
from bot.clinical.terms import Level, Mode, Outcome, Phase, Rule

ZONE = "Europe/Berlin"
TODAY = date(2026, 11, 23)
INDUCTION_DAYS = (0, 3, 7, 10, 14, 17)
SIDE_EFFECTS = ("nausea", "dizziness", "headache", "confusion", "sleepiness", "dissociation", "anxiety")

Mood = Callable[[int, int | None], float]  # (days since enrolment, days since the last infusion) -> expected mood


def clear_response_with_fading() -> Diary:
    """Eleven months: strong response to induction, then each maintenance infusion holds a little less long."""
    first = TODAY - timedelta(days=310)
    given = _given(first, (*INDUCTION_DAYS, 45, 75, 106, 134, 163, 192, 221, 250, 276))

    def mood(day: int, since: int | None) -> float:
        if since is None:
            return 2.4
        lasting = max(9.0, 34.0 - 0.09 * day)
        return 2.4 + 4.9 * exp(-((since / lasting) ** 2)) - 0.0012 * day

    diary = _Builder(
        "P-0042", seed=42, enrolled=first - timedelta(days=9), given=given, mood=mood, missing=0.13
    ).build()
    return replace(diary, alerts=_alerts_of_fading(diary), notes=_notes(first), events=_events(first))


def non_response() -> Diary:
    """Six infusions without a change, chronic thoughts of suicide, an acknowledged RED alert."""
    first = TODAY - timedelta(days=47)
    diary = _Builder(
        "P-0107",
        seed=7,
        enrolled=first - timedelta(days=8),
        given=_given(first, INDUCTION_DAYS),
        mood=lambda day, since: 2.1 + (0.5 if since in (0, 1) else 0),
        missing=0.08,
        urge=2.2,
    ).build()
    return replace(diary, alerts=_alerts_of_non_response(first))


def sparse_answers() -> Diary:
    """Enrolled in maintenance, answers about one day in four, some by staff, some skipped."""
    first = TODAY - timedelta(days=150)
    return _Builder(
        "P-0230",
        seed=23,
        enrolled=first,
        given=_given(first + timedelta(days=12), (0, 42, 88)),
        zone="America/New_York",
        mood=lambda day, since: 4.5 + (1.6 * exp(-since / 20) if since is not None else 0),
        missing=0.74,
        by_staff=0.12,
        maintenance=True,
    ).build()


def three_days() -> Diary:
    """Just enrolled: three days before the first infusion."""
    return _Builder(
        "P-0301", seed=3, enrolled=TODAY - timedelta(days=2), given=(), mood=lambda *_: 2.6, missing=0
    ).build()


def dense_induction() -> Diary:
    """Twelve infusions, one every other day, the last of them yesterday; a good deal of dissociation."""
    first = TODAY - timedelta(days=23)
    return _Builder(
        "P-0311",
        seed=11,
        enrolled=first - timedelta(days=5),
        given=_given(first, tuple(range(0, 23, 2))),
        mood=lambda day, since: 2.5 if since is None else min(7.0, 2.5 + 0.2 * day),
        missing=0.1,
    ).build()


def five_years(number: int = 5) -> Diary:
    """A long course of maintenance, about an infusion a month; `number` makes another patient of the same kind."""
    first = TODAY - timedelta(days=1810)
    given = _given(first, (*INDUCTION_DAYS, *range(45, 1800, 31)))
    return _Builder(
        f"P-{number:04d}",
        seed=number,
        enrolled=first - timedelta(days=9),
        given=given,
        missing=0.18,
        mood=lambda day, since: 2.8 if since is None else 2.8 + 4.4 * exp(-((since / 24) ** 2)),
    ).build()


def nothing_yet() -> Diary:
    """A code and a date of enrolment, nothing else."""
    return Diary(patient="P-0400", zone=ZONE, language="en", enrolled_on=TODAY)


def one_year(number: int = 1) -> Diary:
    """A year of daily answers; `number` makes another patient of the same kind."""
    first = TODAY - timedelta(days=356)
    return _Builder(
        f"P-{number:04d}",
        seed=number,
        enrolled=first - timedelta(days=9),
        given=_given(first, (*INDUCTION_DAYS, *range(45, 350, 34))),
        mood=lambda day, since: 2.6 if since is None else 2.6 + 4.2 * exp(-((since / 22) ** 2)),
        missing=0.15,
    ).build()


def _given(first: date, days: tuple[int, ...]) -> tuple[date, ...]:
    return tuple(first + timedelta(days=day) for day in days)


class _Builder:
    def __init__(
        self,
        patient: str,
        *,
        seed: int,
        enrolled: date,
        given: tuple[date, ...],
        mood: Mood,
        missing: float,
        urge: float = 0.0,
        by_staff: float = 0.0,
        zone: str = ZONE,
        maintenance: bool = False,
    ) -> None:
        self.patient, self.enrolled, self.given, self.mood, self.missing = patient, enrolled, given, mood, missing
        self.urge, self.by_staff, self.zone = urge, by_staff, zone
        self.induction = 0 if maintenance else len(INDUCTION_DAYS)
        self.random = Random(seed)
        self.phq9 = Library.load().instrument("phq9")
        self.number = 0

    def build(self) -> Diary:
        check_ins: list[CheckIn] = []
        for day in range((TODAY - self.enrolled).days + 1):
            today = self.enrolled + timedelta(days=day)
            check_ins.append(self._daily(day, today))
            if today in self.given:
                check_ins.append(self._evening(today))
        return Diary(
            patient=self.patient,
            zone=self.zone,
            language="en",
            enrolled_on=self.enrolled,
            infusions=tuple(self._infusion(number, day) for number, day in enumerate(self.given, 1)),
            check_ins=tuple(check_ins),
        )

    def _daily(self, day: int, today: date) -> CheckIn:
        weekly = day % 7 == 0
        due = self._moment(today, time(16))
        if self.random.random() < self.missing and not weekly:
            outcome = Outcome.UNDELIVERED if self.random.random() < 0.06 else Outcome.MISSED
            return self._check_in("daily", today, due, outcome)
        before = [given for given in self.given if given <= today]
        since = (today - before[-1]).days if before else None
        expected = self.mood(day, since)
        answers = self._daily_answers(expected)
        mode = Mode.STAFF if self.random.random() < self.by_staff else Mode.TAP
        responses = self._responses("daily", answers, due, mode)
        if weekly and self.random.random() >= self.missing:
            responses += self._responses("phq9", self._phq9_answers(expected), due + timedelta(minutes=2), mode)
        if day % 37 == 20:  # corrected three hours later
            first = responses[0]
            responses += (
                replace(first, value=max(0, (first.value or 0) - 2), revision=2, answered_at=due + timedelta(hours=3)),
            )
        return self._check_in("daily", today, due, Outcome.ANSWERED, responses)

    def _daily_answers(self, expected: float) -> dict[str, int | None]:
        urge = self._scale(self.urge + (self.random.gauss(0, 1.1) if self.urge else -1))
        answers: dict[str, int | None] = {
            "mood": self._scale(expected + self.random.gauss(0, 0.9)),
            "interest": self._scale(expected - 0.4 + self.random.gauss(0, 1.1)),
            "sleep": self._scale(5 + self.random.gauss(0, 1.6)) if self.random.random() > 0.03 else None,
            "urge": urge,
        }
        return answers | {"intent": 0} if urge else answers

    def _phq9_answers(self, expected: float) -> dict[str, int | None]:
        burden = max(0.0, min(3.0, (9.2 - expected) / 2.9))
        codes = [item.code for item in self.phq9.items]
        answers: dict[str, int | None] = {
            code: max(0, min(3, round(burden + self.random.gauss(0, 0.45)))) for code in codes[:8]
        }
        answers[codes[8]] = max(0, min(3, round(burden - 1.6 + self.random.gauss(0, 0.3))))
        if self.random.random() < 0.03:
            answers[codes[6]] = None  # skipped: this week has no total
        return answers | {code: round(burden) for code in codes[9:]}

    def _evening(self, today: date) -> CheckIn:
        due = self._moment(today, time(20))
        answers: dict[str, int | None] = {
            code: max(0, min(3, round(self.random.gauss(0.5 + (code in ("dissociation", "sleepiness")) * 0.8, 0.8))))
            for code in SIDE_EFFECTS
        }
        return self._check_in(
            "evening", today, due, Outcome.ANSWERED, self._responses("side_effects", answers, due, Mode.TAP)
        )

    def _responses(
        self, instrument: str, answers: Mapping[str, int | None], due: datetime, mode: Mode
    ) -> tuple[Response, ...]:
        start = due + timedelta(minutes=self.random.randrange(2, 90))
        return tuple(
            Response(instrument, "1", item, value, 1, start + timedelta(seconds=7 * place), mode)
            for place, (item, value) in enumerate(answers.items())
        )

    def _check_in(
        self, slot: str, day: date, due: datetime, outcome: Outcome, responses: tuple[Response, ...] = ()
    ) -> CheckIn:
        self.number += 1
        reached = outcome is not Outcome.UNDELIVERED
        return CheckIn(
            ref=f"{self.patient}-{self.number:05d}",
            slot=slot,
            day=day,
            due_at=due,
            outcome=outcome,
            prompted_at=due + timedelta(seconds=3) if reached else None,
            shown_at=responses[0].answered_at - timedelta(seconds=20) if responses else None,
            finished_at=max(response.answered_at for response in responses) if responses else None,
            responses=responses,
        )

    def _infusion(self, number: int, day: date) -> Infusion:
        phase = Phase.INDUCTION if number <= self.induction else Phase.MAINTENANCE
        return Infusion(number, self._moment(day, time(10, 30)), day, phase, 0.5, 128 + number % 9, 78 + number % 5)

    def _moment(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)

    def _scale(self, value: float) -> int:
        return max(0, min(10, round(value)))


def _alerts_of_fading(diary: Diary) -> tuple[AlertEntry, ...]:
    alerts = []
    for place, infusion in enumerate(diary.infusions[6:], 1):
        raised = infusion.given_at + timedelta(days=22 - place, hours=6)
        if raised.date() > TODAY:
            continue
        rule, level = ((Rule.LOSS_OF_RESPONSE, Level.ORANGE), (Rule.DROP_BELOW_REFERENCE, Level.YELLOW))[place % 2]
        alerts.append(
            AlertEntry(
                f"A{place:03d}",
                rule,
                level,
                "finding.r1.lost",
                {"mood": 3},
                raised.date(),
                raised,
                raised + timedelta(minutes=11 * place),
                raised + timedelta(hours=1),
                raised + timedelta(hours=5),
                "safe" if place != 3 else "plan",
            )
        )
    return tuple(alerts)


def _alerts_of_non_response(first: date) -> tuple[AlertEntry, ...]:
    red = datetime.combine(first + timedelta(days=12), time(21, 4), UTC)
    silent = datetime.combine(first + timedelta(days=40), time(16, 30), UTC)
    return (
        AlertEntry(
            "A310",
            Rule.SUICIDAL_THOUGHTS,
            Level.RED,
            "finding.r0.urge",
            {"urge": 8},
            red.date(),
            red,
            red + timedelta(minutes=3),
            red + timedelta(minutes=9),
            red + timedelta(hours=2),
            "emergency",
        ),
        AlertEntry("A344", Rule.SUICIDAL_THOUGHTS, Level.YELLOW, "finding.r0.urge", {"urge": 4}, silent.date(), silent),
    )


def _notes(first: date) -> tuple[Note, ...]:
    def note(day: int, text: str) -> Note:
        when = first + timedelta(days=day)
        return Note(datetime.combine(when, time(17, 12), UTC), when, text)

    return (
        note(5, "Slept through for the first time in weeks. Went for a walk with my sister."),
        note(71, "Feels like it is wearing off earlier than last time."),
        note(214, "Not a good week: appointment moved twice, hard to get up."),
    )


def _events(first: date) -> tuple[Event, ...]:
    return (
        Event(first + timedelta(days=58), "medication", "Sertraline 100 mg to 150 mg"),
        Event(first + timedelta(days=201), "travel", "", first + timedelta(days=209)),
        Event(first + timedelta(days=222), "total", "MADRS", value=21),
    )

"""What R1 to R4 and R7 look at: one patient's own answers up to one day."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from bot.clinical.diary import CheckIn, Diary
from bot.clinical.terms import Mode

Series = tuple[tuple[date, int], ...]

PHQ9_ITEMS = tuple(f"item{number}" for number in range(1, 10))
OWN_MODES = (Mode.TAP, Mode.TYPED)


@dataclass(frozen=True, slots=True)
class Past:
    """Everything oldest first. Days without an answer are not there; answers by somebody else are not either."""

    today: date
    infusions: tuple[date, ...]
    moods: Series
    phq9: Series = ()

    @classmethod
    def of(cls, diary: Diary, today: date) -> "Past":
        return cls(
            today,
            tuple(sorted(infusion.day for infusion in diary.infusions if infusion.day <= today)),
            tuple((day, mood) for day, mood in diary.values("daily", "mood") if day <= today),
            totals(diary, today),
        )

    def until(self, day: date) -> "Past":
        """The same as it was known on an earlier day."""
        return Past(
            day, self.infusions[: bisect_right(self.infusions, day)], _until(self.moods, day), _until(self.phq9, day)
        )


def totals(diary: Diary, today: date) -> Series:
    """PHQ-9 totals of complete questionnaires: an incomplete one has none."""
    found = []
    for check_in in diary.check_ins:
        total = _total(check_in) if check_in.day <= today else None
        if total is not None:
            found.append((check_in.day, total))
    return tuple(sorted(found, key=lambda entry: entry[0]))


def _total(check_in: CheckIn) -> int | None:
    if any(response.instrument == "phq9" and response.mode not in OWN_MODES for response in check_in.responses):
        return None
    answers = check_in.answers("phq9")
    values = [value for item in PHQ9_ITEMS if (value := answers.get(item)) is not None]
    return sum(values) if len(values) == len(PHQ9_ITEMS) else None


def _until(series: Series, day: date) -> Series:
    return series[: bisect_right(series, day, key=lambda entry: entry[0])]

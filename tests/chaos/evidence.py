"""What is in the database afterwards, held against what people did."""

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from bot.chat.callbacks import AnswerTap, decode
from bot.clinical.terms import Rule
from bot.desk import Desk
from bot.services.work import Work
from bot.simulator.client import PeopleClient
from bot.simulator.ledger import Delivery
from tests.chaos.verdict import Verdict
from tests.support import load
from tests.support.load import Member

DANGER = 9


@dataclass
class Story:
    """Everybody's answers in order, some of them in danger; what was tapped so far is what must be found."""

    members: list[Member]
    taps: list[tuple[int, str]] = field(default_factory=list)
    tapped: list[tuple[int, str]] = field(default_factory=list)
    endangered: set[str] = field(default_factory=set)
    spoken: set[str] = field(default_factory=set)  # patients who reported danger in words

    @classmethod
    def of(cls, members: list[Member], danger_share: float, random: Random) -> "Story":
        endangered = {member.number for member in members if random.random() < danger_share}
        told = cls(members, endangered={load.code_of(number) for number in endangered})
        for wave in load.good_days(members):
            told.taps += [
                (number, data.rpartition("|")[0] + f"|{DANGER}") if number in endangered and ".urge|" in data
                else (number, data) for number, data in wave
            ]  # fmt: skip
        return told

    async def goes_on(self, people: PeopleClient, count: int) -> None:
        """The next few people tap."""
        chosen, self.taps = self.taps[:count], self.taps[count:]
        if chosen:
            await people.taps(chosen)
            self.tapped += chosen

    @property
    def danger_reported(self) -> set[str]:
        return self.spoken | {load.code_of(number) for number, data in self.tapped if data.endswith(f".urge|{DANGER}")}


def answers(work: Work) -> Counter[tuple[str, str, int | None]]:
    """Every stored answer as (check-in, question, value), with how often it is there."""
    found: Counter[tuple[str, str, int | None]] = Counter()
    for patient in work.stores.patients.all():
        for row in work.stores.responses.of(patient.id):
            value = work.stores.responses.value(row)
            found[str(row.check_in_id), f"{row.instrument}.{row.item}", value] += 1
    return found


def alert_codes(work: Work) -> dict[str, list[str]]:
    """Alert codes of suicidal thoughts by patient code."""
    return {
        patient.code: [a.code for a in work.stores.alerts.of(patient.id) if a.rule == Rule.SUICIDAL_THOUGHTS]
        for patient in work.stores.patients.all()
    }


def nothing_lost(verdict: Verdict, desk: Desk, story: Story) -> None:
    """Every tap is exactly one answer; every danger exactly one alert; nothing died."""
    expected: Counter[tuple[str, str, int | None]] = Counter()
    for _, data in story.tapped:
        tap = decode(data)
        assert isinstance(tap, AnswerTap)
        expected[str(tap.check_in), f"{tap.instrument}.{tap.item}", tap.value] += 1
    found = desk.act_now(answers)
    verdict.figures["answers given"] = expected.total()
    verdict.must_be("answers lost", (expected - found).total(), 0)
    verdict.must_be("answers doubled or invented", (found - expected).total(), 0)
    codes = desk.act_now(alert_codes)
    reported = story.danger_reported
    verdict.figures["dangers reported"] = len(reported)
    verdict.must_be("dangers without an alert", sum(not codes[patient] for patient in reported), 0)
    verdict.must_be("alerts too many", sum(max(0, len(found) - (p in reported)) for p, found in codes.items()), 0)
    verdict.must_be("dead updates", load.count(desk, "inbox", "state = 'dead'"), 0)


def every_alert_told(verdict: Verdict, desk: Desk, story: Story, deliveries: list[Delivery]) -> None:
    """Each alert reached somebody of the care team, under its own code."""
    told = Counter(
        word for entry in deliveries if load.is_staff(entry.chat) and not entry.edit
        for word in entry.text.splitlines()[0].split()
    )  # fmt: skip
    known = desk.act_now(alert_codes)
    codes = [code for patient in story.danger_reported for code in known[patient]]
    verdict.must_be("alerts that nobody was told of", sum(not told[code] for code in codes), 0)
    verdict.figures["pages, repeats included"] = sum(told[code] for code in codes)


def intact(verdict: Verdict, desk: Desk) -> None:
    with desk.database.engine.connect() as connection:
        verdict.must_be("integrity_check", connection.exec_driver_sql("PRAGMA integrity_check").scalar_one(), "ok")

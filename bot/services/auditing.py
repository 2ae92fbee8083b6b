"""The house's own promises, looked at once a minute: what is broken opens an incident, what holds again closes it."""

from dataclasses import dataclass
from datetime import timedelta

from bot.services import incidents
from bot.services.incidents import IncidentKind
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.people import ChatState

LATE = timedelta(minutes=2)  # after its moment; more is more than a busy minute


@dataclass(frozen=True, slots=True)
class Lateness:
    """What is late at one look. It counts when the next look finds it too: a moment's work is no incident."""

    steps: frozenset[str] = frozenset()  # codes of alerts whose step is overdue, or that have none
    letters: frozenset[str] = frozenset()
    rows: frozenset[str] = frozenset()

    def still(self, now: "Lateness") -> "Lateness":
        return Lateness(self.steps & now.steps, self.letters & now.letters, self.rows & now.rows)


def lateness(work: Work) -> Lateness:
    before = work.now - LATE
    oldest = work.stores.inbox.oldest_waiting()
    return Lateness(
        steps=frozenset(alert.code for alert in work.stores.alerts.overdue(before)),
        letters=frozenset(str(letter.id) for letter in work.stores.outbox.overdue(before, Urgency.ALERT)),
        rows=frozenset({oldest.isoformat()} if oldest is not None and oldest <= before else ()),
    )


def judge(work: Work, late: Lateness, stages: set[str], *, polls: bool, has_room: bool) -> tuple[str, ...]:
    """Opens and closes incidents; returns the kinds of what is wrong. `stages` are the parts that stand still."""
    blocked = {
        str(person.id)
        for person in work.stores.people.staff()
        if work.stores.chats.get(person.chat_id).state != ChatState.OPEN
    }
    found: dict[IncidentKind, set[str]] = {
        IncidentKind.STEP_LATE: set(late.steps),
        IncidentKind.LETTER_LATE: {""} if late.letters else set(),
        IncidentKind.ROW_LATE: {""} if late.rows else set(),
        IncidentKind.STAGE: stages,
        IncidentKind.POLLING: set() if polls else {""},
        IncidentKind.NOBODY_ON_CALL: set() if work.stores.rota.in_order() else {""},
        IncidentKind.STAFF_BLOCKED: blocked,
    }
    for kind, details in found.items():
        incidents.only(work, kind, details)
    if has_room:
        incidents.close(work, IncidentKind.DISK, "room")
    else:
        incidents.open(work, IncidentKind.DISK, "room")
        found[IncidentKind.DISK] = {"room"}
    # Who is on call and whom Telegram reaches is for the administrators to mend; the machine itself is well.
    people = (IncidentKind.NOBODY_ON_CALL, IncidentKind.STAFF_BLOCKED)
    return tuple(kind.value for kind, details in found.items() if details and kind not in people)

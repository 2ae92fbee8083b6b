"""The house's own promises, looked at once a minute: what is broken opens an incident, what holds again closes it."""

from dataclasses import dataclass
from datetime import timedelta

from bot.services import incidents
from bot.services.incidents import IncidentKind
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.people import ChatState

LATE = timedelta(minutes=2)  # after its moment; more is more than a busy minute
AUDITED = "audited"  # the fact that is written at each look: a database that only reads must not pass for whole


@dataclass(frozen=True, slots=True)
class Lateness:
    """What is late at one look. It counts when the look before found lateness too: a moment's work is no incident."""

    steps: frozenset[str] = frozenset()  # codes of alerts whose step is overdue, or that have none
    letters: bool = False
    rows: bool = False

    def since(self, before: "Lateness") -> "Lateness":
        """By kind and not by row: a queue that moves and stays late is late."""
        return Lateness(
            self.steps if before.steps else frozenset(), self.letters and before.letters, self.rows and before.rows
        )


def lateness(work: Work) -> Lateness:
    before = work.now - LATE
    oldest = work.stores.inbox.oldest_waiting()
    return Lateness(
        steps=frozenset(alert.code for alert in work.stores.alerts.overdue(before)),
        letters=bool(work.stores.outbox.overdue(before, Urgency.ALERT)),
        rows=oldest is not None and oldest <= before,
    )


def judge(work: Work, late: Lateness, stages: set[str], *, polls: bool, has_room: bool) -> tuple[str, ...]:
    """Opens and closes incidents; returns the kinds of what is wrong. `stages` are the parts that stand still.

    For the process that leads: another one does not see all parts, and would close what this one opened.
    """
    work.stores.facts.set(AUDITED, work.now.isoformat())
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

"""What the second road's sender asks: which lines go now, and what became of them. Sent, then marked."""

from dataclasses import dataclass
from datetime import timedelta

from bot.services import incidents, letters, receipts, roads
from bot.services.incidents import IncidentKind
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.alerts import AlertState
from storage.tables.roads import Dispatch, DispatchState

MAX_ATTEMPTS = 6
UNDER_WAY = timedelta(seconds=45)  # a try that has not come back by then died with its process
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=1)
OPERATOR = "operator"  # stands for a channel id where the operator's own channels are meant


@dataclass(frozen=True, slots=True, repr=False)
class Parcel:
    """A line as it will go. The addresses hold passwords, so it has no printed form."""

    position: int
    kind: str
    language: str
    urls: tuple[str, ...]
    incident: incidents.IncidentView | None


def take(work: Work) -> list[Parcel]:
    """The lines that go now. Each try is counted and put off before it is made, so that a kill repeats it later."""
    parcels = []
    for row in work.stores.roads.due(work.now):
        urls = _addresses(work, row)
        if not urls or not _is_needed(work, row):
            row.state = DispatchState.DROPPED
            continue
        row.attempts += 1
        row.due_at = work.now + UNDER_WAY
        person = work.stores.people.find(row.person_id) if row.person_id else None
        parcels.append(
            Parcel(
                row.position, row.kind, person.language if person else work.clinic.language, urls,
                incidents.view(work, row.subject_id) if row.kind == roads.INCIDENT and row.subject_id else None,
            )
        )  # fmt: skip
    return parcels


def arrived(work: Work, position: int) -> None:
    """A channel has taken it. It knows delivery, not reading: taking an alert stays with people."""
    row = work.stores.roads.get(position)
    row.state, row.sent_at = DispatchState.SENT, work.now
    incidents.close(work, IncidentKind.CHANNEL_DEAD, _name(row))
    if row.kind == roads.ALERT and row.subject_id is not None:
        receipts.reached(work, work.stores.alerts.get(row.subject_id))
    _tell_tester(work, row, "road.test_sent")


def failed(work: Work, position: int) -> None:
    """It is tried again some times; then the channel is dead, and that is an incident."""
    row = work.stores.roads.get(position)
    if row.attempts < MAX_ATTEMPTS and row.kind != roads.TEST:
        row.due_at = work.now + min(FIRST_PAUSE * 2 ** (row.attempts - 1), LONGEST_PAUSE)
        return
    row.state = DispatchState.FAILED
    incidents.open(work, IncidentKind.CHANNEL_DEAD, _name(row))
    _tell_tester(work, row, "road.test_failed")


def any_due(work: Work) -> bool:
    return bool(work.stores.roads.due(work.now, limit=1))


def _addresses(work: Work, row: Dispatch) -> tuple[str, ...]:
    if row.channel_id is None:
        return work.knowledge.roads.operator
    channel = work.stores.roads.channel(row.channel_id)
    if channel is None or channel.removed_at is not None:
        return ()
    url = roads.url_of(work.stores.roads.address(channel), work.knowledge.roads)
    return (url,) if url else ()


def _is_needed(work: Work, row: Dispatch) -> bool:
    if row.kind == roads.ALERT and row.subject_id is not None:
        alert = work.stores.alerts.find(row.subject_id)
        return alert is not None and alert.state == AlertState.OPEN
    if row.kind == roads.INCIDENT and row.subject_id is not None:
        incident = work.stores.incidents.find(row.subject_id)
        return incident is not None and incident.closed_at is None
    return True


def _name(row: Dispatch) -> str:
    return str(row.channel_id) if row.channel_id else OPERATOR


def _tell_tester(work: Work, row: Dispatch, key: str) -> None:
    person = work.stores.people.find(row.person_id) if row.kind == roads.TEST and row.person_id else None
    if person is not None:
        letters.to_person(work, person, "notice", Urgency.REPLY, detail=key)

"""When Telegram was not asked for so long that it has thrown updates away: nobody's silence, and asked again."""

from datetime import datetime, timedelta
from uuid import UUID

from bot.clinical.schedule import day_ends, diary_day
from bot.services import check_ins, incidents, letters
from bot.services.incidents import IncidentKind
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.diary import CheckIn, CheckInState
from storage.tables.people import Patient, PatientState

FETCHED = "polling.fetched_at"
LONGEST_GAP = timedelta(hours=20)  # Telegram keeps updates for 24 hours


def fetched(work: Work) -> bool:
    """Notes that updates were fetched now; True when the time before was a gap."""
    known = work.stores.facts.read(FETCHED)
    work.stores.facts.set(FETCHED, work.now.isoformat())
    since = datetime.fromisoformat(known) if known else work.now
    if work.now - since <= LONGEST_GAP:
        return False
    incidents.open(work, IncidentKind.POLLING_GAP, work.now.date().isoformat())
    work.stores.audit.record("polling.gap", actor=None, detail=f"{(work.now - since) // timedelta(hours=1)} hours")
    _ask_again(work, since)
    return True


def operators(work: Work) -> list[tuple[int, str]]:
    """Telegram's number of each administrator's chat, and the language spoken there; without one, everybody's."""
    chats, people = work.stores.chats, work.stores.people
    return [(chats.number(chats.get(person.chat_id)), person.language) for person in people.admins() or people.staff()]


def _ask_again(work: Work, since: datetime) -> None:
    asked: set[UUID] = set()
    for check_in in work.stores.check_ins.unanswered_since(since):
        patient = work.stores.patients.get(check_in.patient_id)
        check_in.delivered_at = None  # an answer may have been lost: this is not the patient's silence
        if patient.state != PatientState.ACTIVE or patient.id in asked:
            continue
        asked.add(patient.id)
        _prompt_again(work, patient, check_in)


def _prompt_again(work: Work, patient: Patient, check_in: CheckIn) -> None:
    """The newest one only, until the end of the present diary day."""
    if check_in.expires_at <= work.now:
        check_in.expires_at = day_ends(diary_day(work.now, patient.zone), patient.zone)
    if check_in.state == CheckInState.EXPIRED:
        check_in.state = CheckInState.PROMPTED
    check_in.next_at = check_in.expires_at
    check_in.reminded_at = check_in.reminded_at or work.now
    letters.to_patient(
        work, patient, "check_in.prompt", Urgency.PROMPT, subject=check_in.id, card=check_ins.card_of(check_in.id),
        expires_at=check_in.expires_at,
    )  # fmt: skip

"""What is stored about a patient, handed out and erased on their own word.

Erasing destroys the patient's key: answers, notes, letters and whatever else was sealed under it cannot be read any
more, here or in a backup that has no copy of the key. Rows stay, without anything that says who it was.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from bot.services import care, courses, diary, letters
from bot.services.errors import StaleButton
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.alerts import Alert, AlertState
from storage.tables.diary import CheckInState
from storage.tables.people import Patient, PatientState, Person

LOOK_AGAIN = timedelta(hours=1)
HANDOVER = timedelta(hours=72)  # at most so long the team may take over what is open before the data goes
FORGET_CHAT = timedelta(days=1)  # the last message must still find its way
ASKED = "leaving"


@dataclass(frozen=True, slots=True)
class Stored:
    """How much there is, by kind."""

    check_ins: int
    answers: int
    notes: int
    infusions: int
    alerts: int
    about: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """What an operator is told before and after."""

    code: str
    stored: Stored
    joined: bool
    open_alerts: tuple[str, ...]


def show(work: Work) -> None:
    letters.reply(work, "privacy.mydata")


def send_copy(work: Work) -> None:
    work.stores.audit.record("diary.exported", actor=work.caller.id, subject=work.caller.id, detail="own copy")
    letters.reply(work, "privacy.copy")


def stored(work: Work, patient_id: UUID) -> Stored:
    patient = work.stores.patients.get(patient_id)
    record = diary.of(work, patient)
    about = {**work.stores.patients.contact(patient), **work.stores.patients.safety_plan(patient)}
    return Stored(
        check_ins=len(record.check_ins), answers=sum(len(one.responses) for one in record.check_ins),
        notes=len(record.notes), infusions=len(record.infusions), alerts=len(record.alerts), about=len(about),
    )  # fmt: skip


def ask_delete(work: Work) -> None:
    letters.reply(work, "privacy.ask")


def delete(work: Work) -> None:
    """At once, unless an alert is open: then a human takes it over first, and the questions stop now."""
    patient = work.stores.patients.get(work.by().id)
    if patient.state in (PatientState.LEAVING, PatientState.DECEASED):
        raise StaleButton
    work.stores.audit.record("erasure.asked", actor=patient.id, subject=patient.id)
    if not _open_alerts(work, patient):
        erase(work, patient)
        return
    patient.state, patient.state_until = PatientState.LEAVING, work.now + LOOK_AGAIN
    _stop_asking(work, patient)
    work.stores.events.add(patient_id=patient.id, day=work.now.date(), kind=ASKED, by=patient.id)
    for person in work.stores.people.staff():
        letters.to_person(work, person, "privacy.handover", Urgency.ALERT, patient=patient)
    letters.reply(work, "privacy.waiting")


def keep(work: Work) -> None:
    """The patient has thought better of it."""
    patient = work.stores.patients.get(work.by().id)
    if patient.state != PatientState.LEAVING:
        raise StaleButton
    patient.state, patient.state_until = PatientState.ACTIVE, None
    work.stores.audit.record("erasure.taken_back", actor=patient.id, subject=patient.id)
    courses.replan(work, patient)
    letters.reply(work, "notice", detail="privacy.kept")


def go_on(work: Work, patient: Patient) -> None:
    """Erases who waits for it once no alert is open, at the latest after the time for handing over."""
    asked = [entry.recorded_at for entry in work.stores.events.of(patient.id) if entry.kind == ASKED]
    if not _open_alerts(work, patient) or work.now - asked[-1] >= HANDOVER:
        erase(work, patient)
    else:
        patient.state_until = work.now + LOOK_AGAIN


def erase_for_operator(work: Work, code: str, *, really: bool) -> Erasure:
    """What is stored and what is in the way; gone afterwards if `really` and nothing is. Raises `UnknownPatient`."""
    patient = care.find(work, code)
    found = Erasure(
        patient.code, stored(work, patient.id), joined=work.stores.people.find(patient.id) is not None,
        open_alerts=tuple(alert.code for alert in _open_alerts(work, patient)),
    )  # fmt: skip
    if really and not found.open_alerts:
        erase(work, patient)
    return found


def erase(work: Work, patient: Patient) -> None:
    for alert in _open_alerts(work, patient):
        alert.state, alert.outcome, alert.closed_at, alert.next_step_at = AlertState.CLOSED, "erased", work.now, None
    _stop_asking(work, patient)
    work.stores.invites.withdraw_for(patient.id)
    work.stores.outbox.withdraw(patient.id)
    work.stores.outbox.withdraw_about(patient.id)
    person = work.stores.people.find(patient.id)
    if person is not None:  # else invited, and has never come
        _leave(work, person, heard=patient.state != PatientState.DECEASED)
    work.stores.patients.empty(patient, zone=work.clinic.zone, country=work.clinic.country)
    patient.state, patient.state_until = PatientState.ERASED, work.now + FORGET_CHAT
    work.stores.keys.erase(str(patient.id))
    work.stores.audit.record("patient.erased", actor=work.caller.id, subject=patient.id)


def _leave(work: Work, person: Person, *, heard: bool) -> None:
    """Empties what came from the chat and gives it up; its last message, unless the phone is to stay silent."""
    chat, language = work.stores.chats.get(person.chat_id), person.language
    work.stores.inbox.empty(chat.chat_key, work.caller.source)
    work.stores.dialogues.leave(chat)
    work.stores.people.leave(person, work.stores.chats.nowhere())
    if heard:
        letters.to_chat(work, chat, "privacy.erased", Urgency.REPLY, detail=language)


def forget_chat(work: Work, patient: Patient) -> None:
    """The last trace: which Telegram account it was. A chat that somebody uses again stays theirs."""
    patient.state_until = None
    for chat_id in work.stores.outbox.chats_of(patient.id):
        chat = work.stores.chats.get(chat_id)
        if work.stores.people.in_chat(chat) is None:
            work.stores.chats.forget(chat)


def _open_alerts(work: Work, patient: Patient) -> list[Alert]:
    return [alert for alert in work.stores.alerts.of(patient.id) if alert.state != AlertState.CLOSED]


def _stop_asking(work: Work, patient: Patient) -> None:
    for row in work.stores.check_ins.waiting_for(patient.id):
        row.state, row.next_at = CheckInState.CANCELLED, None

"""What becomes of a chat: blocked, left, and open again. Who cannot be reached is news for those who depend on it."""

from bot.clinical import rules
from bot.clinical.schedule import diary_day
from bot.services import alerts, diary, incidents, judging, paging
from bot.services.incidents import IncidentKind
from bot.services.work import Work
from storage.tables.people import Chat, ChatState, Role


def removed(work: Work) -> None:
    """The person blocked the bot, or a group put it out."""
    lost(work, work.chat(), ChatState.BLOCKED, f"update:{work.caller.source}")


def lost(work: Work, chat: Chat, state: ChatState, source: str) -> None:
    """A chat takes nothing any more. The team hears of a patient, the administrators of a member of staff."""
    if not work.stores.chats.set_state(chat, state):
        return
    person = work.stores.people.in_chat(chat)
    work.stores.audit.record("chat.blocked", actor=work.caller.id, subject=person.id if person else chat.id)
    if person is None:
        return
    if person.role == Role.PATIENT:
        patient = work.stores.patients.get(person.id)
        limits = judging.limits_of(work, patient.id)
        finding = rules.judge_blocked(diary.of(work, patient), diary_day(work.now, patient.zone), limits)
        alerts.raise_finding(work, patient, finding, source)
    else:
        incidents.open(work, IncidentKind.STAFF_BLOCKED, str(person.id))
        paging.hasten(work)

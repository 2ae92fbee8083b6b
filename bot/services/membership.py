"""What becomes of a chat: blocked, left, and open again."""

from bot.clinical import rules
from bot.clinical.schedule import diary_day
from bot.services import alerts, diary
from bot.services.work import Work
from storage.tables.people import ChatState, Role


def removed(work: Work) -> None:
    """The person blocked the bot, or a group put it out. A patient who cannot be reached is news for the team."""
    work.stores.chats.set_state(work.chat(), ChatState.BLOCKED)
    person = work.caller.person
    work.stores.audit.record("chat.blocked", actor=work.caller.id, subject=work.caller.id)
    if person is None or person.role != Role.PATIENT:
        return
    patient = work.stores.patients.get(person.id)
    finding = rules.judge_blocked(diary.of(work, patient), diary_day(work.now, patient.zone))
    alerts.raise_finding(work, patient, finding, f"update:{work.caller.source}")

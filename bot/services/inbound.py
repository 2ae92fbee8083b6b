"""A text that is no command: who sent it, and what it is."""

from collections.abc import Callable

from bot.services import (
    about_you,
    alerts,
    care,
    check_ins,
    enrolment,
    infusions,
    letters,
    replies,
    safety_line,
    staff,
    standing,
)
from bot.services.errors import UnknownPatient
from bot.services.work import Work
from storage.tables.people import PatientState, Role


def text(work: Work, said: str, *, with_file: bool = False) -> None:
    """A setting that was asked for, an answer, a diary note, or a patient's code typed by staff."""
    person = work.caller.person
    if person is None:
        replies.who_are_you(work)
    elif person.role == Role.PATIENT:
        state = work.stores.patients.get(person.id).state
        if safety_line.told_where(work, said) or about_you.typed(work, said):
            return
        if safety_line.spoke_of_danger(work, person.id):  # whatever was asked: it is read as what it says
            check_ins.write(work, said)
        elif enrolment.typed(work, said):
            return
        elif state != PatientState.ONBOARDING:
            check_ins.write(work, said, with_file=with_file)
        else:
            enrolment.welcome_back(work)
    elif not _asked_for(work, said):
        try:
            care.open_card(work, care.find(work, said).id)
        except UnknownPatient:
            letters.reply(work, "notice", detail="staff.not_understood")


def edited(work: Work, said: str) -> None:
    """A message that was changed after it was sent: never an answer again, since the question is another by now."""
    person = work.caller.person
    if person is not None and person.role == Role.PATIENT:
        if work.stores.patients.get(person.id).state != PatientState.ONBOARDING:
            check_ins.write_note(work, said, "note.edited")
    elif person is not None:
        letters.reply(work, "notice", detail="staff.edited")


def unreadable(work: Work) -> None:
    """A voice message, a picture, a sticker: somebody may be asking for help in it, and must not wait for an answer."""
    if work.caller.person is None:
        replies.who_are_you(work)
    elif work.caller.person.role == Role.PATIENT:
        letters.reply(work, "notice.help", detail="note.unreadable")
    else:
        letters.reply(work, "notice", detail="staff.not_understood")


def _asked_for(work: Work, said: str) -> bool:
    """True when staff typed what the bot had just asked for. A patient's code always opens that patient's card."""
    asked = work.stores.dialogues.current(work.chat())
    if asked is None:
        return False
    if work.stores.patients.by_code(said) is not None:
        work.stores.dialogues.leave(work.chat())
        return False
    step, draft = asked
    STAFF_STEPS[step.partition(".")[0]](work, step, draft, said)
    return True


STAFF_STEPS: dict[str, Callable[[Work, str, dict[str, str], str], None]] = {
    "infusion": infusions.typed,
    "standing": standing.typed,
    "channel": staff.typed,
    "alert": alerts.typed,
}

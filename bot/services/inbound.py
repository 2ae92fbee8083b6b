"""A text that is no command: who sent it, and what it is."""

from bot.services import care, check_ins, enrolment, letters, replies
from bot.services.errors import UnknownPatient
from bot.services.work import Work
from storage.tables.people import PatientState, Role


def text(work: Work, said: str) -> None:
    """A setting that was asked for, an answer, a diary note, or a patient's code typed by staff."""
    person = work.caller.person
    if person is None:
        replies.who_are_you(work)
    elif person.role == Role.PATIENT:
        state = work.stores.patients.get(person.id).state
        if not enrolment.typed(work, said) and state != PatientState.ONBOARDING:
            check_ins.write(work, said)
        elif state == PatientState.ONBOARDING and work.stores.dialogues.current(work.chat()) is None:
            enrolment.welcome_back(work)
    else:
        try:
            care.open_card(work, care.find(work, said).id)
        except UnknownPatient:
            letters.reply(work, "notice", detail="staff.not_understood")

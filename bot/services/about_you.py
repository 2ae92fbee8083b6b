"""What the clinic needs to know beside the answers: a short sitting after enrolment, skipped and resumed at will."""

from bot.services import check_ins, letters
from bot.services.errors import StaleButton
from bot.services.work import Work
from storage.tables.people import Patient

CONTACT = ("phone", "address", "contact", "contact_ok", "shared")
PLAN = ("warning", "helps", "whom")  # the safety plan, in the patient's own words
STEPS = (*CONTACT, *PLAN)
CHOICES = {"contact_ok": ("yes", "no"), "shared": ("nobody",)}  # answered by a button; `shared` can be typed too
PREFIX = "about."
LONGEST = 1000  # characters of one answer that are kept


def show(work: Work) -> None:
    """What is known so far, each part to be changed, and the way to what is missing."""
    work.stores.dialogues.leave(work.chat())
    letters.reply(work, "about.card", card="about")


def begin(work: Work) -> None:
    """From the first part that is missing; past the last one come the questionnaires."""
    patient = work.stores.patients.get(work.by().id)
    missing = [step for step in STEPS if step not in known(work, patient)]
    _ask(work, missing[0] if missing else None)


def ask(work: Work, step: str) -> None:
    """One part again, from the list."""
    if step not in STEPS:
        raise StaleButton
    _ask(work, step)


def tapped(work: Work, answer: str) -> None:
    """«Skip», «Later», or the answer of a button to the part that is being asked."""
    step = current(work)
    if answer == "later":
        work.stores.dialogues.leave(work.chat())
        letters.reply(work, "about.later", card="about", fresh=False)
    elif step is None:
        raise StaleButton
    elif answer == "skip":
        _ask(work, _after(step))
    elif answer in CHOICES.get(step, ()):
        _keep(work, step, answer)
        _ask(work, _after(step))
    else:
        raise StaleButton


def typed(work: Work, text: str) -> bool:
    """Takes the text as the answer to the part that is being asked; False when none is."""
    step = current(work)
    if step is None or (step in CHOICES and step != "shared"):
        return False
    _keep(work, step, text.strip()[:LONGEST])
    _ask(work, _after(step), fresh=True)
    return True


def current(work: Work) -> str | None:
    asked = work.stores.dialogues.current(work.chat())
    return asked[0].removeprefix(PREFIX) if asked and asked[0].startswith(PREFIX) else None


def known(work: Work, patient: Patient) -> dict[str, str]:
    told = {**work.stores.patients.contact(patient), **work.stores.patients.safety_plan(patient)}
    return {step: told[step] for step in STEPS if step in told}


def _keep(work: Work, step: str, answer: str) -> None:
    patient = work.stores.patients.get(work.by().id)
    if step in PLAN:
        plan = work.stores.patients.safety_plan(patient)
        work.stores.patients.set_safety_plan(patient, {**plan, step: answer})
    else:
        contact = work.stores.patients.contact(patient)
        work.stores.patients.set_contact(patient, {**contact, step: answer})
    work.stores.audit.record("patient.about", actor=patient.id, subject=patient.id, detail=step)


def _after(step: str) -> str | None:
    place = STEPS.index(step) + 1
    return STEPS[place] if place < len(STEPS) else None


def _ask(work: Work, step: str | None, *, fresh: bool = False) -> None:
    if step is None:
        _end(work)
        return
    work.stores.dialogues.enter(work.chat(), PREFIX + step)
    letters.reply(work, "about.ask", detail=step, card="about", fresh=fresh)


def _end(work: Work) -> None:
    """The questionnaires of enrolment come last; whoever leaves them is asked with the daily question."""
    work.stores.dialogues.leave(work.chat())
    check_in = check_ins.baseline(work)
    if check_in is None:
        letters.reply(work, "about.card", card="about", fresh=True)
    else:
        letters.reply(work, "about.questionnaires", subject=check_in.id, card=check_ins.card_of(check_in.id))

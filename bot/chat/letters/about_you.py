"""The sitting about the person: one question a message, and what is known on one card."""

from bot.chat.callbacks import Tap
from bot.chat.letters.content import Content, Reader
from bot.chat.letters.enrolment import help_row
from bot.services import about_you
from bot.services.about_you import CHOICES, PLAN, STEPS
from bot.services.reading import LetterView
from bot.services.work import Work

IN_DANGER = ("where", "company")  # told by the buttons of the crisis letter


def ask(_work: Work, letter: LetterView, reader: Reader) -> Content:
    step = letter.detail
    place = reader.say("check_in.place", number=STEPS.index(step) + 1, of=len(STEPS))
    choices = [reader.button(f"button.about.{choice}", Tap("about", detail=choice)) for choice in CHOICES.get(step, ())]
    skip = reader.button("button.skip", Tap("about", detail="skip"))
    later = reader.button("button.later", Tap("about", detail="later"))
    rows = [choices, [skip, later]] if choices else [[skip, later]]
    return Content(f"{place}\n\n{reader.say(f'about.ask.{step}')}", [*rows, help_row(reader)])


def later(_work: Work, _letter: LetterView, reader: Reader) -> Content:
    again = [reader.button("button.about_you", Tap("about_you", detail="begin"))]
    return Content(reader.say("about.later"), [again, help_row(reader)])


def card(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.person_id is None:
        return None
    known = about_you.known(work, work.stores.patients.get(letter.person_id))
    lines = [reader.say("about.card")]
    lines += [f"{reader.say(f'about.{step}')}: {said(step, known[step], reader)}" for step in STEPS if step in known]
    steps = [reader.button(f"about.{step}", Tap("about_ask", detail=step)) for step in STEPS]
    rows = [steps[place : place + 2] for place in range(0, len(steps), 2)]
    missing = [] if len(known) == len(STEPS) else [[reader.button("button.go_on", Tap("about_you", detail="begin"))]]
    return Content("\n".join(lines), [*missing, *rows, help_row(reader)])


def questionnaires(_work: Work, letter: LetterView, reader: Reader) -> Content:
    start = reader.button("button.start", Tap("begin", letter.subject_id))
    return Content(reader.say("about.questionnaires"), [[start], help_row(reader)])


def said(step: str, answer: str, reader: Reader) -> str:
    return reader.say(f"button.about.{answer}") if answer in CHOICES.get(step, ()) else answer


def contact_lines(contact: dict[str, str], reader: Reader) -> list[str]:
    """Phone, address and contact as staff read them."""
    told = [step for step in (*STEPS, *IN_DANGER) if step in contact]
    return [f"{reader.say(f'about.{step}')}: {said(step, contact[step], reader)}" for step in told]


def plan_lines(plan: dict[str, str], reader: Reader) -> str:
    return "\n".join(f"{reader.say(f'about.{step}')}: {plan[step]}" for step in PLAN if step in plan)


KINDS = {"about.ask": ask, "about.later": later, "about.card": card, "about.questionnaires": questionnaires}

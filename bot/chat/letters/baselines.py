"""The reviewed baseline: its card for the physician, and the short line for the patient."""

from babel.dates import format_date

from bot.chat.callbacks import Tap
from bot.chat.letters.content import Content, Reader
from bot.chat.letters.enrolment import help_row
from bot.chat.letters.infusions import back_to_card
from bot.clinical import baseline
from bot.clinical.baseline import Compared, Ineligible
from bot.clinical.schedule import diary_day
from bot.services import baselines, safety_line
from bot.services.reading import LetterView
from bot.services.work import Work

NEXT = {"look": ("button.plan_discussed", "plan"), "plan": ("button.means_discussed", "means")}


def card(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    """What holds now, what could be signed today, and the two talks that come before the signature."""
    patient = letter.subject_id
    if patient is None:
        return None
    known, proposed = baselines.current(work, patient), baselines.propose(work, patient)
    lines = [reader.say("baseline.title")]
    buttons = []
    if known is not None and known.holds(diary_day(work.now, work.stores.patients.get(patient).zone)):
        until = format_date(known.signed_on + baseline.VALID, "d MMM", locale=reader.language)
        lines.append(reader.say("baseline.holds", ceiling=known.ceiling, day=until))
        buttons.append([reader.button("button.end_baseline", Tap("base_end", patient))])
    if isinstance(proposed, Ineligible):
        lines.append(reader.say(f"baseline.{proposed.value}"))
    else:
        mean = f"{proposed.mean:.1f}"
        lines.append(
            reader.say("baseline.proposed", ceiling=proposed.ceiling, mean=mean, days=proposed.answered,
                       item9=proposed.item9)
        )  # fmt: skip
        lines.append(reader.say(f"baseline.step.{letter.detail}"))
        key, step = NEXT.get(letter.detail, ("button.sign_baseline", ""))
        tap = Tap("baseline", patient, step) if step else Tap("base_sign", patient)
        buttons.append([reader.button(key, tap)])
    return Content("\n\n".join(lines), [*buttons, back_to_card(patient, reader)])


def usual(work: Work, letter: LetterView, reader: Reader) -> Content:
    """Short, every day the same; the full numbers stay one tap away."""
    numbers = safety_line.numbers(work, letter.patient_id)
    line = next((f"{one.name} {one.number}" for one in numbers.country.lines), numbers.country.emergency)
    buttons = [reader.button(f"button.compared.{answer}", Tap("compared", detail=answer)) for answer in Compared]
    text = reader.say("usual.line", phone=numbers.clinic_phone, line=line)
    return Content(text, [buttons[:2], buttons[2:], help_row(reader)])


KINDS = {"baseline.card": card, "crisis.usual": usual}

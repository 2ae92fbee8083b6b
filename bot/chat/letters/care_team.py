"""Patient cards, the roster, the report and the digest."""

from babel.dates import format_date

from bot.chat.callbacks import Tap
from bot.chat.letters.about_you import contact_lines
from bot.chat.letters.content import Button, Content, Reader, labelled
from bot.chat.letters.infusions import moment_words
from bot.chat.menus import STAFF_COMMANDS, menu
from bot.clinical.schedule import diary_day
from bot.exports import charts, report
from bot.services import care
from bot.services.care import PatientCard
from bot.services.reading import LetterView
from bot.services.states import Role
from bot.services.work import Work


def welcome(_work: Work, letter: LetterView, reader: Reader) -> Content:
    text = reader.say("staff.welcome", role=reader.say(f"role.{letter.detail}"))
    offered = menu(STAFF_COMMANDS, reader.texts, reader.language)
    if letter.detail != Role.ADMIN:
        return Content(text, menu=offered)
    nurse = reader.button("button.invite_nurse", Tap("invite", detail=Role.NURSE))
    physician = reader.button("button.invite_physician", Tap("invite", detail=Role.PHYSICIAN))
    return Content(text, [[nurse, physician]], menu=offered)


def patients(work: Work, _letter: LetterView, reader: Reader) -> Content:
    """A button for each, under the roster's picture and the same in words; what is drawn is drawn off this thread."""
    rows = [
        [labelled(f"{code} · {reader.say(f'state.{state.value}')}", Tap("patient", patient_id))]
        for patient_id, code, state in care.roster(work)
    ][:90]
    if not rows:
        return Content(reader.say("patient.none"))
    shown, left = care.lately(work, charts.ROSTER_DAYS, charts.ROSTER_ROWS)
    today = diary_day(work.now, work.clinic.zone)
    if not shown:
        return Content(reader.say("patient.list"), rows)

    def make() -> bytes:
        return charts.roster(shown, texts=reader.texts, language=reader.language, today=today, left=left)

    caption = charts.roster_caption(shown, texts=reader.texts, language=reader.language, today=today, left=left)
    return Content(f"{reader.say('patient.list')}\n{caption}", rows, photo=make, spoiler=True, kept=False)


def patient(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    shown = care.card(work, letter.subject_id)
    lines = [f"{shown.code} · {reader.say(f'state.{shown.state.value}')}"]
    if shown.high_risk_until is not None:
        day = format_date(shown.high_risk_until, "d MMM", locale=reader.language)
        lines.append(reader.say("patient.high_risk", day=day))
    lines += [reader.say(f"flag.{flag}") for flag in dict.fromkeys(shown.flags)]
    if shown.days_since_infusion is None:
        lines.append(reader.say("patient.no_infusion"))
    else:
        lines.append(reader.count("patient.infusions", shown.infusions, days=shown.days_since_infusion))
    if shown.next_infusion is not None:
        lines.append(
            reader.say("patient.next_infusion", day=moment_words(shown.next_infusion, work.clinic.zone, reader))
        )
    if shown.moods:
        lines.append(reader.say("patient.moods", moods=" ".join(str(mood) for _, mood in shown.moods)))
    lines.append(reader.say("patient.answered", answered=shown.answered, asked=shown.asked))
    lines += [f"{code}: {reader.say(f'level.{level.value}')}" for code, level in shown.open_alerts]
    for blind in shown.blind[:2]:
        names = ", ".join(reader.say(f"limits.rule.{rule.value}") for rule in blind.rules)
        lines.append(reader.say("patient.blind", rules=names, why=reader.say(f"blind.{blind.reason}", **blind.values)))
    lines += contact_lines(shown.contact, reader)
    if letter.detail:  # something that may be typed now
        lines.append(f"\n{reader.say(letter.detail)}")
    return Content("\n".join(lines), _patient_buttons(shown, reader))


def _patient_buttons(shown: PatientCard, reader: Reader) -> list[list[Button]]:
    return [
        [
            reader.button("button.infuse", Tap("infuse", shown.id)),
            reader.button("button.plan_infusion", Tap("plan", shown.id)),
        ],
        [
            reader.button("button.infusions", Tap("infusions", shown.id)),
            reader.button("button.report", Tap("report", shown.id)),
        ],
        [reader.button("button.chart", Tap("chart", shown.id)), reader.button("button.more", Tap("more", shown.id))],
    ]


def report_letter(work: Work, letter: LetterView, reader: Reader) -> Content | None:
    if letter.subject_id is None:
        return None
    record = care.diary_of(work, letter.subject_id)
    library, clinic, now = work.knowledge.library, work.clinic.name, work.now

    def make() -> bytes:
        return report.render(
            record, library=library, texts=reader.texts, language=reader.language, made_at=now, clinic=clinic
        )

    return Content(reader.say("patient.report", code=record.patient), document=make, filename=f"{record.patient}.pdf")


def digest(work: Work, _letter: LetterView, reader: Reader) -> Content:
    shown = care.digest(work)
    lines = [reader.say("digest.title")]
    lines.append(reader.say("digest.answered", codes=", ".join(shown.answered) or "–"))
    lines.append(reader.say("digest.silent", codes=", ".join(shown.silent) or "–"))
    if shown.low:
        lines.append(reader.say("digest.low", limit=care.LOW_MOOD, codes=", ".join(shown.low)))
    for code, day in shown.overdue:
        lines.append(reader.say("digest.overdue", code=code, day=format_date(day, "d MMM", locale=reader.language)))
    lines += [
        f"{patient} · {code} · {reader.say(f'level.{level.value}')}" for code, patient, level in shown.open_alerts
    ]
    return Content("\n".join(lines), silent=True)


KINDS = {
    "staff.welcome": welcome,
    "patient.list": patients,
    "patient.card": patient,
    "patient.report": report_letter,
    "digest": digest,
}

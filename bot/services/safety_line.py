"""What happens when a patient asks for help, or when a text or tap reports danger, before anything else."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.clinical import baseline, rules, safety
from bot.clinical.baseline import Compared
from bot.clinical.crisis import Country
from bot.clinical.schedule import diary_day
from bot.clinical.screening import screen
from bot.clinical.terms import Finding, Level, Rule
from bot.services import alert_cards, alerts, check_ins, judging, letters, receipts
from bot.services.check_ins import Answer
from bot.services.errors import NotANumber
from bot.services.receipts import Cover
from bot.services.work import Work
from storage.tables.people import Patient, PatientState

WHERE = "crisis.where"  # the step of a chat that was asked where the patient is


@dataclass(frozen=True, slots=True)
class Report:
    """What one update says that may be danger: one of these. None of it is trusted."""

    answer: Answer | None = None
    text: str = ""
    number: str = ""  # typed; what it means depends on what is asked when its turn comes
    pressed: str = ""  # on the crisis letter
    compared: str = ""  # with what is usual
    help_pressed: bool = False


@dataclass(frozen=True, slots=True)
class Numbers:
    """Who can be reached now, for one patient."""

    clinic_phone: str
    country: Country
    plan: dict[str, str]  # the patient's own words, by the parts of about_you.PLAN
    sent_at: datetime | None  # when the first page arrived; None while none has
    cover: Cover
    zone: str
    level: Level | None
    help_pressed: bool  # the button raised it, and may have been pressed by mistake


def press_help(work: Work) -> None:
    """«I need help»: numbers at once, and the press itself alerts the team. Anybody may press, also before consent."""
    patient = _patient(work)
    if patient is not None:
        finding = safety.judge_help(diary_day(work.now, patient.zone))
        judging.report_danger(work, patient, finding, f"update:{work.caller.source}")
        if judging.was_answered(work, patient, f"update:{work.caller.source}"):
            return  # the crisis letter holds the numbers: the same ones twice are too many words now
    letters.reply(work, "help.numbers", subject=patient.id if patient else None, patient=patient, detail="mistake")


def press_mistake(work: Work) -> None:
    """«Pressed by mistake»: stands in the diary and on the alert, and cancels nothing."""
    patient = _patient(work)
    if patient is not None:
        day = diary_day(work.now, patient.zone)
        work.stores.notes.add(patient_id=patient.id, day=day, text="[pressed by mistake]", source=work.caller.source)
        alerts.add_remark(work, patient, safety.remark_mistake(day), f"update:{work.caller.source}")
    letters.reply(work, "notice", detail="help.mistake_noted")


def press(work: Work, answer: str) -> None:
    """A button of the crisis letter. "unsafe", "alone" and "call" are RED; "company" is shown on the alert."""
    patient = _patient(work)
    if patient is None:
        return
    finding = safety.judge_pressed(answer, diary_day(work.now, patient.zone))
    if finding is not None:
        judging.report_danger(work, patient, finding, f"update:{work.caller.source}")
    if answer == "company":
        _add_to_alert(work, patient, "company", "✓")
    if answer == "alone":
        _add_to_alert(work, patient, "company", "")
    _passed_on(work, patient)


def compare(work: Work, answer: str) -> None:
    """The four buttons below what is usual: worse or different is followed up, not safe is RED."""
    patient = _patient(work)
    if patient is None or answer not in set(Compared):
        return
    finding = baseline.judge_compared(Compared(answer), diary_day(work.now, patient.zone))
    if finding is not None:
        judging.report_danger(work, patient, finding, f"update:{work.caller.source}")
    if finding is not None and finding.level == Level.YELLOW:
        check_ins.follow_up_now(work, patient, finding.level)
    else:
        letters.reply(work, "notice", detail="crisis.noted" if finding else "usual.noted")


def ask_where(work: Work) -> None:
    """«Where are you?»: typed, or a shared location, which then also chooses the crisis lines."""
    work.stores.dialogues.enter(work.chat(), WHERE)
    letters.reply(work, "notice", detail="crisis.where")


def told_where(work: Work, where: str) -> bool:
    """True when the question was open: what was told stands on the open alert."""
    asked = work.stores.dialogues.current(work.chat())
    patient = _patient(work)
    if asked is None or asked[0] != WHERE or patient is None:
        return False
    work.stores.dialogues.leave(work.chat())
    _add_to_alert(work, patient, "where", where)
    _passed_on(work, patient)
    return True


def _add_to_alert(work: Work, patient: Patient, part: str, said: str) -> None:
    """Beside phone and address, with its time; the alert's messages are edited wherever they are shown."""
    at = work.now.astimezone(ZoneInfo(patient.zone))
    contact = {key: known for key, known in work.stores.patients.contact(patient).items() if key != part}
    told = {part: f"{said} ({at:%d.%m. %H:%M})"} if said else {}
    work.stores.patients.set_contact(patient, {**contact, **told})
    alert = work.stores.alerts.open_for(patient.id, Rule.SUICIDAL_THOUGHTS)
    if alert is not None:
        alert_cards.show_everywhere(work, alert)


def _passed_on(work: Work, patient: Patient) -> None:
    """Told only while an alert is open: otherwise nobody is called because of it."""
    is_open = work.stores.alerts.open_for(patient.id, Rule.SUICIDAL_THOUGHTS) is not None
    if is_open:
        letters.reply(work, "notice", detail="crisis.noted")
    else:
        letters.reply(work, "notice.help", detail="crisis.noted_closed")


def spoke_of_danger(work: Work, patient_id: UUID) -> bool:
    """Whether triage has found danger in the text that is handled now."""
    source = f"update:{work.caller.source}"
    return bool(work.stores.findings.levels_from(patient_id, Rule.SUICIDAL_THOUGHTS, source))


def triage(work: Work, report: Report) -> Level | None:
    """Judges a raw update before its turn: its alert and crisis letter commit on their own.

    The handler that comes later finds the same source and merges. A check-in that is over does not matter here: a
    patient who reports danger on an old button reports danger.
    """
    patient = _patient(work)
    if patient is None:
        return None
    day = diary_day(work.now, patient.zone)
    finding = judging.judge_safely(lambda: _judge(work, patient, report, day), day)
    if finding is None:
        return None
    if finding.rule == Rule.SIDE_EFFECTS:
        judging.report_side_effect(work, patient, finding)
    else:
        judging.report_danger(work, patient, finding, f"update:{work.caller.source}")
    return finding.level


def _judge(work: Work, patient: Patient, report: Report, day: date) -> Finding | None:
    if report.help_pressed:
        return safety.judge_help(day)
    if report.pressed:
        return safety.judge_pressed(report.pressed, day)
    if report.compared in set(Compared):
        return baseline.judge_compared(Compared(report.compared), day)
    if report.text:
        match = screen(report.text, work.knowledge.patterns)
        return safety.judge_text(match, day) if match is not None else None
    answer = report.answer or _typed(work, patient, report.number)
    return _judge_answer(work, patient, answer, day) if answer is not None else None


def _typed(work: Work, patient: Patient, number: str) -> Answer | None:
    """What a number answers, unless the chat was asked for something else, as an hour."""
    if not number or work.stores.dialogues.current(work.chat()) is not None:
        return None
    try:
        return check_ins.typed_answer(work, patient, number)
    except NotANumber:
        return None


def _judge_answer(work: Work, patient: Patient, answer: Answer, day: date) -> Finding | None:
    check_in, instrument, item, value = answer
    if instrument in rules.SIDE_EFFECTS:
        return rules.judge_side_effect(instrument, item, value, day, judging.limits_of(work, patient.id))
    if not safety.is_judged(instrument, item, value):
        return None
    known = judging.answers_of(work, patient, check_in)
    return judging.find_danger(work, patient, check_in, known, instrument, item, value, day)


def triage_failed(work: Work) -> None:
    """Reading the update failed: a human reviews it at once, and nothing waits for a second try."""
    patient = _patient(work)
    if patient is not None:
        finding = safety.judge_failed(diary_day(work.now, patient.zone))
        alerts.raise_finding(work, patient, finding, f"update:{work.caller.source}")


def numbers(work: Work, patient_id: UUID | None, alert_id: UUID | None = None) -> Numbers:
    patient = work.stores.patients.get(patient_id) if patient_id else None
    alert = work.stores.alerts.find(alert_id) if alert_id else None
    seen = work.stores.findings.of_alert(alert.id) if alert else []
    return Numbers(
        clinic_phone=work.clinic.phone,
        country=work.knowledge.crisis_lines.for_country(patient.country if patient else work.clinic.country),
        plan=work.stores.patients.safety_plan(patient) if patient else {},
        sent_at=alert.reached_at if alert else None,
        cover=receipts.cover(work),
        zone=patient.zone if patient else work.clinic.zone,
        level=Level(alert.level) if alert else None,
        help_pressed=bool(seen) and work.stores.findings.reason(seen[-1])[0] == "r0.help",
    )


def _patient(work: Work) -> Patient | None:
    patient = work.caller.patient
    return None if patient is None or patient.state == PatientState.DECEASED else patient


def could_not_read(work: Work) -> None:
    """The update of a patient died after three tries: the care team is told; nobody waits for an answer in vain."""
    triage_failed(work)
    letters.reply(work, "notice", detail="error.unknown")

"""From answers to findings: what the clinical rules are asked, when, and what follows from their verdict."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID

from bot.clinical import baseline, rules, safety
from bot.clinical.schedule import diary_day
from bot.clinical.terms import Finding, Level, Outcome, Rule
from bot.services import alerts, baselines, diary, letters, receipts
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.errors import QueryFailed
from storage.tables.diary import CheckIn, CheckInState
from storage.tables.people import Patient, PatientState

SILENCE_AFTER = timedelta(hours=4)  # R5 is judged so long after the prompt
FIRST_LOOK = safety.UNANSWERED_RED  # how soon an open safety question is looked at
QUIET_STATES = (
    PatientState.PAUSED,
    PatientState.ADMITTED,
    PatientState.STOPPED,
    PatientState.DECEASED,
    PatientState.LEAVING,
    PatientState.ERASED,
)


def known_answers(work: Work, check_in: CheckIn) -> dict[str, int | None]:
    """The newest answers of a check-in by "instrument.item"; skipped ones are None."""
    newest = {}
    for response in work.stores.responses.to(check_in.id):
        newest[f"{response.instrument}.{response.item}"] = response
    return {key: work.stores.responses.value(response) for key, response in newest.items()}


def answers_of(work: Work, patient: Patient, check_in_id: UUID) -> dict[str, int | None]:
    """The same by id; nothing for a check-in that is not this patient's."""
    check_in = work.stores.check_ins.find(check_in_id)
    return known_answers(work, check_in) if check_in is not None and check_in.patient_id == patient.id else {}


def history(work: Work, patient: Patient, check_in_id: UUID | None = None) -> safety.History:
    """What the safety rules need to know of the time before this check-in, whether it is stored already or not."""

    def before(item: str, instrument: str = "daily") -> list[tuple[date, int | None]]:
        return [
            (diary_day(row.answered_at, patient.zone), work.stores.responses.value(row))
            for row in work.stores.responses.of_item(patient.id, instrument, item)
            if row.check_in_id != check_in_id
        ]

    intents = [day for day, value in before("intent") if value]
    found = [
        row.day
        for row in work.stores.findings.of(patient.id, Rule.SUICIDAL_THOUGHTS)
        if Level(row.level).at_least(Level.YELLOW)
    ]
    urges, asq = before("urge"), before("asq1", "asq")
    return safety.History(
        last_intent_on=intents[-1] if intents else None,
        last_r0_on=found[-1] if found else None,
        last_urge=urges[-1][1] if urges else None,
        last_asq_on=asq[-1][0] if asq else None,
        skipped_last_time=bool(urges) and urges[-1][1] is None,
    )


def judge_answer(
    work: Work, patient: Patient, check_in: CheckIn, instrument: str, item: str, value: int | None
) -> Level | None:
    """Raises what this one answer says, at once; returns the level of a safety finding."""
    day = check_in.day

    def judge() -> Finding | None:
        return find_danger(work, patient, check_in.id, known_answers(work, check_in), instrument, item, value, day)

    finding = judge_safely(judge, day) if safety.is_judged(instrument, item, value) else None
    if finding is not None:
        report_danger(work, patient, finding, f"update:{work.caller.source}")
    if instrument in rules.SIDE_EFFECTS:
        _judge_side_effect(work, patient, instrument, item, value, day)
    return finding.level if finding else None


def _judge_side_effect(
    work: Work, patient: Patient, instrument: str, item: str, value: int | None, day: date
) -> None:  # fmt: skip
    side_effect = rules.judge_side_effect(instrument, item, value, day, limits_of(work, patient.id))
    if side_effect is not None:
        report_side_effect(work, patient, side_effect)


def find_danger(
    work: Work, patient: Patient, check_in_id: UUID, known: dict[str, int | None], instrument: str, item: str,
    value: int | None, day: date,
) -> Finding | None:  # fmt: skip
    """What the safety rules say of one answer; `known` are the answers of its check-in. Loads only what they read."""
    before = history(work, patient, check_in_id) if safety.reads_history(instrument, item) else safety.History()
    return baseline.judge_answer(instrument, item, value, known, before, day, baselines.current(work, patient.id))


def asks_urge_again(work: Work, patient: Patient, check_in: CheckIn) -> bool:
    """The urge was skipped: True when it is to be asked once more, else what the skipping says is raised."""
    known = history(work, patient, check_in.id)
    times = sum(
        row.instrument == "daily" and row.item == "urge" and work.stores.responses.value(row) is None
        for row in work.stores.responses.to(check_in.id)
    )
    if times == 1 and safety.ask_again(known, check_in.day):
        return True
    judge_skipped(work, patient, check_in, times)
    return False


def judge_skipped(work: Work, patient: Patient, check_in: CheckIn, times: int) -> None:
    finding = safety.judge_skipped(times, history(work, patient, check_in.id), check_in.day)
    if finding is not None:
        report_danger(work, patient, finding, f"skipped:{check_in.id}")


def goes_on(
    work: Work, patient: Patient, check_in: CheckIn, instrument: str, item: str, value: int | None
) -> Level | None:
    """The level at which the safety questions go on after an answer that is no finding; not for what is usual."""
    if not safety.can_go_on(instrument, item):
        return None
    known, signed = known_answers(work, check_in), baselines.current(work, patient.id)
    usual = signed is not None and signed.holds(check_in.day) and (known.get("daily.urge") or 0) <= signed.ceiling
    if usual and value == 0:
        return None
    return safety.goes_on(instrument, item, value, known)


def judge_safely(judge: Callable[[], Finding | None], day: date) -> Finding | None:
    """An error while judging danger is itself a finding that a human reviews; it never hides an answer."""
    try:
        return judge()
    except QueryFailed:  # the database's fault says nothing about the answer: it is judged again
        raise
    except Exception:
        return safety.judge_failed(day)


def report_danger(work: Work, patient: Patient, finding: Finding, source: str) -> None:
    """Alert and crisis letter in one commit; the same source a second time changes nothing."""
    before = work.stores.alerts.open_for(patient.id, Rule.SUICIDAL_THOUGHTS)
    known = Level(before.level).rank if before else -1
    first_time = not work.stores.findings.levels_from(patient.id, finding.rule, source)
    if finding.reason == baseline.USUAL and first_time:
        letters.to_patient(work, patient, "crisis.usual", Urgency.CRISIS)
    alert = alerts.raise_finding(work, patient, finding, source)
    baselines.note_finding(work, patient, finding)
    # The same level again within one alert was already answered with the numbers; a rise is answered anew.
    if alert is not None and finding.level.rank > known:
        letters.to_patient(
            work, patient, "crisis", Urgency.CRISIS, subject=alert.id, detail=finding.level,
            card=receipts.crisis_card(alert.id),
        )  # fmt: skip


def was_answered(work: Work, patient: Patient, source: str) -> bool:
    """Whether what this source reported was answered with a crisis letter of its own, in the same commit."""
    alert = work.stores.alerts.open_for(patient.id, Rule.SUICIDAL_THOUGHTS)
    person = work.stores.people.find(patient.id)
    if alert is None or person is None:
        return False
    written = work.stores.outbox.last_fresh(person.chat_id, receipts.crisis_card(alert.id))
    found = [row.found_at for row in work.stores.findings.of_alert(alert.id) if row.source == source]
    return written is not None and written.written_at in found


def report_side_effect(work: Work, patient: Patient, finding: Finding) -> None:
    """The same for the body: an emergency is told what to do; the same source a second time changes nothing."""
    source = f"update:{work.caller.source}:{finding.values['item']}"
    if finding.level == Level.RED and not work.stores.findings.levels_from(patient.id, finding.rule, source):
        letters.to_patient(work, patient, "crisis.body", Urgency.CRISIS)
    alerts.raise_finding(work, patient, finding, source)


def judge_unanswered(work: Work, patient: Patient, check_in: CheckIn, *, intent_open: bool) -> datetime | None:
    """A safety question is open: judges the wait since the last answer; returns when to look again, None for never."""
    answered = work.stores.responses.to(check_in.id)
    waited = work.now - answered[-1].answered_at if answered else timedelta(0)
    urge = known_answers(work, check_in).get("daily.urge") or 0
    day = diary_day(work.now, patient.zone)
    alert = work.stores.alerts.open_for(patient.id, Rule.SUICIDAL_THOUGHTS)
    signed = baselines.current(work, patient.id)
    finding = baseline.judge_unanswered(urge, waited, day, signed) if intent_open else None
    if finding is None and alert is not None:
        finding = safety.judge_left_open(Level(alert.level), waited, day)
    if finding is not None:
        report_danger(work, patient, finding, f"unanswered:{check_in.id}")
        if finding.level == Level.YELLOW:
            letters.to_patient(work, patient, "check_in.nudge", Urgency.REPLY, subject=check_in.id)
    if waited >= safety.UNANSWERED_ORANGE or (finding is not None and finding.level == Level.RED):
        return None
    return work.now + safety.UNANSWERED_ORANGE - waited


def judge_silence(work: Work, patient: Patient, check_in: CheckIn) -> None:
    """R5: this check-in has had no answer for hours. What never reached the patient is not silence."""
    if check_in.delivered_at is None or patient.state in QUIET_STATES:
        return
    record = diary.of(work, patient)
    ref = diary.ref_of(check_in)
    missed = replace(
        record,
        check_ins=tuple(replace(row, outcome=Outcome.MISSED) if row.ref == ref else row for row in record.check_ins),
    )
    limits = limits_of(work, patient.id)
    # Asked twice about each check-in, after some hours and when it expires; the patient hears it once.
    if check_in.state == CheckInState.PROMPTED and rules.wants_gentle_message(missed, limits):
        letters.to_patient(work, patient, "silence.gentle", Urgency.PROMPT, subject=patient.id)
    finding = rules.judge_silence(missed, diary_day(work.now, patient.zone), limits)
    if finding is not None and rules.is_new(finding, record.alerts, record, limits):
        alerts.raise_finding(work, patient, finding, f"check_in:{check_in.id}")


def judge_diary(work: Work, patient: Patient) -> None:
    """Judges the whole diary when a check-in is over."""
    record = diary.of(work, patient)
    today = diary_day(work.now, patient.zone)
    for finding, source in baselines.judge(work, patient, record, today):
        report_danger(work, patient, finding, source)
    limits = limits_of(work, patient.id)
    for finding in rules.judge(record, today, limits):
        if rules.is_new(finding, record.alerts, record, limits):
            # One source a day and reason: judging again after a correction repeats no finding that stayed the same.
            alerts.raise_finding(work, patient, finding, f"{finding.day.isoformat()}:{finding.reason}")


def limits_of(work: Work, patient_id: UUID) -> rules.Limits:
    """The clinic's limits with this patient's own on top."""
    return rules.Limits().with_overrides({**work.clinic.limits, **work.stores.people.limits(patient_id)})

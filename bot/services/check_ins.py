"""Check-ins: asked when due, answered item by item in one message, judged at each answer, folded when finished."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from bot.clinical import safety
from bot.clinical.instrument import Instrument, Item, ItemStyle
from bot.clinical.protocol import Part
from bot.clinical.schedule import day_ends, diary_day
from bot.clinical.terms import Level, Mode
from bot.services import judging, letters
from bot.services.errors import NotAnOption, NotANumber, StaleButton
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.tables.diary import WAITING, CheckIn, CheckInState
from storage.tables.people import Patient

Answer = tuple[UUID, str, str, int | None]  # check-in, instrument, item, value; none of it trusted

SEPARATOR = ";"
SAFETY = ("safety", "asq")  # instruments whose open questions must not wait for long
SNOOZE = timedelta(hours=1)
FOLLOW_UP = "safety"  # slot of safety questions outside any other check-in
BASELINE = "baseline"  # slot of the questionnaires of enrolment


@dataclass(frozen=True, slots=True)
class Question:
    """One item, ready to be shown."""

    check_in: UUID
    instrument: Instrument
    item: Item
    number: int  # counts from 1 among the items known so far
    of: int
    can_go_back: bool
    given: bool = False  # it has an answer already, and is asked again


@dataclass(frozen=True, slots=True)
class Summary:
    """A check-in that is over, or not begun: what its message shows."""

    check_in: UUID
    patient: UUID
    state: CheckInState
    slot: str
    answered: int
    can_change: bool
    crisis: bool  # stopped because a human must look first


def load(work: Work, check_in_ids: Iterable[UUID | None]) -> None:
    """Reads several with their answers in two statements, before they are shown one by one."""
    wanted = {check_in_id for check_in_id in check_in_ids if check_in_id is not None}
    if wanted:
        work.stores.check_ins.load(wanted)
        work.stores.responses.load_to(wanted)


def parts_of(check_in: CheckIn) -> list[Part]:
    return [Part.decode(code) for code in check_in.parts.split(SEPARATOR) if code]


def encode_parts(parts: list[Part] | tuple[Part, ...]) -> str:
    return SEPARATOR.join(part.encode() for part in parts)


def card_of(check_in_id: UUID) -> str:
    return f"check_in:{check_in_id}"


def do_due(work: Work, *, may_expire: bool = True) -> int:
    """Prompts, reminds and expires what is due, few at a time; returns how many check-ins moved.

    Without `may_expire` nothing is counted as missing: its answer may still wait at Telegram, or the clock is wrong.
    """
    due = work.stores.check_ins.due(work.now, may_expire=may_expire)
    for check_in in due:
        if work.now >= check_in.expires_at:
            _expire(work, check_in)
        elif check_in.state == CheckInState.PLANNED:
            _prompt(work, check_in)
        elif check_in.state == CheckInState.STARTED:
            _look_again(work, check_in)
        elif check_in.reminded_at is None:
            _remind(work, check_in)
        else:
            check_in.next_at = check_in.expires_at
            judging.judge_silence(work, work.stores.patients.get(check_in.patient_id), check_in)
    return len(due)


def _prompt(work: Work, check_in: CheckIn) -> None:
    patient = work.stores.patients.get(check_in.patient_id)
    if patient.state in judging.QUIET_STATES:
        check_in.state, check_in.next_at = CheckInState.CANCELLED, None
        return
    check_in.state, check_in.prompted_at = CheckInState.PROMPTED, work.now
    if check_in.remind_at is not None:  # a late prompt leaves as much time before its reminder as one in time
        check_in.remind_at = min(work.now + (check_in.remind_at - check_in.due_at), check_in.expires_at)
    check_in.next_at = check_in.remind_at or check_in.expires_at
    letters.to_patient(
        work, patient, "check_in.prompt", Urgency.PROMPT, subject=check_in.id, card=card_of(check_in.id),
        expires_at=check_in.expires_at,
    )  # fmt: skip


def _remind(work: Work, check_in: CheckIn) -> None:
    """One reminder, never after an answer, and none to somebody who takes a break."""
    check_in.reminded_at = work.now
    asked_at = check_in.prompted_at or work.now
    check_in.next_at = min(max(work.now, asked_at + judging.SILENCE_AFTER), check_in.expires_at)
    patient = work.stores.patients.get(check_in.patient_id)
    if patient.state in judging.QUIET_STATES:
        return
    letters.to_patient(
        work, patient, "check_in.reminder", Urgency.PROMPT, subject=check_in.id, card=card_of(check_in.id),
        expires_at=check_in.expires_at,
    )  # fmt: skip


def _look_again(work: Work, check_in: CheckIn) -> None:
    """A safety question that stays open is an answer too; any other waits until the check-in expires."""
    check_in.next_at = check_in.expires_at
    question = next_question(work, check_in)
    if question is not None and (question.instrument.code in SAFETY or question.item.code == "intent"):
        patient = work.stores.patients.get(check_in.patient_id)
        again = judging.judge_unanswered(work, patient, check_in, intent_open=question.item.code == "intent")
        check_in.next_at = min(again, check_in.expires_at) if again else check_in.expires_at


def _expire(work: Work, check_in: CheckIn) -> None:
    started = check_in.state == CheckInState.STARTED
    check_in.state = CheckInState.EXPIRED
    check_in.next_at = None
    patient = work.stores.patients.get(check_in.patient_id)
    if check_in.prompted_at is not None:
        letters.to_patient(
            work, patient, "check_in.card", Urgency.DIGEST, subject=check_in.id, card=card_of(check_in.id), fresh=False
        )
    if any(part.instrument != "daily" for part in parts_of(check_in)):
        patient.planned_until = None  # a questionnaire that was not answered is planned anew
    if started:
        if judging.known_answers(work, check_in).get("daily.urge", 0) is None:
            judging.judge_skipped(work, patient, check_in, 2)  # asked again, and left
        judging.judge_diary(work, patient)
    else:
        judging.judge_silence(work, patient, check_in)


def show_current(work: Work) -> None:
    """/checkin: the question that waits, as a new message, or one line that there is none."""
    check_in = work.stores.check_ins.open_for(work.by().id)
    if check_in is None:
        letters.reply(work, "notice", detail="check_in.none")
        return
    _show(work, check_in, fresh=True)


def begin(work: Work, check_in_id: UUID) -> None:
    check_in = _own(work, check_in_id)
    folded = check_in.state == CheckInState.FINISHED and work.now < check_in.expires_at
    if check_in.state not in WAITING and not folded:
        raise StaleButton
    check_in.shown_at = check_in.shown_at or work.now
    work.stores.dialogues.leave(work.chat())  # from here on, what is typed answers this question
    _show(work, check_in)


def baseline(work: Work) -> CheckIn | None:
    """The questionnaires of enrolment that have no answer yet, as a check-in of today; None when none is left."""
    patient = work.stores.patients.get(work.by().id)
    answered = work.stores.responses.last_days_of(patient.id)
    codes = [code for code in ("phq9", safety.ASQ_FIRST) if code.partition(":")[0] not in answered]
    day = diary_day(work.now, patient.zone)
    rows = {row.slot: row for row in work.stores.check_ins.of(patient.id, first=day, last=day)}
    if not codes or BASELINE in rows:
        row = rows.get(BASELINE)
        return row if row is not None and row.state in WAITING else None
    ends = day_ends(day, patient.zone)
    row = CheckIn(
        id=uuid4(), patient_id=patient.id, day=day, slot=BASELINE, parts=encode_parts(_parts_named(work, tuple(codes))),
        state=CheckInState.PROMPTED, due_at=work.now, prompted_at=work.now, expires_at=ends, next_at=ends,
        reminded_at=work.now,
    )  # fmt: skip
    work.stores.check_ins.add(row)
    return row


def follow_up_now(work: Work, patient: Patient, level: Level) -> None:
    """The safety questions beside any check-in: as one of their own, at once, once a day."""
    day = diary_day(work.now, patient.zone)
    wanted = safety.follow_up(level, known={}, history=judging.history(work, patient), day=day)
    rows = {row.slot: row for row in work.stores.check_ins.of(patient.id, first=day, last=day)}
    if FOLLOW_UP not in rows and wanted:
        ends = day_ends(day, patient.zone)
        row = CheckIn(
            id=uuid4(), patient_id=patient.id, day=day, slot=FOLLOW_UP, parts=encode_parts(_parts_named(work, wanted)),
            state=CheckInState.STARTED, due_at=work.now, prompted_at=work.now, shown_at=work.now, expires_at=ends,
            next_at=min(work.now + judging.FIRST_LOOK, ends), reminded_at=work.now,
        )  # fmt: skip
        work.stores.check_ins.add(row)
        rows[FOLLOW_UP] = row
    if FOLLOW_UP in rows:
        _show(work, rows[FOLLOW_UP], fresh=True)


def _parts_named(work: Work, codes: tuple[str, ...]) -> list[Part]:
    """ "asq:asq1,asq2" as parts of the newest versions."""
    parts = []
    for code in codes:
        name, _, items = code.partition(":")
        version = work.knowledge.library.instrument(name).version
        parts.append(Part(name, version, tuple(items.split(",")) if items else ()))
    return parts


def somebody_else(work: Work, check_in_id: UUID) -> None:
    """«Somebody else answered»: the answers stay, marked, as new revisions; what was raised from them stays too."""
    check_in = _own(work, check_in_id)
    if check_in.state != CheckInState.FINISHED or work.now >= check_in.expires_at:
        raise StaleButton
    newest = {(row.instrument, row.item): row for row in work.stores.responses.to(check_in.id)}
    for (instrument, item), row in newest.items():
        work.stores.responses.add(
            check_in=check_in, instrument=instrument, version=row.version, item=item,
            value=work.stores.responses.value(row), mode=Mode.PROXY, source=work.caller.source,
        )  # fmt: skip
    work.stores.audit.record("check_in.proxy", actor=work.caller.id, subject=check_in.id)
    letters.reply(work, "notice", detail="check_in.marked_proxy")


def snooze(work: Work, check_in_id: UUID) -> None:
    """Asks again in an hour, inside the same diary day."""
    check_in = _own(work, check_in_id)
    if check_in.state != CheckInState.PROMPTED:
        raise StaleButton
    check_in.reminded_at = None
    check_in.next_at = min(work.now + SNOOZE, check_in.expires_at)
    letters.reply(work, "notice", detail="check_in.snoozed")


def record(work: Work, check_in_id: UUID, instrument: str, item: str, value: int | None, mode: Mode = Mode.TAP) -> None:
    """Stores one answer, judges it, and shows what comes next. Answers to what is over change nothing."""
    check_in = _own(work, check_in_id)
    # One that still waits is not over, whatever the hour: an answer may come late through no fault of the patient's.
    over = check_in.state == CheckInState.FINISHED and work.now >= check_in.expires_at
    late = check_in.state == CheckInState.EXPIRED and _was_in_time(work, check_in)
    if over or not (late or check_in.state in (*WAITING, CheckInState.FINISHED)):
        raise StaleButton
    part = next((part for part in parts_of(check_in) if part.instrument == instrument), None)
    asked = _item(work, part, item)
    if part is None or asked is None or (value is not None and not asked.low <= value <= asked.high):
        raise StaleButton
    stored = work.stores.responses.add(
        check_in=check_in, instrument=instrument, version=part.version, item=item, value=value, mode=mode,
        source=work.caller.source,
    )  # fmt: skip
    if stored is None:
        return
    patient = work.stores.patients.get(check_in.patient_id)
    if late:  # nothing more is asked
        judging.judge_answer(work, patient, check_in, instrument, item, value)
        judging.judge_diary(work, patient)
        return
    if check_in.state != CheckInState.FINISHED:
        check_in.state = CheckInState.STARTED
    check_in.shown_at = check_in.shown_at or work.now
    if (instrument, item, value) == ("daily", "urge", None) and judging.asks_urge_again(work, patient, check_in):
        check_in.next_at = check_in.expires_at
        _show(work, check_in, target="daily.urge")
        return
    level = judging.judge_answer(work, patient, check_in, instrument, item, value)
    ladder = level or judging.goes_on(work, patient, check_in, instrument, item, value)
    if ladder is not None:
        _follow_up(work, check_in, instrument, ladder, patient)
        check_in.next_at = min(work.now + judging.FIRST_LOOK, check_in.expires_at)
    answered = level is not None and judging.was_answered(work, patient, f"update:{work.caller.source}")
    _go_on(work, check_in, patient, stop=level == Level.RED, below=answered and level != Level.RED)


def _was_in_time(work: Work, check_in: CheckIn) -> bool:
    """The update came while the check-in could be answered, and was buried until now: its answer still counts."""
    return bool(work.caller.source) and work.stores.inbox.get(work.caller.source).received_at < check_in.expires_at


def _item(work: Work, part: Part | None, item: str) -> Item | None:
    if part is None or (part.items and item not in part.items):
        return None
    instrument = work.knowledge.library.instrument(part.instrument, part.version)
    return next((known for known in instrument.items if known.code == item), None)


def _follow_up(work: Work, check_in: CheckIn, instrument: str, level: Level, patient: Patient) -> None:
    """Puts the safety questions right after the part that was answered, each once."""
    parts = parts_of(check_in)
    day = diary_day(work.now, patient.zone)
    history = judging.history(work, patient, check_in.id)
    wanted = safety.follow_up(level, known=judging.known_answers(work, check_in), history=history, day=day)
    known = {key.partition(".")[0] for key in judging.known_answers(work, check_in)}
    # A safety questionnaire that stands further down anyway is asked now, not after the others.
    coming = [code.partition(":")[0] for code in wanted]
    parts = [part for part in parts if part.instrument not in coming or part.instrument in known]
    asked = {part.instrument for part in parts}
    place = 1 + max(index for index, part in enumerate(parts) if part.instrument == instrument)
    for code in reversed(wanted):
        name, _, items = code.partition(":")
        if name not in asked:
            version = work.knowledge.library.instrument(name).version
            parts.insert(place, Part(name, version, tuple(items.split(",")) if items else ()))
    check_in.parts = encode_parts(parts)


def _go_on(work: Work, check_in: CheckIn, patient: Patient, *, stop: bool, below: bool) -> None:
    """`below` asks on in a new message: above a crisis letter that has just come, the question would not be seen."""
    if check_in.state != CheckInState.FINISHED and (stop or next_question(work, check_in) is None):
        check_in.state, check_in.finished_at, check_in.next_at = CheckInState.FINISHED, work.now, None
        judging.judge_diary(work, patient)
        if check_in.slot == BASELINE:
            patient.planned_until = None  # what was answered here is not asked again today
    elif check_in.state == CheckInState.FINISHED:
        judging.judge_diary(work, patient)
    _show(work, check_in, fresh=below)


def _show(work: Work, check_in: CheckIn, *, fresh: bool = False, target: str = "") -> None:
    letters.reply(work, "check_in.card", subject=check_in.id, card=card_of(check_in.id), fresh=fresh, detail=target)


def back(work: Work, check_in_id: UUID) -> None:
    """Asks the last answered item again; its answer stays until a newer one is given."""
    check_in = _own(work, check_in_id)
    if check_in.state not in (*WAITING, CheckInState.FINISHED) or work.now >= check_in.expires_at:
        raise StaleButton
    answered = [(r.instrument, r.item) for r in work.stores.responses.to(check_in.id)]
    if not answered:
        raise StaleButton
    instrument, item = answered[-1]
    letters.reply(
        work,
        "check_in.card",
        subject=check_in.id,
        card=card_of(check_in.id),
        fresh=False,
        detail=f"{instrument}.{item}",
    )


def change(work: Work, check_in_id: UUID, target: str = "") -> None:
    """«Change» on a finished check-in: first which item, then the item itself."""
    check_in = _own(work, check_in_id)
    if check_in.state != CheckInState.FINISHED or work.now >= check_in.expires_at:
        raise StaleButton
    letters.reply(
        work, "check_in.card", subject=check_in.id, card=card_of(check_in.id), fresh=False, detail=target or "choose"
    )


def write(work: Work, text: str, *, with_file: bool = False) -> None:
    """Free text: an answer when a number is asked for and typed, else a diary note. Screening was done at triage."""
    patient = work.stores.patients.get(work.by().id)
    answer = typed_answer(work, patient, text)
    if answer is not None:
        record(work, *answer, Mode.TYPED)
        return
    write_note(work, text, "note.words_kept" if with_file else "note.kept")


def write_note(work: Work, text: str, said: str) -> None:
    """A diary note; `said` is the key of what the patient hears of it."""
    patient = work.stores.patients.get(work.by().id)
    day = diary_day(work.now, patient.zone)
    note = work.stores.notes.add(patient_id=patient.id, day=day, text=text, source=work.caller.source)
    if note is not None:
        letters.reply(work, "notice", detail=said)


def typed_answer(work: Work, patient: Patient, text: str) -> Answer | None:
    """What a typed text says to the question that is shown: a number on a scale, else an answer in its own words.

    None when it says nothing to it, or none is shown. A number is no answer to «Yes» and «No»: it could mean either.
    Where options have points, as on the paper of PHQ-9, it is those.
    """
    value, check_in = typed_number(text), work.stores.check_ins.open_for(patient.id)
    if check_in is None or check_in.shown_at is None:
        return None
    question = next_question(work, check_in)
    if question is None:
        return None
    if question.item.style != ItemStyle.SCALE:
        options = question.instrument.wording(work.by().language).items[question.item.code].options
        said = [option.casefold() for option in options]
        if _plain_words(text) in said:
            value = question.item.low + said.index(_plain_words(text))
        elif value is not None and question.item.code not in question.instrument.scored:
            raise NotAnOption
    if value is None:
        return None
    if not question.item.low <= value <= question.item.high:
        raise NotANumber
    return check_in.id, question.instrument.code, question.item.code, value


def _plain_words(text: str) -> str:
    return text.strip().casefold().rstrip(" .")


NUMBER_WORDS = {
    word: value
    for words in (
        "zero one two three four five six seven eight nine ten",
        "null eins zwei drei vier fünf sechs sieben acht neun zehn",
        "cero uno dos tres cuatro cinco seis siete ocho nueve diez",
    )
    for value, word in enumerate(words.split())
}


def typed_number(text: str) -> int | None:
    """7 for "7", "seven", "7/10" or "7."; None when the text says more than a number."""
    said = text.strip().casefold().removesuffix("/10").rstrip(" .")
    if said.isascii() and said.isdigit() and len(said) <= 2:  # noqa: PLR2004 - no scale has three digits
        return int(said)
    return NUMBER_WORDS.get(said)


def next_question(work: Work, check_in: CheckIn, target: str = "") -> Question | None:
    """The first unanswered item, or the one named by `target` ("daily.mood")."""
    newest = judging.known_answers(work, check_in)
    number = 1 + (list(newest).index(target) if target in newest else len(newest))
    total = 0
    found: tuple[Instrument, Item] | None = None
    asked_again: tuple[Instrument, Item] | None = None
    for part in parts_of(check_in):
        instrument = work.knowledge.library.instrument(part.instrument, part.version)
        answers = {
            key.partition(".")[2]: value for key, value in newest.items() if key.startswith(part.instrument + ".")
        }
        item = instrument.next_item(answers, part.items or None)
        total += max(
            len(answers), sum(not i.ask_if and (not part.items or i.code in part.items) for i in instrument.items)
        )
        for known in instrument.items:
            if target == f"{part.instrument}.{known.code}":
                asked_again = instrument, known
        if found is None and item is not None:
            found = instrument, item
    if target:
        again = asked_again and Question(
            check_in.id,
            *asked_again,
            number,
            max(number, total),
            can_go_back=False,
            given=newest.get(target) is not None,
        )
        return again or None
    if found is None:
        return None
    return Question(check_in.id, *found, number, max(number, total), can_go_back=bool(newest))


def view(work: Work, check_in_id: UUID, target: str = "") -> Question | Summary:
    """What the check-in's message shows now. A target asks for that item again."""
    check_in = work.stores.check_ins.get(check_in_id)
    over = check_in.state in (CheckInState.FINISHED, CheckInState.EXPIRED, CheckInState.CANCELLED)
    question = None if over and not target else next_question(work, check_in, "" if target == "choose" else target)
    if question is not None and target != "choose":
        return question
    return Summary(
        check_in.id, check_in.patient_id, check_in.state, check_in.slot, len(judging.known_answers(work, check_in)),
        can_change=check_in.state == CheckInState.FINISHED and work.now < check_in.expires_at,
        crisis=check_in.state == CheckInState.FINISHED and next_question(work, check_in) is not None,
    )  # fmt: skip


def answers(work: Work, check_in_id: UUID) -> list[tuple[Instrument, Item, int | None]]:
    """What was answered, in asking order; the newest revision of each."""
    check_in = work.stores.check_ins.get(check_in_id)
    newest = judging.known_answers(work, check_in)
    listed = []
    for part in parts_of(check_in):
        instrument = work.knowledge.library.instrument(part.instrument, part.version)
        for item in instrument.items:
            key = f"{part.instrument}.{item.code}"
            if key in newest:
                listed.append((instrument, item, newest[key]))
    return listed


def _own(work: Work, check_in_id: UUID) -> CheckIn:
    """A check-in of the caller; somebody else's is as unknown as one that never was."""
    check_in = work.stores.check_ins.find(check_in_id)
    if check_in is None or check_in.patient_id != work.by().id:
        raise StaleButton
    return check_in

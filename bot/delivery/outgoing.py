"""What the sender asks of the rows: which letters go now, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog

from bot.chat.letters import bare, render
from bot.chat.letters.content import Content
from bot.services import check_ins, incidents, membership, receipts
from bot.services.incidents import IncidentKind
from bot.services.letters import Urgency
from bot.services.work import Work
from storage.stores.outbox import DueLetter, Sent
from storage.tables.people import ChatState
from storage.tables.post import MAX_ATTEMPTS, LetterState

log = structlog.get_logger()

RETRY_AFTER_ERROR = timedelta(seconds=2)
LONGEST_RETRY = timedelta(minutes=2)
LONGEST_URGENT_RETRY = timedelta(seconds=8)  # an alert is there within seconds of Telegram's return
PROMPTS = ("check_in.prompt", "check_in.reminder")
OF_CHECK_INS = (*PROMPTS, "check_in.card", "check_in.nudge")
SPARE = 8  # letters that are read beside those that may go: some do not go after all, some share a chat
PAGES = ("alert.page", "alert.team")


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter as it will be sent."""

    row: DueLetter
    number: int  # Telegram's, of its chat
    content: Content


def take(work: Work, waiting: list[UUID], most: int, ordinary: int) -> list[Ready]:
    """The most urgent letters that may go now, one a chat: at most `most`, of which `ordinary` are no alert."""
    ready: list[Ready] = []
    taken: set[UUID] = set()
    least = Urgency.DIGEST if ordinary else Urgency.ALERT
    due = work.stores.outbox.due(work.now, not_to=waiting, least=least, limit=most + SPARE)
    check_ins.load(work, [letter.subject_id for letter in due if letter.kind in OF_CHECK_INS])
    for letter in due:
        if letter.chat_id in taken or len(ready) >= most or (letter.urgency > Urgency.ALERT and not ordinary):
            continue
        content = _content(work, letter)
        if content is None:
            continue
        ready.append(Ready(letter, work.stores.chats.open(letter.chat_id, letter.sealed_number), content))
        taken.add(letter.chat_id)
        ordinary -= letter.urgency > Urgency.ALERT
    return ready


def _content(work: Work, letter: DueLetter) -> Content | None:
    """None when this letter does not go: too late, not true any more, or not to be made."""
    if letter.expires_at is not None and letter.expires_at <= work.now:
        work.stores.outbox.settle(letter.position, LetterState.EXPIRED)
        return None
    try:
        content = render(work, letter)
    except Exception as error:
        log.error("sender.cannot_render", letter=letter.position, kind=letter.kind, error=type(error).__name__)
        if letter.urgency > Urgency.ALERT:
            broken(work, letter.position)
            return None
        return bare(work, letter)  # an alert that cannot be shown in full is still an alert
    if content is None:
        work.stores.outbox.settle(letter.position, LetterState.REPLACED)
        return None
    return replace(content, photo=None) if letter.attempts else content  # a picture that failed goes as text


def sent(work: Work, batch: Sequence[tuple[Ready, int | None]]) -> bool:
    """Letters with the number of their message. True when this may have left letters to others."""
    work.stores.outbox.mark_sent(
        [
            Sent(ready.row, message, ready.content.text if ready.content.kept else "", ready.content.photo is not None)
            for ready, message in batch
        ]
    )
    letters = [ready.row for ready, _ in batch]
    prompted = [letter.subject_id for letter in letters if letter.kind in PROMPTS and letter.subject_id is not None]
    work.stores.check_ins.mark_delivered(prompted, work.now)
    pages = [letter for letter in letters if letter.kind in PAGES]
    for page in pages:
        receipts.page_arrived(work, page.subject_id)
    return bool(pages)


def refused(work: Work, ready: Ready, state: ChatState) -> None:
    """The chat takes nothing any more: whoever answers for its owner is told, and open alerts look for others."""
    letter = work.stores.outbox.get(ready.row.position)
    letter.state = LetterState.REFUSED
    work.stores.audit.record("letter.refused", actor=None, subject=letter.subject_id, detail=letter.kind)
    membership.lost(work, work.stores.chats.get(ready.row.chat_id), state, f"letter:{ready.row.position}")


def unacceptable(work: Work, ready: Ready) -> None:
    """Telegram will never take what this letter holds."""
    letter = work.stores.outbox.get(ready.row.position)
    letter.state = LetterState.REFUSED
    work.stores.audit.record("letter.refused", actor=None, subject=letter.subject_id, detail=letter.kind)


def moved(work: Work, chat_id: UUID, number: int) -> None:
    """A group became a supergroup. When that has written to us before, it takes over what waits for the old one."""
    chats = work.stores.chats
    known = chats.known(chats.key(number))
    if known is None:
        chats.move(chats.get(chat_id), number)
        return
    work.stores.outbox.redirect(chat_id, known.id)
    chats.set_state(chats.get(chat_id), ChatState.GONE)


def again(work: Work, position: int) -> None:
    letter = work.stores.outbox.get(position)
    letter.attempts += 1
    longest = LONGEST_URGENT_RETRY if letter.urgency <= Urgency.ALERT else LONGEST_RETRY
    letter.due_at = work.now + min(RETRY_AFTER_ERROR * 2 ** min(letter.attempts - 1, 6), longest)


def broken(work: Work, position: int) -> None:
    """Ours to repair: tried a few times, then buried where `afterglow outbox` shows it."""
    letter = work.stores.outbox.get(position)
    if letter.attempts + 1 < MAX_ATTEMPTS:
        again(work, position)
        return
    letter.state = LetterState.BROKEN
    work.stores.audit.record("letter.broken", actor=None, subject=letter.subject_id, detail=letter.kind)
    incidents.open(work, IncidentKind.LETTER_BROKEN, str(position))


def anything_due(work: Work) -> bool:
    return bool(work.stores.outbox.due(work.now, limit=1))

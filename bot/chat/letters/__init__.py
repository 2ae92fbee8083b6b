"""From a letter's row to what is said: one renderer per kind, in the reader's language, at the moment of sending."""

from collections.abc import Callable

from bot.chat.letters import care_team, check_in, enrolment, safety
from bot.chat.letters.content import Content, Reader
from bot.services.reading import LetterView, reader_language
from bot.services.work import Work
from bot.texts import load

Renderer = Callable[[Work, LetterView, Reader], Content | None]

KINDS: dict[str, Renderer] = {
    **enrolment.KINDS,
    **check_in.KINDS,
    **safety.KINDS,
    **care_team.KINDS,
}


def render(work: Work, letter: LetterView) -> Content | None:
    """None when what the letter would say is not true any more."""
    reader = Reader(load(), reader_language(work, letter.person_id))
    return KINDS[letter.kind](work, letter, reader)

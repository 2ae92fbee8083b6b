"""From a letter's row to what is said: one renderer per kind, in the reader's language, at the moment of sending."""

from collections.abc import Callable

from bot.chat.letters import (
    about_you,
    alerts,
    baselines,
    care_team,
    charts,
    check_in,
    enrolment,
    incidents,
    infusions,
    limits,
    pausing,
    privacy,
    safety,
    staff,
    standing,
)
from bot.chat.letters.content import Content, Reader
from bot.services.reading import LetterView
from bot.services.work import Work
from bot.texts import load

Renderer = Callable[[Work, LetterView, Reader], Content | None]

KINDS: dict[str, Renderer] = {
    **enrolment.KINDS,
    **check_in.KINDS,
    **pausing.KINDS,
    **safety.KINDS,
    **care_team.KINDS,
    **alerts.KINDS,
    **staff.KINDS,
    **incidents.KINDS,
    **infusions.KINDS,
    **about_you.KINDS,
    **baselines.KINDS,
    **charts.KINDS,
    **limits.KINDS,
    **privacy.KINDS,
    **standing.KINDS,
}


def render(work: Work, letter: LetterView) -> Content | None:
    """None when what the letter would say is not true any more."""
    if letter.is_void:
        return None
    reader = Reader(load(), letter.language or work.clinic.language)
    return KINDS[letter.kind](work, letter, reader)


def bare(work: Work, letter: LetterView) -> Content:
    """The line that cannot fail, for a page or crisis letter whose own renderer did."""
    if letter.kind.startswith("alert."):
        return Content(
            "Afterglow: an alert could not be shown in full. Open the patient list (/patients) and look at who has an "
            "open alert now."
        )
    return Content(f"If you are in danger, call {work.clinic.phone or 'the emergency number of your country'} now.")

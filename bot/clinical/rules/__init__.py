"""The alert rules R1 to R7 over a diary; docs/alert-rules.md explains each with its limits and figures."""

from bot.clinical.rules.blind import Blind, blind_rules
from bot.clinical.rules.judge import judge, judge_past
from bot.clinical.rules.limits import BadLimit, Limits
from bot.clinical.rules.past import Past
from bot.clinical.rules.rearm import Seen, is_new
from bot.clinical.rules.side_effects import INSTRUMENTS as SIDE_EFFECTS
from bot.clinical.rules.side_effects import is_grave, judge_side_effect
from bot.clinical.rules.silence import judge_blocked, judge_break, judge_silence, wants_gentle_message

__all__ = [
    "SIDE_EFFECTS",
    "BadLimit",
    "Blind",
    "Limits",
    "Past",
    "Seen",
    "blind_rules",
    "is_grave",
    "is_new",
    "judge",
    "judge_blocked",
    "judge_break",
    "judge_past",
    "judge_side_effect",
    "judge_silence",
    "wants_gentle_message",
]

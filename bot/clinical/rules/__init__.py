"""The alert rules R1 to R7 over a diary; docs/alert-rules.md explains each with its limits and figures."""

from bot.clinical.rules.judge import judge
from bot.clinical.rules.limits import BadLimit, Limits
from bot.clinical.rules.rearm import is_new
from bot.clinical.rules.side_effects import judge_side_effect
from bot.clinical.rules.silence import judge_blocked, judge_break, judge_silence

__all__ = [
    "BadLimit",
    "Limits",
    "is_new",
    "judge",
    "judge_blocked",
    "judge_break",
    "judge_side_effect",
    "judge_silence",
]

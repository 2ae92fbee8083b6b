"""What the care team taps about a patient's standing."""

from bot.chat.handlers.routes import about
from bot.chat.permissions import Allow
from bot.services import baselines, limits, standing

ROUTES = (
    about("more", standing.menu, Allow.STAFF),
    about("state", standing.set_state, Allow.STAFF),
    about("flag", standing.set_flag, Allow.STAFF),
    about("entry", standing.ask_text, Allow.STAFF),
    about("baseline", baselines.show, Allow.PHYSICIAN),
    about("base_sign", baselines.sign, Allow.PHYSICIAN),
    about("base_end", baselines.end_by_hand, Allow.PHYSICIAN),
    about("limits", limits.show, Allow.STAFF),
    about("limit_set", limits.save, Allow.STAFF),
    about("limit_reset", limits.reset, Allow.STAFF),
    about("deceased", standing.ask_deceased, Allow.STAFF),
)

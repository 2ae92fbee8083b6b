"""What the care team taps about infusions."""

from bot.chat.application import DiaryContext
from bot.chat.callbacks import Tap
from bot.chat.handlers.routes import about, tap
from bot.chat.permissions import Allow
from bot.services import infusions


async def on_given(tapped: Tap, context: DiaryContext) -> None:
    dose, _, hours = tapped.detail.partition(",")
    if tapped.subject is not None:
        await context.act(infusions.record, tapped.subject, dose, hours)


ROUTES = (
    about("infuse", infusions.ask_dose, Allow.STAFF),
    about("dose", infusions.ask_when, Allow.STAFF),
    tap("given", on_given, Allow.STAFF),
    about("other_day", infusions.ask_other_day, Allow.STAFF),
    about("plan", infusions.ask_plan, Allow.STAFF),
    about("plan_in", infusions.plan_in, Allow.STAFF),
    about("infusions", infusions.show_list, Allow.STAFF),
    about("infusion", infusions.open_one, Allow.STAFF),
    about("move", infusions.move, Allow.STAFF),
    about("redose", infusions.ask_new_dose, Allow.STAFF),
    about("set_dose", infusions.set_dose, Allow.STAFF),
    about("pressure", infusions.ask_pressure, Allow.STAFF),
    about("remove", infusions.ask_remove, Allow.STAFF),
    about("removed", infusions.remove, Allow.STAFF),
)

"""All handlers, each with who may call it. A handler decodes what came and makes one service call."""

from bot.chat.handlers import care_team, infusions, patient, staff, start
from bot.chat.handlers.routes import Route

ROUTES: tuple[Route, ...] = (
    *start.ROUTES,
    *patient.ROUTES,
    *care_team.ROUTES,
    *infusions.ROUTES,
    *staff.ROUTES,
    *patient.FALLBACKS,
)

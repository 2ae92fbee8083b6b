"""What staff tap and type about themselves and about the house."""

from telegram import Update

from bot.chat.application import DiaryContext
from bot.chat.handlers.routes import command
from bot.chat.permissions import Allow
from bot.services import incidents


async def on_incidents(_update: Update, context: DiaryContext) -> None:
    await context.act(incidents.list_all)


ROUTES = (command("incidents", on_incidents, Allow.ADMIN),)

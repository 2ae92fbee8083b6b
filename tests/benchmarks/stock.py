"""The baseline: a bot as the library's own examples make it. It keeps nothing, so it also loses everything."""

import argparse
import asyncio
import logging
import sys
from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    AIORateLimiter,
    Application,
    ApplicationBuilder,
    CallbackQueryHandler,
    ContextTypes,
)

from bot.chat.callbacks import AnswerTap, decode
from bot.delivery.transport import AiohttpRequest
from bot.simulator.server import TOKEN
from tests.support.load import FIRST, NURSE, code_of

DANGER = 8
KEYBOARD = InlineKeyboardMarkup(
    [
        [InlineKeyboardButton(str(value), callback_data=f"v|{value}") for value in row]
        for row in (range(6), range(6, 11))
    ]
)


async def on_tap(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    query = update.callback_query
    if query is None:
        return
    tap = decode(query.data or "")
    if isinstance(tap, AnswerTap) and tap.item == "urge" and (tap.value or 0) >= DANGER:
        await context.bot.send_message(NURSE, f"Urgent: patient {code_of(query.from_user.id)}")
        return
    await query.answer()
    await query.edit_message_text(f"Thank you for {query.data} ({query.id})", reply_markup=KEYBOARD)


def build(options: argparse.Namespace) -> Application[Any, Any, Any, Any, Any, Any]:
    builder: Any = ApplicationBuilder().token(TOKEN).base_url(f"{options.api}/bot").concurrent_updates(options.at_once)
    if options.our_transport:
        builder = builder.request(AiohttpRequest()).get_updates_request(AiohttpRequest(connections=2))
    if options.burst and not options.flood:
        builder = builder.rate_limiter(AIORateLimiter(max_retries=5))
    application: Application[Any, Any, Any, Any, Any, Any] = builder.build()
    return application


async def burst(bot: Bot, options: argparse.Namespace) -> None:
    """All at once through the rate limiter; a flood has no limiter and so many in flight."""
    room = asyncio.Semaphore(options.at_once if options.flood else max(1, options.burst))

    async def send(number: int) -> None:
        async with room:
            await bot.send_message(FIRST + number, "Your daily question is here", reply_markup=KEYBOARD)

    await asyncio.gather(*(send(number) for number in range(options.burst)), return_exceptions=True)


async def main(options: argparse.Namespace) -> None:
    application = build(options)
    application.add_handler(CallbackQueryHandler(on_tap))
    async with application:
        await application.start()
        assert application.updater is not None
        await application.updater.start_polling()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await burst(application.bot, options)
        await asyncio.Event().wait()


if __name__ == "__main__":
    logging.getLogger("telegram.ext").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", required=True)
    parser.add_argument("--at-once", type=int, default=32, help="updates handled, or sends, side by side")
    parser.add_argument("--our-transport", action="store_true")
    parser.add_argument("--burst", type=int, default=0, help="routine messages to send through its rate limiter")
    parser.add_argument("--flood", action="store_true", help="the burst goes without a rate limiter")
    asyncio.run(main(parser.parse_args()))

"""/start, with and without an invitation; being blocked, unblocked, and added to a group."""

from telegram import ChatMember, Update
from telegram.ext import ChatMemberHandler

from bot.chat.application import DiaryContext
from bot.chat.handlers.routes import Route, command
from bot.chat.permissions import Allow
from bot.services import care, enrolment, membership

OUT = (ChatMember.BANNED, ChatMember.LEFT)


async def on_start(update: Update, context: DiaryContext) -> None:
    user = update.effective_user
    if context.args and user is not None:
        await context.act(enrolment.join, context.args[0], user.full_name)
    else:
        await context.act(enrolment.welcome_back)


async def on_membership(update: Update, context: DiaryContext) -> None:
    change, chat = update.my_chat_member, update.effective_chat
    if change is None or chat is None:
        return
    context.allow = Allow.ANYBODY
    if change.new_chat_member.status in OUT:
        await context.act(membership.removed)
    elif chat.type in (chat.GROUP, chat.SUPERGROUP):
        context.allow = Allow.STAFF
        await context.act(care.greet_group)


ROUTES = (
    command("start", on_start, Allow.ANYBODY),
    Route(ChatMemberHandler(on_membership, ChatMemberHandler.MY_CHAT_MEMBER), Allow.ANYBODY),
)

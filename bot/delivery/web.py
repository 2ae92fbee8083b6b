"""The one web server of a process: Telegram's webhook when one is set, and whatever routes others hang in."""

import asyncio
import hmac
import json
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.delivery.bot import DiaryBot
from bot.delivery.receiver import WANTED, Receiver
from bot.settings import SettingsError

log = structlog.get_logger()

SECRET_HEADER = "x-telegram-bot-api-secret-token"  # nosec B105 - the name of a header
LARGEST_UPDATE = 1024 * 1024  # bytes; Telegram's are far smaller
CONNECTIONS = 40  # that Telegram may open at once
LOOK_SECONDS = 20.0
RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """The public address to which Telegram brings updates, and the word by which we know that it is Telegram."""

    address: str
    secret: str

    @property
    def path(self) -> str:
        return urlsplit(self.address).path or "/"


def webhook_route(receiver: Receiver, webhook: Webhook) -> Route:
    """200 only after the commit: whatever else is answered, Telegram brings the update again."""
    expected = webhook.secret.encode()

    async def take(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "").encode("latin-1", errors="replace")
        if not hmac.compare_digest(given, expected):
            return Response(status_code=403)
        if int(request.headers.get("content-length") or 0) > LARGEST_UPDATE:
            return Response(status_code=413)
        body = await request.body()
        try:
            raw = json.loads(body)
        except ValueError:
            raw = None
        try:
            # What is no update at all is kept too: it dies visibly, and Telegram does not bring it for ever.
            await receiver.take_in([raw if isinstance(raw, dict) else {"unreadable": body.decode(errors="replace")}])
        except Exception as error:
            log.error("webhook.not_stored", error=type(error).__name__)
            return Response(status_code=503)
        return Response(status_code=200)

    return Route(webhook.path, take, methods=["POST"])


async def keep_webhook(bot: DiaryBot, receiver: Receiver, webhook: Webhook) -> None:
    """Tells Telegram where to bring updates, and looks every few seconds whether it does."""
    is_set, failed_at = False, None
    while True:
        try:
            if not is_set:
                await bot.set_webhook(
                    webhook.address, secret_token=webhook.secret, allowed_updates=WANTED, max_connections=CONNECTIONS
                )
                is_set = True
            info = await bot.get_webhook_info()
            is_set = info.url == webhook.address
            fails = info.pending_update_count > 0 and info.last_error_date not in (None, failed_at)
            failed_at = info.last_error_date
            if is_set and not fails:  # else nothing comes through, and the auditor sees that this stands still
                await receiver.note_alive(caught_up=info.pending_update_count == 0)
        except Exception as error:
            log.warning("webhook.not_checked", error=type(error).__name__, again_in=RETRY_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)
            continue
        await asyncio.sleep(LOOK_SECONDS if is_set else RETRY_SECONDS)


class _Server(uvicorn.Server):
    """Leaves the signals to the program that it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(host: str, port: int, routes: Sequence[BaseRoute]) -> AsyncIterator[int]:
    """The server while the body runs; gives the port, a free one for 0. Raises `SettingsError` when it is taken."""
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingsError("PORT", read=str(port), expected=f"a free port ({error.strerror})") from None
    config = uvicorn.Config(
        Starlette(routes=list(routes)), log_config=None, access_log=False, lifespan="off",
        timeout_graceful_shutdown=5,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        listening.close()

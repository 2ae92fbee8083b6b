"""What the bot asked for and what reached whom, for proofs and rehearsals to count."""

import time
from collections import Counter
from typing import NamedTuple


class Delivery(NamedTuple):
    """A message, or the edit of one, that this Telegram took; `at` is monotonic time of this process."""

    at: float
    chat: int
    text: str
    edit: bool


class Ledger:
    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()  # by method, whatever became of them
        self.refused: Counter[str] = Counter()  # by "method code"
        self.lost_replies = 0  # done, but the bot was never told
        self.deliveries: list[Delivery] = []

    def deliver(self, chat: int, text: str, *, edit: bool = False) -> None:
        self.deliveries.append(Delivery(time.monotonic(), chat, text, edit))

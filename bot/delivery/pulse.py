"""How the auditor sees that a part of the post room is alive: it has got around since the last look."""


class Pulse:
    """Beats once a successful round. No clock is read: what did not beat between two looks stands still."""

    def __init__(self) -> None:
        self.beats = 0

    def beat(self) -> None:
        self.beats += 1

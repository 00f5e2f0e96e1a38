"""What losses in a row lead to, derived from the trades alone: RULES 16, written a second time."""

from decimal import Decimal


class Losses:
    """Losing trades in a row of one VA, and the end of the cooldown that they start."""

    def __init__(self, limit: int, lasting_ns: int) -> None:
        self.until_ns = 0
        self._limit = limit
        self._lasting_ns = lasting_ns
        self._streak = 0

    def take(self, pnl: Decimal, at_ns: int) -> None:
        if at_ns < self.until_ns or not self._limit:
            return
        if pnl < 0:
            self._streak += 1
        elif pnl > 0:
            self._streak = 0
        if self._streak >= self._limit:
            self._streak, self.until_ns = 0, at_ns + self._lasting_ns

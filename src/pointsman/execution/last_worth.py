"""What VAs were worth when they were last looked at since the start: so only what is new is kept
for the plots, and the sum over all VAs is known without a walk over them.

Invariant: nothing here changes in a turn that changes no record, so that deciding the journal again
gives the same points.
"""

from decimal import Decimal

from pointsman.domain.money import ZERO


class LastWorth:
    """`held_value` is what the VAs that hold something are worth beyond their cash, each when it
    was last looked at; `known` is how many of them were. `minute` is the last minute of event time
    in which points were kept."""

    def __init__(self) -> None:
        self.held_value = ZERO
        self.minute = -1
        self._held: dict[str, Decimal] = {}
        self._kept: dict[str, Decimal] = {}

    @property
    def known(self) -> int:
        return len(self._held)

    def look(self, va_id: str, held_value: Decimal, is_holding: bool) -> None:
        """A VA has traded, and what it holds is worth so much."""
        self.held_value += held_value - self._held.pop(va_id, ZERO)
        if is_holding:
            self._held[va_id] = held_value

    def is_news(self, va_id: str, equity: Decimal) -> bool:
        """Whether another amount than this was kept last; this one is from now on."""
        kept = self._kept.get(va_id)
        self._kept[va_id] = equity
        return kept != equity

    def end_minute(self, minute: int) -> None:
        """The points of this minute have been kept."""
        self.minute = minute

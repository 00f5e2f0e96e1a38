"""The last check: whether an entry may still be sent, at the moment of sending.

Between the decision and the moment at which it is durable the market may have moved. An entry that
fails the check comes back to the desk as an event and ends DENIED for the reason given here (RULES
31). Cancels are never held back, nor are stops and exits, except for one larger than what is held
by now: it would close a holding of another VA (I9).
"""

from enum import Enum, auto

from pointsman.domain.accounts import TradingState
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order
from pointsman.domain.reasons import Reason
from pointsman.execution import filters, venue_links
from pointsman.execution.books import Books


class Hold(Enum):
    """What holds entries back from outside of the loop; each is set and lifted by itself."""

    KILL_LATCH = auto()
    """The kill latch is set, whether or not the desk knows it yet."""
    PART_DOWN = auto()
    """A part of the engine does not run."""
    FILE_LOST = auto()
    """A file that the engine holds open is not at its path."""
    NOT_OWNER = auto()
    """Another engine may send for this desk."""
    TAKEN_OVER = auto()
    """What another engine has sent for this desk may still arrive at the venue."""
    STOPPING = auto()
    """The engine is coming to its end."""


_IMPAIRING = (Hold.PART_DOWN, Hold.FILE_LOST, Hold.NOT_OWNER, Hold.TAKEN_OVER)


class Holds:
    """The holds that are set, each with its cause in words. They may be set from any thread."""

    def __init__(self) -> None:
        self._causes: dict[Hold, str | None] = dict.fromkeys(Hold)

    def put(self, hold: Hold, is_set: bool, cause: str) -> None:
        """Set or lift one."""
        self._causes[hold] = cause if is_set else None

    def is_set(self, hold: Hold) -> bool:
        """Whether this one is set."""
        return self._causes[hold] is not None

    def impaired(self) -> str:
        """What of the engine does not work, so that no entry may be accepted; empty where all
        does."""
        causes = (self._causes[hold] for hold in _IMPAIRING)
        return "; ".join(cause or "unknown cause" for cause in causes if cause is not None)

    def refusal(self) -> Reason | None:
        """Why an entry that was accepted may not leave, apart from the kill latch."""
        if self.impaired():
            return Reason.ENTRIES_HELD
        return Reason.ENTRY_WITHDRAWN if self.is_set(Hold.STOPPING) else None


def refusal(
    books: Books, entry: Order, newest: Quote | None, now_ns: int, clock_offset_ns: int
) -> Reason | None:
    """Why an entry may not leave at `now_ns`: the kill switch, the connection to the venue, the
    newest quote of its symbol, or that somebody wants it back. None where it may."""
    if books.kill_switch.trading_state is TradingState.HALTED:
        return Reason.KILLED
    if (down := venue_links.refusal(books)) is not None:
        return down
    if newest is None or not newest.is_valid:
        return Reason.INVALID_QUOTE
    limits = books.policy.limits_of(entry.va_id)
    if filters.breaches(newest, limits, now_ns, clock_offset_ns):
        is_old = now_ns - newest.fresh_ns - clock_offset_ns > limits.max_latency_ns
        return Reason.LATENCY if is_old else Reason.SPREAD
    return Reason.ENTRY_WITHDRAWN if entry.is_cancel_pending else None


def is_overtaken(books: Books, order: Order) -> bool:
    """Whether a stop or an exit asks for more than its position holds by now. The desk
    then issues the correct quantity."""
    position = books.positions.get(order.position_id)
    return position is None or not position.is_live or order.quantity > position.quantity

"""The watch on what the venue does not take: forbidden beside what works there, or too large.

Worked out here a second time, by a walk over all orders and positions of the engine's books (I24):

* where an entry may not be sent beside an order of the other side, none is accepted while anything
  of ours works or is held in its symbol;
* where a stop may not be sent beside an entry, no stop or exit is asked for while an entry that it
  could trade with works, as far as is known;
* the venue forbids an order only where something went wrong, and one position's stop not over and
  over at the speed of the wire;
* no order that trades at market is larger than such an order may be (RULES 48).
"""

from collections import Counter

from pointsman.domain.events import Event, OrderReport, ReportWord
from pointsman.domain.orders import Order, Role
from pointsman.domain.policy import Policy
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Action, Decision, Outcome
from pointsman.execution.books import Books
from pointsman.simulator.broken import expect

REFUSED_MAX = 60
"""So often the stops of one position may be forbidden."""


class ForbiddenWatch:
    """Watches one run, over all lives of the engine."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._refused: Counter[int] = Counter()

    def decided(self, decision: Decision, books: Books) -> None:
        """An entry was accepted: nothing of ours is in its symbol but itself."""
        is_entry = decision.action is Action.ENTRY and decision.outcome is Outcome.ACCEPTED
        if not is_entry or self._policy.abilities.entry_beside_stop:
            return
        beside: list[object] = [
            order
            for order in books.orders.values()
            if order.symbol == decision.symbol and order.client_order_id != decision.client_order_id
        ]
        held = [p for p in books.positions.values() if p.is_live and p.symbol == decision.symbol]
        expect(not beside + held, "I24", ("accepted beside", beside, held), decision.va_id)

    def commanded(self, order: Order, books: Books) -> None:
        """A stop or an exit was asked for."""
        largest = self._policy.instrument(order.symbol).max_market_quantity
        is_small_enough = largest is None or order.quantity <= largest
        expect(is_small_enough, "I24", ("too large for the market", order), order.va_id)
        if self._policy.abilities.stop_beside_entry:
            return
        entries = [
            other
            for other in books.orders.values()
            if other.role is Role.ENTRY and other.symbol == order.symbol
            and other.side is not order.side and not other.is_unknown
        ]  # fmt: skip
        expect(not entries, "I24", ("asked for beside", entries, order), order.va_id)

    def refused(self, order: Order, *, has_cause: bool) -> None:
        """The venue forbade an order; `has_cause` says whether anything went wrong of late in its
        symbol."""
        expect(has_cause, "I24", ("forbidden without cause", order), order.va_id)
        self._refused[order.position_id] += 1
        count = self._refused[order.position_id]
        expect(count <= REFUSED_MAX, "I24", ("forbidden over and over", order), order.va_id)


def is_forbidden(event: Event) -> bool:
    """Whether the venue says that an order is forbidden beside what works there."""
    return (
        isinstance(event, OrderReport)
        and event.kind is ReportWord.REJECTED
        and event.reason is Reason.VENUE_FORBIDS
    )

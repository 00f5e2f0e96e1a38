"""Soundness: what must hold after every event, checked on what the event touched. These assertions
stay on in production: a broken rule of ours stops the process, and start-up recovers it.
"""

from pointsman.domain.money import ZERO
from pointsman.domain.orders import Role
from pointsman.domain.positions import PositionState
from pointsman.execution.books import Books


def assert_sound(books: Books, va_id: str) -> None:
    """Check one VA: the books balance exactly (RULES 14), one symbol, one direction."""
    account, index = books.accounts[va_id], books.index[va_id]
    cost = sum((holding.cost for holding in index.holdings.values()), ZERO)
    assert account.cash + cost == account.balance, ("cash and cost", account, cost)
    assert account.exposure >= ZERO, ("exposure", account)
    live = [books.positions[key] for key in index.positions if books.positions[key].is_live]
    entries = [books.orders[order_id] for order_id in index.entries]
    sides = {position.side for position in live}
    assert len(sides) <= 1, ("two directions in one account", va_id, live)
    symbols = {position.symbol for position in live} | {order.symbol for order in entries}
    if len(symbols) == 1 and account.leased_symbol is not None:
        assert account.leased_symbol in symbols, ("lease", account.leased_symbol, symbols)
    assert not symbols or account.leased_symbol is not None, ("no lease", va_id, symbols)


def assert_covered_once(books: Books, position_id: int) -> None:
    """Stops and exits of a position never exceed it, unless the venue clips and nobody else holds
    there (I7)."""
    position = books.positions.get(position_id)
    if position is None or position.state is not PositionState.OPEN:
        return
    if books.policy.venue_clips:
        return
    exits = books.orders_of(position_id, Role.EXIT)
    stops = books.orders_of(position_id, Role.STOP)
    out = sum((order.leaves for order in exits + stops), ZERO)
    assert out <= position.quantity or any(order.is_cancel_pending for order in stops), (
        "more leaves than is held",
        position,
        out,
    )

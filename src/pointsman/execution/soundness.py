"""Soundness: what must hold after every event, checked on what the event touched. These assertions
stay on in production: a broken rule of ours stops the process, and start-up recovers it. What the
venue does against the rules is no business of theirs: that is booked, and freezes an account.
"""

from pointsman.domain.commands import Command, Submit
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order, Role
from pointsman.execution.books import Books
from pointsman.execution.overlap import may_overlap


def assert_sound(books: Books, va_id: str) -> None:
    """Check one VA: the books balance exactly (RULES 14), and its entries work in the one symbol
    that it has leased, in one direction (I10)."""
    account, index = books.accounts[va_id], books.index[va_id]
    cost = ZERO
    for holding in index.holdings.values():
        cost += holding.cost
    assert account.cash + cost == account.balance, ("cash and cost", account, cost)
    assert account.exposure >= ZERO, ("exposure", account)
    if account.leased_symbol is None:
        live = [key for key in index.positions if books.positions[key].is_live]
        assert not [*live, *index.entries], ("no lease", account)
    if not index.entries:
        return
    entries = [books.orders[order_id] for order_id in index.entries]
    assert all(order.symbol == account.leased_symbol for order in entries), ("lease", account)
    assert len({order.position_side for order in entries}) <= 1, ("two directions", entries)


def assert_may_open(books: Books, entry: Order) -> None:
    """Check an entry that is about to be made: it neither crosses into another symbol nor stands
    against what the VA holds (RULES 11)."""
    account = books.accounts[entry.va_id]
    assert account.leased_symbol in (None, entry.symbol), ("lease", account, entry)
    for held in books.open_positions(entry.va_id):
        opposes = held.symbol == entry.symbol and held.side is not entry.position_side
        assert not opposes, ("against a position", held, entry)


def assert_fits(books: Books, position_id: int, commands: list[Command]) -> None:
    """Check what was just sent for a position: its stops and exits together never exceed it, unless
    they may overlap (I7)."""
    position = books.positions[position_id]
    if not any(isinstance(command, Submit) for command in commands):
        return
    if may_overlap(books, position):
        return
    out = [*books.orders_of(position_id, Role.STOP), *books.orders_of(position_id, Role.EXIT)]
    assert sum((order.leaves for order in out), ZERO) <= position.quantity, (position, out)

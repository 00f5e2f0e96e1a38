"""What must be true once everything is at rest: books equal to the venue's, all of it stored, every
signal answered once. Each check raises Broken."""

from collections.abc import Mapping
from decimal import Decimal
from sqlite3 import Connection
from typing import Any

import msgspec

from pointsman.domain.accounts import EXTERNAL, KillState
from pointsman.domain.money import floor_to
from pointsman.domain.orders import Role
from pointsman.domain.positions import PositionState
from pointsman.domain.sides import PositionSide
from pointsman.domain.signals import Outcome
from pointsman.execution.books import Books
from pointsman.execution.dust import is_enough
from pointsman.execution.shortfall import lacking
from pointsman.simulator.broken import expect
from pointsman.simulator.ledger import NOTHING, HoldingKey, Ledger
from pointsman.storage import reader
from pointsman.storage.journal import fold, verify_chain


def orders_agree(books: Books, ledger: Ledger) -> None:
    """I20, I21: nothing is unknown or half done, and both sides know the same open orders."""
    for order in books.orders.values():
        expect(not order.is_unknown, "I21", ("still unknown", order), order.va_id)
        expect(not order.is_cancel_pending, "I21", ("still being cancelled", order), order.va_id)
    theirs = {
        order.client_order_id: (order.quantity, order.filled)
        for opened in ledger.open_by_symbol.values()
        for order in opened.values()
        if not order.is_foreign
    }
    ours = {key: (order.quantity, order.filled) for key, order in books.orders.items()}
    expect(ours == theirs, "I20", ("open orders differ", _difference(ours, theirs)))


def holdings_agree(books: Books, ledger: Ledger) -> None:
    """I6: VAs + EXTERNAL = venue, for every symbol and side (RULES 28)."""
    total: dict[HoldingKey, Decimal] = {}
    for position in books.positions.values():
        side = position.side
        if position.state is PositionState.OVERFILLED:
            side = side.opposite
        key = ledger.key(position.symbol, side)
        total[key] = total.get(key, NOTHING) + position.side.sign * position.quantity
    for (symbol, side), external in books.externals.items():
        key = ledger.key(symbol, side)
        total[key] = total.get(key, NOTHING) + external.quantity
    ours = {key: quantity for key, quantity in total.items() if quantity}
    theirs = {key: quantity for key, quantity in ledger.holdings.items() if quantity}
    expect(ours == theirs, "I6", ("holdings differ", _difference(ours, theirs)))


def money_agrees(books: Books, ledger: Ledger, start: Decimal, connection: Connection) -> None:
    """I5, I6: what all VAs have is what they began with, less what the venue says that our orders
    paid, less what was charged to them of foreign executions, and their part of the funding; and
    each fill is booked exactly."""
    external = NOTHING
    booked: dict[str, Decimal] = {}
    for fill in reader.fills(connection):
        if fill.is_external:
            external += fill.side.sign * fill.quantity * fill.price + fill.fee
        else:
            booked[fill.client_order_id] = booked.get(fill.client_order_id, NOTHING) + fill.quantity
    executed = {
        order_id: order.filled
        for order_id, order in ledger.orders.items()
        if order.filled and not order.is_foreign
    }
    expect(booked == executed, "I5", ("fills differ", _difference(booked, executed)))
    cash = sum((account.cash for account in books.accounts.values()), NOTHING)
    funded = _funded(ledger, connection)
    expected = start - ledger.paid_by_ours - external + funded
    expect(cash == expected, "I6", ("cash", cash, "expected", expected))


def _funded(ledger: Ledger, connection: Connection) -> Decimal:
    """I6: what the VAs bear of funding and charges; with what EXTERNAL bears it is what the venue
    has settled and charged, each once."""
    booked: dict[str, Decimal] = {}
    ours = NOTHING
    for share in reader.fundings(connection):
        booked[share.funding_id] = booked.get(share.funding_id, NOTHING) + share.amount
        ours += NOTHING if share.va_id == EXTERNAL else share.amount
    settled = {paid.funding_id: paid.amount for paid in ledger.fundings}
    settled |= {paid.charge_id: paid.amount for paid in ledger.charges}
    expect(booked == settled, "I6", ("funding differs", _difference(booked, settled)))
    return ours


def each_adds_up(books: Books, connection: Connection) -> None:
    """I6, of each VA from its own records: cash = start + deposits - sum of side x quantity x price
    - fees in money + funding; holding = sum of side x quantity - fees in the coin that is held."""
    cash = {va.va_id: va.start_balance + va.deposits for va in books.accounts.values()}
    held: dict[tuple[str, str], Decimal] = {}
    for fill in reader.fills(connection):
        sign = fill.side.sign
        cash[fill.va_id] -= sign * fill.quantity * fill.price
        change = sign * fill.quantity
        if fill.fee_currency is None:
            cash[fill.va_id] -= fill.fee
        elif fill.symbol.startswith(f"{fill.fee_currency}/"):
            change -= fill.fee
        key = (fill.va_id, fill.symbol)
        held[key] = held.get(key, NOTHING) + change
    for share in reader.fundings(connection):
        if share.va_id != EXTERNAL:
            cash[share.va_id] += share.amount
    ours = {va.va_id: va.cash for va in books.accounts.values()}
    expect(ours == cash, "I6", ("cash of an account", _difference(ours, cash)))
    holds: dict[tuple[str, str], Decimal] = {}
    for position in books.positions.values():
        key = (position.va_id, position.symbol)
        holds[key] = holds.get(key, NOTHING) + position.side.sign * position.quantity
    told = {key: quantity for key, quantity in held.items() if quantity}
    holds = {key: quantity for key, quantity in holds.items() if quantity}
    expect(holds == told, "I6", ("holdings of an account", _difference(holds, told)))


def covered(books: Books, naked: dict[tuple[str, PositionSide], int]) -> None:
    """I7: at rest nothing is without cover."""
    expect(not naked, "I7", ("not covered at rest", naked))
    expect(not books.naked, "I7", ("held to be naked at rest", list(books.naked)))


def killed_for_good(books: Books) -> None:
    """I15, I16, I21: a kill that nobody released has done what it is for. No entry works; after a
    flatten nothing is held that the venue holds too, and it is said to be flat exactly where
    nothing but dust is left by our books either."""
    switch = books.kill_switch
    if switch.state is KillState.OFF:
        return
    entries = [order for order in books.orders.values() if order.role is Role.ENTRY]
    expect(not entries, "I15", ("work though killed", entries))
    if switch.state is KillState.FLATTEN:
        held = [p for p in books.positions.values() if p.state is not PositionState.DUST]
        for position in held:
            there = position.quantity - lacking(books, position.symbol, position.side)
            lot = books.policy.instrument(position.symbol).lot
            may_leave = position.is_live and is_enough(books, position, floor_to(there, lot))
            expect(not may_leave, "I21", ("not flattened", position))
        is_flat = not held and not books.orders
        expect((switch.flat_at_ns is not None) == is_flat, "I16", (switch, held))


def journal_holds(connection: Connection) -> None:
    """I18: the chain is whole, and the records are what the journal says."""
    broken = verify_chain(connection)
    expect(broken is None, "I18", broken)
    differs = fold(connection)
    expect(differs is None, "I18", differs)


def loads_alike(live: Books, loaded: Books) -> None:
    """I18: what a start would load is what lives."""
    for name in ("accounts", "orders", "positions", "kill_switch", "desk", "cash_moves"):
        ours, theirs = getattr(live, name), getattr(loaded, name)
        expect(ours == theirs, "I18", (f"{name} differ when loaded", ours, theirs))
    held = {key: e.quantity for key, e in live.externals.items() if e.quantity}
    kept = {key: e.quantity for key, e in loaded.externals.items() if e.quantity}
    expect(held == kept, "I18", ("EXTERNAL differs when loaded", held, kept))


def standing(books: Books) -> dict[str, object]:
    """The books as they stand, but for what every start notes of itself: when it asked and was
    answered, what the newest quote makes of an equity, and a cooldown that ends meanwhile."""
    replace = msgspec.structs.replace
    standing: dict[str, object] = {"kill_switch": books.kill_switch}
    for order in books.orders.values():
        standing[order.client_order_id] = replace(order, updated_at_ns=0)
    for position in books.positions.values():
        standing[f"position {position.position_id}"] = position
    for account in books.accounts.values():
        standing[account.va_id] = replace(
            account, equity=NOTHING, loss_streak=0, cooldown_until_ns=None
        )
    for key, held in books.externals.items():
        standing[f"EXTERNAL {key}"] = held.quantity
    return standing


def changed(before: dict[str, object], after: dict[str, object]) -> object:
    """What differs between two standings."""
    keys = dict.fromkeys([*before, *after])
    return [(before.get(k), after.get(k)) for k in keys if before.get(k) != after.get(k)]


def traced(connection: Connection) -> None:
    """I22: every signal has one decision, the opening part of a reversal too, refusals have a
    reason, and every order goes back to an accepted one."""
    decisions = {each.signal_id: each for each in reader.decisions(connection)}
    for record in reader.signals(connection):
        signal = record.signal
        expect(signal.signal_id in decisions, "I22", ("no decision", signal), signal.va_id)
    for decision in decisions.values():
        is_refused = decision.outcome is Outcome.REFUSED
        expect(is_refused == (decision.reason is not None), "I22", decision, decision.va_id)
        is_whole = decision.opening_id is None or decision.opening_id in decisions
        expect(is_whole, "I22", ("never opened nor refused", decision), decision.va_id)
    for order in reader.orders(connection):
        source = decisions.get(order.signal_id or "")
        is_known = source is not None and source.outcome is Outcome.ACCEPTED
        is_external = order.client_order_id.startswith("EXTERNAL")
        expect(is_known or is_external, "I22", ("no signal behind it", order), order.va_id)


def _difference(ours: Mapping[Any, object], theirs: Mapping[Any, object]) -> object:
    keys = dict.fromkeys([*ours, *theirs])
    return {k: (ours.get(k), theirs.get(k)) for k in keys if ours.get(k) != theirs.get(k)}

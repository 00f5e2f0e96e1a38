"""Booking: an execution becomes cash, lots, realized results and trades.

Each fill is booked once, by its key, to the one VA and position that own it. Afterwards,
exactly: the VA's cash plus the signed cost of its open lots equals its balance (RULES 14). An
overfill, more than the VA held, is still booked to it, since it happened, and freezes every VA on
that symbol (RULES 21).
"""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import KillState
from pointsman.domain.events import VenueFill
from pointsman.domain.money import ZERO, plain, shown_average
from pointsman.domain.orders import Fill, Order, Role
from pointsman.domain.positions import Lot, Position, PositionState, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.execution import naked_time
from pointsman.execution.books import Books
from pointsman.execution.dust import is_dust, take_up
from pointsman.execution.fills import as_held, fill_key
from pointsman.execution.incidents import note_incident
from pointsman.execution.lease import take_lease
from pointsman.execution.pricing import round_stop, stop_at_percentage

replace = msgspec.structs.replace


def book_fill(
    books: Books, order: Order, fill: VenueFill, now_ns: int, *, is_external: bool = False
) -> None:
    """Book one execution of an order that is stored with its new totals already."""
    instrument = books.instrument(order.symbol)
    key = fill_key(order.client_order_id, order.side, fill)
    booked = Fill(
        key=key,
        client_order_id=order.client_order_id,
        va_id=order.va_id,
        symbol=order.symbol,
        position_id=order.position_id,
        side=order.side,
        quantity=fill.quantity,
        price=fill.price,
        fee=fill.fee,
        trade_id=fill.trade_id,
        venue_ts_ns=fill.ts_ns,
        booked_at_ns=now_ns,
        is_external=is_external,
        fee_currency=None if fill.fee_currency == instrument.currency else fill.fee_currency,
    )
    books.note(booked, key)
    books.this_run.note_trade_time(order.symbol, fill.ts_ns)
    traded = fill.quantity
    fill = as_held(fill, order.side, instrument)
    account = books.accounts[order.va_id]
    paid = order.side.sign * fill.quantity * fill.price + fill.fee
    books.put_account(replace(account, cash=account.cash - paid, fees=account.fees + fill.fee))
    if order.role is Role.ENTRY:
        _enter(books, order, fill, now_ns)
    else:
        _leave(books, order, fill, traded - fill.quantity, now_ns)


def _realize(books: Books, va_id: str, amount: Decimal) -> None:
    account = books.accounts[va_id]
    books.put_account(replace(account, realized=account.realized + amount))


def _enter(books: Books, order: Order, fill: VenueFill, now_ns: int) -> None:
    """More of a position. Its stop stands by the first fill's price until the entry has ended
    (RULES 22)."""
    position = books.positions.get(order.position_id)
    if position is None or not position.is_live:
        position = _open(books, order, fill, position, now_ns)
    _realize(books, order.va_id, -fill.fee)
    take_lease(books, order.va_id, order.symbol)
    books.put_position(
        replace(
            position,
            quantity=position.quantity + fill.quantity,
            lots=(*position.lots, Lot(fill.quantity, fill.price)),
            entry_quantity=position.entry_quantity + fill.quantity,
            entry_value=position.entry_value + fill.quantity * fill.price,
            fees=position.fees + fill.fee,
            realized_to_date=position.realized_to_date - fill.fee,
        )
    )


def _open(
    books: Books, order: Order, fill: VenueFill, dust: Position | None, now_ns: int
) -> Position:
    """A new position for an entry, which takes up broken lots that earlier ones left. After a late
    fill it is a further part of one that had ended, and takes up the dust that it left."""
    _note_stray(books, order, now_ns)
    is_flattening = books.kill_switch.state is KillState.FLATTEN
    reason = Reason.FLATTEN if is_flattening else None
    if dust is not None:
        return replace(
            dust,
            state=PositionState.OPEN,
            opened_at_ns=now_ns,
            closing_all=is_flattening,
            closing_reason=reason,
        )
    earlier = books.take_reopened(order.position_id)
    lots = take_up(books, order)
    return Position(
        position_id=order.position_id,
        part=earlier.parts if earlier else 0,
        va_id=order.va_id,
        symbol=order.symbol,
        side=order.position_side,
        entry_order_id=order.client_order_id,
        opened_at_ns=now_ns,
        limit_price=order.limit_price or fill.price,
        stop_price=stop_for(books, order, fill.price),
        stop_level=order.stop_level,
        stop_percentage=order.stop_percentage,
        take_profit=order.take_profit,
        signal_id=order.signal_id,
        quantity=sum((lot.quantity for lot in lots), ZERO),
        lots=lots,
        entry_quantity=sum((lot.quantity for lot in lots), ZERO),
        entry_value=sum((lot.quantity * lot.price for lot in lots), ZERO),
        closing_all=is_flattening,
        closing_reason=reason,
        stops_made=earlier.stops_made if earlier else 0,
        exits_made=earlier.exits_made if earlier else 0,
    )


def _note_stray(books: Books, order: Order, now_ns: int) -> None:
    """A late fill may open what the router would not have let in: beside another symbol, or against
    the other direction. It is a fact, so it is booked and covered; the VA freezes."""
    leased = books.accounts[order.va_id].leased_symbol
    others = [held for held in books.open_positions(order.va_id) if held.symbol == order.symbol]
    is_opposed = any(held.side is not order.position_side for held in others)
    if leased in (None, order.symbol) and not is_opposed:
        return
    note_incident(
        books,
        now_ns,
        Reason.STRANGE_REPORT,
        of=order,
        value=order.position_side.value,
        limit=leased,
        detail="an entry filled after the account had gone on to something else",
    )
    freeze(books, order.va_id, Reason.STRANGE_REPORT, now_ns)


def stop_for(books: Books, order: Order, price: Decimal) -> Decimal:
    """Where the stop of an entry filled at `price` stands: its own level, else a percentage
    away."""
    tick = books.instrument(order.symbol).tick
    if order.stop_level is not None:
        return round_stop(order.position_side, order.stop_level, tick)
    percentage = order.stop_percentage
    if percentage is None:
        percentage = books.policy.limits_of(order.va_id).stop_loss_percentage
    return stop_at_percentage(order.position_side, price, percentage, tick)


def settle_stop_price(books: Books, order: Order) -> None:
    """The entry has ended: its stop moves to where its average price puts it, if that is more than
    a tick away (RULES 22)."""
    position = books.positions.get(order.position_id)
    if position is None or not position.is_live or not position.entry_quantity:
        return
    wanted = stop_for(books, order, position.entry_value / position.entry_quantity)
    if abs(wanted - position.stop_price) > books.instrument(order.symbol).tick:
        books.put_position(replace(position, stop_price=wanted))


def _leave(books: Books, order: Order, fill: VenueFill, from_fee: Decimal, now_ns: int) -> None:
    """Less of a position, lot by lot. An exit and a stop that raced may take more than it held:
    that comes out of what else the VA holds there, as it did at the venue; what is beyond that too
    is an overfill. `from_fee` is how much more was traded than left, for a fee in that coin."""
    _realize(books, order.va_id, -fill.fee)
    left, fee = fill.quantity, fill.fee
    for position in _reducible(books, order):
        taken = min(position.quantity, left)
        if taken > ZERO:
            _reduce(books, position, order, replace(fill, quantity=taken, fee=fee), from_fee)
            left, fee = left - taken, ZERO
    if left > ZERO:
        _overfill(books, order, fill, left, fee, now_ns)


def _reducible(books: Books, order: Order) -> list[Position]:
    """What a reducing order can take from: its own position first, then the VA's others of that
    symbol and side, first in first out."""
    own = books.positions.get(order.position_id)
    holds = (PositionState.OPEN, PositionState.DUST)
    mine = [own] if own is not None and own.state in holds else []
    others = books.open_positions(order.va_id)
    return mine + [
        held
        for held in others
        if held.symbol == order.symbol
        and held.side is order.position_side
        and held.position_id != order.position_id
    ]


def _reduce(
    books: Books, position: Position, order: Order, part: VenueFill, from_fee: Decimal
) -> None:
    """Take one execution's part out of a position. What was asked to be closed was to be traded: a
    fee in the coin that is traded does not count for it."""
    taken, price, fee = part.quantity, part.price, part.fee
    gain, lots = _consume(position, taken, price)
    _realize(books, order.va_id, gain)
    is_stop = order.role is Role.STOP
    is_served = order.role is Role.EXIT and order.position_id == position.position_id
    closing = position.closing - (taken + from_fee if is_served else ZERO)
    if closing < books.instrument(position.symbol).lot:
        # Less than a lot cannot be asked for.
        closing = ZERO
    is_closing = position.closing_all or closing > ZERO
    books.put_position(
        replace(
            position,
            quantity=position.quantity - taken,
            lots=lots,
            exit_quantity=position.exit_quantity + taken,
            exit_value=position.exit_value + taken * price,
            fees=position.fees + fee,
            realized_to_date=position.realized_to_date + gain - fee,
            closing=closing,
            closing_reason=position.closing_reason if is_closing else None,
            closing_signal_id=position.closing_signal_id if is_closing else None,
            last_exit_reason=Reason.STOP_LOSS if is_stop else order.exit_reason,
        )
    )


def _consume(
    position: Position, quantity: Decimal, price: Decimal
) -> tuple[Decimal, tuple[Lot, ...]]:
    """Take lots first in first out: what closing them at `price` gains before fees, and what is
    left."""
    gain, left = ZERO, quantity
    lots = list(position.lots)
    while left > ZERO:
        lot = lots[0]
        taken = min(left, lot.quantity)
        gain += position.side.sign * (price - lot.price) * taken
        left -= taken
        if taken == lot.quantity:
            lots.pop(0)
        else:
            lots[0] = Lot(lot.quantity - taken, lot.price)
    return gain, tuple(lots)


def close_if_done(books: Books, position_id: int, now_ns: int, venue_ns: int) -> Trade | None:
    """A position whose quantity is zero or dust, with nothing left that could change it, becomes a
    trade. Dust stays as a holding; should it be closed after all, that is a trade of its own."""
    position = books.positions.get(position_id)
    if position is None or position.state is PositionState.OVERFILLED:
        return None
    if books.orders_of(position_id, Role.ENTRY):
        # More of it may still come; one entry is one position (RULES 15).
        return None
    if position.quantity > ZERO and not (position.is_live and is_dust(books, position)):
        return None
    position = naked_time.end(books, position, now_ns, venue_ns)
    trade = _trade(position, now_ns)
    books.note(trade, trade.trade_id)
    books.put_position(
        replace(
            position,
            state=PositionState.DUST if position.quantity > ZERO else PositionState.CLOSED,
            part=position.part + 1,
            entry_quantity=position.quantity,
            entry_value=position.cost,
            exit_quantity=ZERO,
            exit_value=ZERO,
            fees=ZERO,
            realized_to_date=ZERO,
            closing=ZERO,
            closing_all=False,
            closing_reason=None,
            closing_signal_id=None,
            exit_retry_at_ns=None,
            crossed_at_ns=None,
        )
    )
    return trade


def _trade(position: Position, now_ns: int) -> Trade:
    return Trade(
        trade_id=f"{position.position_id}.{position.part}",
        position_id=position.position_id,
        va_id=position.va_id,
        symbol=position.symbol,
        side=position.side,
        quantity=position.exit_quantity,
        entry_price=shown_average(position.entry_value, position.entry_quantity),
        exit_price=shown_average(position.exit_value, position.exit_quantity),
        pnl=position.realized_to_date,
        fees=position.fees,
        opened_at_ns=position.opened_at_ns,
        closed_at_ns=now_ns,
        exit_reason=position.last_exit_reason or Reason.EXTERNAL_CLOSE,
        signal_id=position.signal_id,
    )


def _overfill(
    books: Books, order: Order, fill: VenueFill, quantity: Decimal, fee: Decimal, now_ns: int
) -> None:
    """Book what a VA did not hold as a holding the other way, and freeze everybody on that
    symbol."""
    take_lease(books, order.va_id, order.symbol)
    number = books.desk.next_number
    books.put_desk(replace(books.desk, next_number=number + 1))
    books.put_position(
        Position(
            position_id=number,
            part=0,
            va_id=order.va_id,
            symbol=order.symbol,
            side=order.position_side.opposite,
            entry_order_id=order.client_order_id,
            opened_at_ns=now_ns,
            limit_price=fill.price,
            stop_price=fill.price,
            state=PositionState.OVERFILLED,
            quantity=quantity,
            lots=(Lot(quantity, fill.price),),
            entry_quantity=quantity,
            entry_value=quantity * fill.price,
            fees=fee,
            realized_to_date=-fee,
        )
    )
    note_incident(
        books,
        now_ns,
        Reason.OVERFILL,
        of=order,
        value=plain(fill.quantity),
        limit=plain(fill.quantity - quantity),
        detail=f"filled {plain(quantity)} more than the account held; settle it by hand",
    )
    freeze_symbol(books, order.symbol, Reason.OVERFILL, now_ns, also=order.va_id)


def freeze_symbol(
    books: Books, symbol: str, reason: Reason, now_ns: int, also: str | None = None
) -> None:
    """Freeze every VA that holds, or works an entry in, a symbol."""
    concerned = {} if also is None else {also: None}
    for side in PositionSide:
        concerned.update(dict.fromkeys(books.holders.get((symbol, side), {})))
    for va_id in concerned:
        freeze(books, va_id, reason, now_ns)


def freeze(books: Books, va_id: str, reason: Reason, now_ns: int) -> None:
    """No new risk on a VA until a comparison succeeds and a person resumes it; the first reason
    stays."""
    account = books.accounts[va_id]
    if account.frozen_for is None:
        books.put_account(replace(account, frozen_for=reason, frozen_at_ns=now_ns))

"""The columns of every list: what people see of a row, and what goes first where room is scarce."""

from collections.abc import Callable
from decimal import Decimal

from rich.text import Text

from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.money import exact, shown_average
from pointsman.domain.orders import Fill, Order
from pointsman.domain.positions import Position, PositionState
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import Outcome, Signal
from pointsman.execution.figures import PositionFigures
from pointsman.reading.checks import failed_check
from pointsman.reading.lists import Judged
from pointsman.reading.price_decimals import PriceDecimals
from pointsman.terminal.measures import allowed, measured
from pointsman.terminal.summary import percent, status_text, won_and_lost
from pointsman.terminal.tables import Column
from pointsman.terminal.text import (
    average,
    length,
    money,
    number,
    printable,
    rounded,
    signed_money,
)

Clock = Callable[[int], str]
"""How a moment is written in one list."""


# -- cells ---------------------------------------------------------------------------------------


def side_text(side: str) -> Text:
    """A direction, coloured alike; to close has none."""
    return Text(side, style=_SIDE_STYLES.get(side, ""))


_SIDE_STYLES = {
    Side.BUY.value: "green",
    PositionSide.LONG.value: "green",
    Side.SELL.value: "red",
    PositionSide.SHORT.value: "red",
}


def wanted_size(signal: Signal) -> str:
    """How much a signal asks for, as its sender put it."""
    if signal.quantity is not None:
        return number(signal.quantity)
    if signal.notional is not None:
        return f"for {money(signal.notional)}"
    if signal.risk_percentage is not None:
        return f"risk {number(signal.risk_percentage)} %"
    return "all"


def wanted_price(signal: Signal, decimals: PriceDecimals) -> str:
    """The price that a signal was made at; empty where it names none."""
    return "" if signal.price is None else number(signal.price, decimals(signal.symbol))


def order_price(order: Order, decimals: int) -> str:
    """The price that an order is bound by: its limit, or the trigger of a stop."""
    amount = order.limit_price if order.trigger_price is None else order.trigger_price
    return "market" if amount is None else number(amount, decimals)


def average_price(order: Order, decimals: int) -> str:
    """The average price of an order's fills; empty without any."""
    if not order.filled:
        return ""
    with exact():
        return average(shown_average(order.filled_value, order.filled), decimals)


_STATUS_STYLES = {
    OrderStatus.FILLED: "green",
    OrderStatus.UNKNOWN: "bold red",
    OrderStatus.REJECTED: "red",
    OrderStatus.DENIED: "red",
    OrderStatus.CANCELED: "dim",
    OrderStatus.EXPIRED: "dim",
}


def order_status(order: Order) -> Text:
    """The status as it is shown, coloured alike."""
    status = order.shown_status
    words = f"{status.value}, queued" if order.is_queued else status.value
    return Text(words, style=_STATUS_STYLES.get(status, "yellow"))


def cover_text(position: Position) -> Text:
    """Whether the venue has confirmed stops for all of a position."""
    if position.state is not PositionState.OPEN:
        return Text(position.state.value, style="yellow")
    if position.naked_since_ns is not None:
        return Text("NAKED", style="bold red")
    return Text("covered", style="green")


def _outcome(judged: Judged) -> Text:
    """Accepted, or the reason of the refusal: there is no room for a column of each."""
    decision = judged.decision
    if decision is None:
        return Text("undecided", style="bold red")
    if decision.reason is not None:
        return Text(decision.reason.value, style="red")
    accepted = decision.outcome is Outcome.ACCEPTED
    return Text(decision.outcome.value, style="green" if accepted else "red")


def _measured(judged: Judged) -> str:
    failed = None if judged.decision is None else failed_check(judged.decision)
    return "" if failed is None else measured(failed, "UTC")


def _allowed(judged: Judged) -> str:
    failed = None if judged.decision is None else failed_check(judged.decision)
    return "" if failed is None else allowed(failed, judged.record.signal.side, "UTC")


# -- columns -------------------------------------------------------------------------------------


def account_columns(_clock: Clock, _decimals: PriceDecimals) -> list[Column]:
    return [
        Column("account", lambda row: row.account.va_id),
        Column("status", lambda row: status_text(row.status.value)),
        Column("symbol", lambda row: row.account.leased_symbol, 1),
        Column("equity", lambda row: money(row.equity), is_right=True),
        Column("realized", lambda row: signed_money(row.account.realized), 1, is_right=True),
        Column("open", lambda row: signed_money(row.unrealized), 1, is_right=True),
        Column("fees", lambda row: money(row.account.fees), 4, is_right=True),
        Column("trades", lambda row: str(row.account.trades), 3, is_right=True),
        Column(
            "won / lost",
            lambda row: won_and_lost(row.account.wins, row.account.losses),
            5,
            is_right=True,
        ),
        Column("losses in a row", lambda row: str(row.loss_streak), 6, True),
        Column("max drawdown", lambda row: percent(row.account.max_drawdown), 7, is_right=True),
        Column("exposure", lambda row: money(row.account.exposure), 8, is_right=True),
        Column("balance", lambda row: money(row.balance), 9, is_right=True),
        Column("cash", lambda row: money(row.account.cash), 10, is_right=True),
    ]


def position_columns(clock: Clock, decimals: PriceDecimals) -> list[Column]:
    def at(row: PositionFigures, amount: Decimal | None) -> str | None:
        return None if amount is None else number(amount, decimals(row.position.symbol))

    def entry_price(row: PositionFigures) -> str:
        return average(row.entry_price, decimals(row.position.symbol))

    return [
        Column("no.", lambda row: str(row.position.position_id), is_right=True),
        Column("account", lambda row: row.position.va_id),
        Column("symbol", lambda row: row.position.symbol),
        Column("side", lambda row: side_text(row.position.side.value)),
        Column("quantity", lambda row: number(row.position.quantity), is_aligned=True),
        Column("entry", entry_price, 2, is_aligned=True),
        Column("stop", lambda r: at(r, r.position.stop_price), 1, is_aligned=True),
        Column("cover", lambda row: cover_text(row.position)),
        Column("mark", lambda row: at(row, row.mark), 3, is_aligned=True),
        Column("open result", lambda row: signed_money(row.unrealized), 1, is_right=True),
        Column("target", lambda row: at(row, row.position.take_profit), 7, is_aligned=True),
        Column("closed part", lambda row: signed_money(row.position.realized_to_date), 6, True),
        Column("opened", lambda row: clock(row.position.opened_at_ns), 4),
        Column("signal", lambda row: row.position.signal_id, 5, is_id=True),
    ]


def order_columns(clock: Clock, decimals: PriceDecimals) -> list[Column]:
    return [
        Column("made", lambda row: clock(row.created_at_ns), 2),
        Column("account", lambda row: row.va_id),
        Column("order", lambda row: row.client_order_id, is_id=True),
        Column("for", lambda row: row.role.value),
        Column("symbol", lambda row: row.symbol),
        Column("side", lambda row: side_text(row.side.value)),
        Column("quantity", lambda row: number(row.quantity), is_aligned=True),
        Column("filled", lambda row: number(row.filled), 3, is_aligned=True),
        Column("price", lambda row: order_price(row, decimals(row.symbol)), 4, is_aligned=True),
        Column("average", lambda r: average_price(r, decimals(r.symbol)), 5, is_aligned=True),
        Column("status", order_status),
        Column("because", lambda row: row.end_reason and row.end_reason.value, 6),
        Column("exit", lambda row: row.exit_reason and row.exit_reason.value, 7),
        Column("fees", lambda row: money(row.fees), 8, is_right=True),
        Column("signal", lambda row: row.signal_id, 9, is_id=True),
    ]


def fee_text(fill: Fill) -> str:
    """The fee of an execution; with its currency where that is not the currency of the price."""
    if fill.fee_currency is None:
        return rounded(fill.fee, 2)
    return f"{rounded(fill.fee)} {printable(fill.fee_currency)}"


def fill_columns(clock: Clock, decimals: PriceDecimals) -> list[Column]:
    return [
        Column("booked", lambda row: clock(row.booked_at_ns)),
        Column("account", lambda row: row.va_id),
        Column("symbol", lambda row: row.symbol),
        Column("side", lambda row: side_text(row.side.value)),
        Column("quantity", lambda row: number(row.quantity), is_aligned=True),
        Column("price", lambda row: number(row.price, decimals(row.symbol)), is_aligned=True),
        Column("fee", fee_text, 2, is_aligned=True),
        Column("order", lambda row: row.client_order_id, 1, is_id=True),
        Column("position", lambda row: str(row.position_id), 3, is_right=True),
        Column("trade id", lambda row: row.trade_id, 4),
        Column("after", lambda row: length(row.booked_at_ns - row.venue_ts_ns), 5, is_right=True),
    ]


def trade_columns(clock: Clock, decimals: PriceDecimals) -> list[Column]:
    return [
        Column("closed", lambda row: clock(row.closed_at_ns), 2),
        Column("account", lambda row: row.va_id),
        Column("symbol", lambda row: row.symbol),
        Column("side", lambda row: side_text(row.side.value)),
        Column("quantity", lambda row: number(row.quantity), is_aligned=True),
        Column("entry", lambda r: average(r.entry_price, decimals(r.symbol)), 3, is_aligned=True),
        Column("exit", lambda r: average(r.exit_price, decimals(r.symbol)), 3, is_aligned=True),
        Column("result", lambda row: signed_money(row.pnl), is_right=True),
        Column("fees", lambda row: money(row.fees), 4, is_right=True),
        Column("because", lambda row: row.exit_reason.value),
        Column("held", lambda row: length(row.closed_at_ns - row.opened_at_ns), 5, is_right=True),
        Column("position", lambda row: str(row.position_id), 7, is_right=True),
        Column("signal", lambda row: row.signal_id, 6, is_id=True),
    ]


def signal_columns(clock: Clock, decimals: PriceDecimals) -> list[Column]:
    return [
        Column("received", lambda row: clock(row.record.received_at_ns), 1),
        Column("signal", lambda row: row.record.signal.signal_id, is_id=True),
        Column("account", lambda row: row.record.signal.va_id),
        Column("symbol", lambda row: row.record.signal.symbol),
        Column("side", lambda row: side_text(row.record.signal.side.value)),
        Column("size", lambda row: wanted_size(row.record.signal), is_right=True),
        Column("price", lambda row: wanted_price(row.record.signal, decimals), 4, is_aligned=True),
        Column("outcome", _outcome),
        Column("measured", _measured, 6),
        Column("must be", _allowed, 6),
        Column("repeats", lambda row: str(row.record.repeats or ""), 7, is_right=True),
        Column("reuses", lambda row: str(row.record.reuses or ""), 7, is_right=True),
        Column("source", lambda row: f"{row.record.source} {row.record.line or ''}", 8),
    ]


def incident_columns(clock: Clock, _decimals: PriceDecimals) -> list[Column]:
    return [
        Column("at", lambda row: clock(row.at_ns)),
        Column("kind", lambda row: Text(row.kind.value, style="yellow")),
        Column("account", lambda row: row.va_id),
        Column("symbol", lambda row: row.symbol, 3),
        Column("value", lambda row: row.value, 1, folds=True),
        Column("limit", lambda row: row.limit, 2),
        Column("detail", lambda row: row.detail, folds=True),
        Column("order", lambda row: row.client_order_id, 4),
    ]

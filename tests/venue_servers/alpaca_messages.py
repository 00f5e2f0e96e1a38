"""What Alpaca's trading API, its account stream and its data stream say, built from the books.

Written from Alpaca's documentation. Invariants: decimals of the trading API are strings without an
exponent, prices of the data stream are numbers; times are RFC 3339 in UTC with nine digits.
"""

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from tests.venue_servers.matching import Account
from tests.venue_servers.records import ENDED, Fill, Order, Position, Reason, Side, Status

NAMES = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What Alpaca keeps of an order beside the ledger. `shown` overrides the status of an open
    order (`held`, `suspended`, `done_for_day`, ...); `reason` is why the venue ended it."""

    kind: str
    time_in_force: str
    intent: str = ""
    is_routed: bool = True
    cancel_asked_ns: int = 0
    replaces: str | None = None
    replaced_by: str | None = None
    shown: str = ""
    reason: str = ""


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What Alpaca says of a stock beside what the ledger knows."""

    exchange: str = "NASDAQ"
    is_tradable: bool = True
    is_shortable: bool = True
    is_fractionable: bool = True


def text(value: Decimal) -> str:
    """Without an exponent and without zeros at the end."""
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def moment(ns: int) -> str:
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def named_id(name: str) -> str:
    """The same id for the same name, as an asset keeps its id."""
    return str(uuid.uuid5(NAMES, name))


def refusal(code: int, message: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "message": message, **more}


# --- orders ---------------------------------------------------------------------------------------


def status_of(order: Order, terms: Terms) -> str:
    if terms.replaced_by:
        return "replaced"
    if order.ended_by is Reason.NOT_FILLED_AT_ONCE:
        return "canceled"
    if order.status in ENDED:
        return str(order.status)
    if terms.cancel_asked_ns:
        return "pending_cancel"
    if terms.shown:
        return terms.shown
    if order.status is Status.PARTIALLY_FILLED:
        return "partially_filled"
    return "new" if terms.is_routed else "accepted"


def order_message(order: Order, terms: Terms) -> dict[str, Any]:
    status = status_of(order, terms)

    def when(ended: str) -> str | None:
        return moment(order.updated_ns) if status == ended else None

    def price(value: Decimal | None) -> str | None:
        return None if value is None else text(value)

    return {
        "id": order.id,
        "client_order_id": order.client_id,
        "created_at": moment(order.created_ns),
        "updated_at": moment(order.updated_ns),
        "submitted_at": moment(order.created_ns),
        "filled_at": when("filled"),
        "expired_at": when("expired"),
        "canceled_at": when("canceled"),
        "failed_at": when("rejected"),
        "replaced_at": when("replaced"),
        "replaced_by": terms.replaced_by,
        "replaces": terms.replaces,
        "asset_id": named_id(order.symbol),
        "symbol": order.symbol,
        "asset_class": "us_equity",
        "notional": None,
        "qty": text(order.quantity),
        "filled_qty": text(order.filled),
        "filled_avg_price": text(order.average) if order.filled else None,
        "order_class": "",
        "order_type": terms.kind,
        "type": terms.kind,
        "side": str(order.side),
        "position_intent": terms.intent,
        "time_in_force": terms.time_in_force,
        "limit_price": price(order.price),
        "stop_price": price(order.trigger_price),
        "status": status,
        "extended_hours": False,
        "legs": None,
        "trail_percent": None,
        "trail_price": None,
        "hwm": None,
        "subtag": None,
        "source": None,
        "expires_at": None,
    }


def arrived_message(order: Order, terms: Terms) -> dict[str, Any]:
    """The answer to a new order: as it was before the exchange said anything."""
    message = order_message(order, terms)
    status = "pending_new" if terms.is_routed else "accepted"
    nothing_yet = {
        "filled_qty": "0",
        "filled_avg_price": None,
        "filled_at": None,
        "expired_at": None,
        "canceled_at": None,
        "failed_at": None,
    }
    return message | nothing_yet | {"status": status, "updated_at": message["created_at"]}


def update(event: str, at_ns: int, order: dict[str, Any], **of_the_fill: Any) -> dict[str, Any]:
    """A message of the account stream."""
    data = {"event": event, "timestamp": moment(at_ns), "order": order, **of_the_fill}
    return {"stream": "trade_updates", "data": data}


def fill_update(
    fill: Fill, order: Order, terms: Terms, held: Decimal, execution_id: str
) -> dict[str, Any]:
    is_last = order.status is Status.FILLED
    return update(
        "fill" if is_last else "partial_fill",
        fill.at_ns,
        order_message(order, terms),
        price=text(fill.price),
        qty=text(fill.quantity),
        position_qty=text(held),
        execution_id=execution_id,
    )


# --- the account ----------------------------------------------------------------------------------


def account_message(
    account: Account, *, buying_power: Decimal, is_blocked: bool, shorts: bool
) -> dict[str, Any]:
    """Without the fields of the pattern day trader rule, which left the API on 2026-07-06."""
    values = [p.quantity * price_now(account, p) for p in account.held()]
    long_value = sum((value for value in values if value > 0), Decimal(0))
    short_value = sum((value for value in values if value < 0), Decimal(0))
    equity = text(account.cash + long_value + short_value)
    return {
        "id": named_id("account"),
        "account_number": "PA0000000001",
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": "USD",
        "cash": text(account.cash),
        "buying_power": text(buying_power),
        "regt_buying_power": text(buying_power),
        "non_marginable_buying_power": text(max(account.cash, Decimal(0))),
        "portfolio_value": equity,
        "equity": equity,
        "last_equity": equity,
        "long_market_value": text(long_value),
        "short_market_value": text(short_value),
        "initial_margin": text((long_value - short_value) / 2),
        "maintenance_margin": text((long_value - short_value) * 3 / 10),
        "accrued_fees": "0",
        "multiplier": text(account.leverage),
        "trading_blocked": is_blocked,
        "transfers_blocked": False,
        "account_blocked": is_blocked,
        "trade_suspended_by_user": False,
        "shorting_enabled": shorts,
        "created_at": "2026-01-02T15:00:00.000000000Z",
    }


def price_now(account: Account, position: Position) -> Decimal:
    quote = account.quotes.get(position.symbol)
    return quote.last if quote else position.entry_price


def position_message(
    account: Account, position: Position, available: Decimal, listing: Listing
) -> dict[str, Any]:
    price = price_now(account, position)
    cost = position.cost
    value = position.quantity * price
    gain = value - cost
    share = text((gain / abs(cost)).quantize(Decimal("0.00000001"))) if cost else "0"
    return {
        "asset_id": named_id(position.symbol),
        "symbol": position.symbol,
        "exchange": listing.exchange,
        "asset_class": "us_equity",
        "asset_marginable": True,
        "avg_entry_price": text(position.entry_price),
        "qty": text(position.quantity),
        "qty_available": text(available),
        "side": "long" if position.quantity > 0 else "short",
        "market_value": text(value),
        "cost_basis": text(cost),
        "unrealized_pl": text(gain),
        "unrealized_plpc": share,
        "unrealized_intraday_pl": text(gain),
        "unrealized_intraday_plpc": share,
        "current_price": text(price),
        "lastday_price": text(position.entry_price),
        "change_today": "0",
    }


def activity_id(at_ns: int, last_part: str) -> str:
    at = datetime.fromtimestamp(at_ns // 1_000_000_000, UTC)
    return f"{at:%Y%m%d%H%M%S}{at_ns // 1_000_000 % 1000:03d}::{last_part}"


def fill_activity(
    fill: Fill, order: Order, terms: Terms, cumulative: Decimal, last_part: str
) -> dict[str, Any]:
    """A row of the account's activities; it has no client id."""
    leaves = order.quantity - cumulative
    return {
        "id": activity_id(fill.at_ns, last_part),
        "account_id": named_id("account"),
        "activity_type": "FILL",
        "transaction_time": moment(fill.at_ns),
        "type": "partial_fill" if leaves else "fill",
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "cum_qty": text(cumulative),
        "leaves_qty": text(leaves),
        "side": "sell_short" if is_opening_short(fill) else str(fill.side),
        "symbol": fill.symbol,
        "order_id": order.id,
        "order_status": status_of(order, terms) if not leaves else "partially_filled",
    }


def is_opening_short(fill: Fill) -> bool:
    return fill.side is Side.SELL and fill.closed < fill.quantity


def fee_activity(number: str, at_ns: int, amount: Decimal, symbol: str) -> dict[str, Any]:
    """A regulatory fee, which Alpaca books after the trades that caused it."""
    at = moment(at_ns)
    return {
        "id": activity_id(at_ns, named_id(f"fee {number}")),
        "account_id": named_id("account"),
        "activity_type": "FEE",
        "date": at[:10],
        "created_at": at,
        "net_amount": text(amount),
        "description": f"TAF fee for proceed of shares ({symbol})",
        "status": "executed",
    }


def asset_message(symbol: str, listing: Listing) -> dict[str, Any]:
    return {
        "id": named_id(symbol),
        "class": "us_equity",
        "exchange": listing.exchange,
        "symbol": symbol,
        "name": f"{symbol} Common Stock",
        "status": "active" if listing.is_tradable else "inactive",
        "tradable": listing.is_tradable,
        "marginable": True,
        "maintenance_margin_requirement": 30,
        "shortable": listing.is_shortable,
        "easy_to_borrow": listing.is_shortable,
        "fractionable": listing.is_fractionable,
        "attributes": [],
    }


# --- the data stream ------------------------------------------------------------------------------

CHANNELS = (
    "trades",
    "quotes",
    "bars",
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
    "corrections",
    "cancelErrors",
)


def subscription(tags: set[str]) -> list[dict[str, Any]]:
    """The tags of a socket are `channel:symbol`."""
    by_channel = {
        channel: sorted(tag.partition(":")[2] for tag in tags if tag.startswith(f"{channel}:"))
        for channel in CHANNELS
    }
    return [{"T": "subscription", **by_channel}]


def quote_message(
    symbol: str, at: datetime, bid: Decimal, ask: Decimal, bid_size: Decimal, ask_size: Decimal
) -> dict[str, Any]:
    """A side without anybody has price and size zero and a blank exchange."""
    return {
        "T": "q",
        "S": symbol,
        "bx": "V" if bid else " ",
        "bp": bid,
        "bs": bid_size,
        "ax": "V" if ask else " ",
        "ap": ask,
        "as": ask_size,
        "c": ["R"],
        "z": "C",
        "t": at,
    }


def trade_message(
    symbol: str, at: datetime, number: int, price: Decimal, size: Decimal
) -> dict[str, Any]:
    return {
        "T": "t",
        "S": symbol,
        "i": number,
        "x": "V",
        "p": price,
        "s": size,
        "c": ["@"],
        "z": "C",
        "t": at,
    }


def halt_message(symbol: str, at: datetime, *, is_halted: bool) -> dict[str, Any]:
    """The codes of tape C: H halted, T trading again; LUDP a volatility pause."""
    return {
        "T": "s",
        "S": symbol,
        "sc": "H" if is_halted else "T",
        "sm": "Trading Halt" if is_halted else "Trading Resumption",
        "rc": "LUDP" if is_halted else "",
        "rm": "Volatility Trading Pause" if is_halted else "",
        "z": "C",
        "t": at,
    }

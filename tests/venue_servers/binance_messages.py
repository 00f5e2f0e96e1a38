"""What Binance USDM futures pushes, made from the ledger's records: field names and
forms as in the venue's documentation. Nothing here decides anything.

A conditional order has two faces. Until it triggers it is an algo order with an id of its own; from
then on its child is an ordinary order. The ledger keeps both as one record, whose id is the
child's; a `Stop` is what the ledger does not know of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.venue_servers.records import (
    ZERO,
    Fill,
    FillKind,
    Holding,
    Order,
    Position,
    Quote,
    Reason,
    Status,
    TimeInForce,
)

POSITION_SIDES = {Holding.NET: "BOTH", Holding.LONG: "LONG", Holding.SHORT: "SHORT"}
TIMES_IN_FORCE = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.POST_ONLY: "GTX",
}
VENUES_OWN = {
    FillKind.LIQUIDATION: "autoclose-",
    FillKind.DELEVERAGING: "adl_autoclose_",
}
"""How the client ids of orders that the venue itself places begin."""

STOP_ENDED = {"FINISHED", "CANCELED", "EXPIRED", "REJECTED"}

EXPIRY_REASONS: dict[Reason | None, str] = {
    Reason.NOT_FILLED_AT_ONCE: "2",
    Reason.NOTHING_TO_REDUCE: "4",
}

PLACES = Decimal("0.00001")


@dataclass(kw_only=True)
class Stop:
    algo_id: int
    client_algo_id: str
    order_id: str
    """In the ledger, and the child's once there is one."""
    type: str
    working_type: str
    price_protect: bool
    child_client_id: str
    status: str = "NEW"
    has_child: bool = False
    refusal: str = ""


def plain(value: Decimal) -> str:
    return format(value, "f")


def average(order: Order) -> str:
    return plain(order.average.quantize(PLACES)) if order.filled else "0.00"


def ms(ns: int) -> int:
    return ns // 1_000_000


def status(order: Order) -> str:
    """The venue says EXPIRED where an order ended by a rule and not because somebody asked."""
    if order.status is Status.CANCELED and order.ended_by is not Reason.ASKED:
        return "EXPIRED"
    return order.status.value.upper()


def is_venues_own(client_id: str) -> bool:
    return client_id.startswith(tuple(VENUES_OWN.values()))


def order_type(order: Order) -> str:
    return "LIMIT" if order.price is not None or is_venues_own(order.client_id) else "MARKET"


def order_update(
    execution: str, order: Order, client_id: str, fill: Fill | None, now_ms: int
) -> dict[str, Any]:
    """ORDER_TRADE_UPDATE. `execution` is NEW, TRADE, CANCELED, EXPIRED or AMENDMENT."""
    own = is_venues_own(client_id)
    state = status(order)
    if own and fill is not None and fill.kind is FillKind.DELEVERAGING:
        state = "NEW_ADL"
    price = fill.price if own and fill is not None else order.price or ZERO
    told: dict[str, Any] = {
        "s": order.symbol,
        "c": client_id,
        "S": order.side.value.upper(),
        "o": order_type(order),
        "f": TIMES_IN_FORCE[order.time_in_force],
        "q": plain(order.quantity),
        "p": plain(price),
        "ap": average(order),
        "sp": "0",
        "x": "CALCULATED" if own else execution,
        "X": state,
        "i": int(order.id),
        "l": plain(fill.quantity if fill else ZERO),
        "z": plain(order.filled),
        "L": plain(fill.price if fill else ZERO),
        "N": "USDT",
        "n": plain(fill.fee if fill else ZERO),
        "T": ms(order.updated_ns),
        "t": int(fill.id) if fill else 0,
        "b": "0",
        "a": "0",
        "m": fill.is_maker if fill else False,
        "R": order.is_reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order_type(order),
        "ps": POSITION_SIDES[order.holding],
        "cp": False,
        "AP": "0",
        "cr": "0",
        "pP": False,
        "si": 0,
        "ss": 0,
        "rp": plain(fill.realized if fill else ZERO),
        "V": "NONE",
        "pm": "NONE",
        "gtd": 0,
        "er": EXPIRY_REASONS.get(order.ended_by, "0"),
    }
    return {"e": "ORDER_TRADE_UPDATE", "T": ms(order.updated_ns), "E": now_ms, "o": told}


def trade_lite(order: Order, client_id: str, fill: Fill, now_ms: int) -> dict[str, Any]:
    return {
        "e": "TRADE_LITE",
        "E": now_ms,
        "T": ms(fill.at_ns),
        "s": order.symbol,
        "c": client_id,
        "S": order.side.value.upper(),
        "q": plain(order.quantity),
        "p": plain(order.price or ZERO),
        "i": int(order.id),
        "l": plain(fill.quantity),
        "L": plain(fill.price),
        "t": int(fill.id),
        "m": fill.is_maker,
    }


def algo_update(order: Order, stop: Stop, now_ms: int) -> dict[str, Any]:
    told = {
        "caid": stop.client_algo_id,
        "aid": stop.algo_id,
        "at": "CONDITIONAL",
        "o": stop.type,
        "s": order.symbol,
        "S": order.side.value.upper(),
        "ps": POSITION_SIDES[order.holding],
        "f": TIMES_IN_FORCE[order.time_in_force],
        "q": plain(order.quantity),
        "X": stop.status,
        "ai": order.id if stop.has_child else "",
        "ap": average(order),
        "aq": plain(order.filled),
        "act": order_type(order) if stop.has_child else "0",
        "tp": plain(order.trigger_price or ZERO),
        "p": plain(order.price or ZERO),
        "V": "EXPIRE_MAKER",
        "wt": stop.working_type,
        "pm": "NONE",
        "cp": False,
        "pP": stop.price_protect,
        "R": order.is_reduce_only,
        "tt": ms(order.updated_ns) if stop.has_child else 0,
        "gtd": 0,
        "rm": stop.refusal,
    }
    return {"e": "ALGO_UPDATE", "T": ms(order.updated_ns), "E": now_ms, "o": told}


def account_update(
    why: str, cash: Decimal, moved: Decimal, positions: Iterable[dict[str, Any]], now_ms: int
) -> dict[str, Any]:
    """ACCOUNT_UPDATE. `moved` is what the balance changed by other than by trading."""
    balance = {"a": "USDT", "wb": plain(cash), "cw": plain(cash), "bc": plain(moved)}
    told = {"m": why, "B": [balance], "P": list(positions)}
    return {"e": "ACCOUNT_UPDATE", "T": now_ms, "E": now_ms, "a": told}


def leverage_update(symbol: str, leverage: int, now_ms: int) -> dict[str, Any]:
    told = {"s": symbol, "l": leverage}
    return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ac": told}


def size(shown: Decimal | None) -> str:
    """A size without an end is told as a large one."""
    return plain(Decimal(1000) if shown is None else shown)


def position_update(position: Position, unrealized: Decimal) -> dict[str, Any]:
    return {
        "s": position.symbol,
        "pa": plain(position.quantity),
        "ep": plain(position.entry_price),
        "bep": plain(position.entry_price),
        "cr": plain(position.realized),
        "up": plain(unrealized),
        "mt": "cross",
        "iw": "0",
        "ps": POSITION_SIDES[position.holding],
    }


def book_ticker(symbol: str, quote: Quote, number: int) -> dict[str, Any]:
    return {
        "e": "bookTicker",
        "u": number,
        "E": ms(quote.at_ns),
        "T": ms(quote.at_ns),
        "s": symbol,
        "b": plain(quote.bid),
        "B": size(quote.bid_size),
        "a": plain(quote.ask),
        "A": size(quote.ask_size),
        "st": 1,
        "ps": symbol,
    }

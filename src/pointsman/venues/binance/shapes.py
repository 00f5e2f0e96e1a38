"""What Binance sends, as records for `venues.shapes`: only the fields that are read."""

from decimal import Decimal
from typing import Any

import msgspec


class Shape(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename="camel"):
    """The base: fields are named as in the venue's JSON, in camel case."""


class ServerTime(Shape, frozen=True):
    """What time it is, in milliseconds."""

    server_time: int


class OrderRow(Shape, frozen=True):
    """An order of `/order` and `/openOrders`."""

    order_id: int
    client_order_id: str
    symbol: str
    status: str
    side: str
    position_side: str
    type: str
    time_in_force: str
    orig_qty: Decimal
    executed_qty: Decimal
    price: Decimal
    reduce_only: bool
    update_time: int


class StopRow(Shape, frozen=True):
    """A conditional order of `/algoOrder` and the lists of them. `actual_order_id` is that of the
    order which it became when it triggered, and empty before. One that somebody else has placed may
    have neither quantity nor trigger."""

    algo_id: int
    client_algo_id: str
    symbol: str
    side: str
    position_side: str
    algo_status: str
    reduce_only: bool
    update_time: int
    quantity: str | None = None
    trigger_price: str | None = None
    actual_order_id: str | int | None = None


class TradeRow(Shape, frozen=True):
    symbol: str
    id: int
    order_id: int
    side: str
    position_side: str
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    time: int


class PositionRow(Shape, frozen=True):
    symbol: str
    position_side: str
    position_amt: Decimal
    update_time: int


class IncomeRow(Shape, frozen=True):
    """`income` is as the venue writes it: most rows are of a kind that is not booked from here, and
    what such a row says must not keep the others from being read."""

    symbol: str
    income_type: str
    income: str
    asset: str
    time: int
    tran_id: int


class RateRow(Shape, frozen=True):
    """A funding rate: above zero longs pay shorts."""

    funding_rate: Decimal


class SymbolRow(Shape, frozen=True):
    symbol: str
    contract_type: str
    status: str
    base_asset: str
    quote_asset: str
    margin_asset: str
    filters: list[dict[str, Any]]


class RateLimit(Shape, frozen=True):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class ExchangeInfo(Shape, frozen=True):
    symbols: list[SymbolRow]
    rate_limits: list[RateLimit]


class OrderUpdate(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The content of ORDER_TRADE_UPDATE."""

    symbol: str = msgspec.field(name="s")
    client_order_id: str = msgspec.field(name="c")
    time_in_force: str = msgspec.field(name="f")
    execution: str = msgspec.field(name="x")
    status: str = msgspec.field(name="X")
    order_id: int = msgspec.field(name="i")
    last_qty: Decimal = msgspec.field(name="l")
    filled: Decimal = msgspec.field(name="z")
    last_price: Decimal = msgspec.field(name="L")
    time: int = msgspec.field(name="T")
    trade_id: int = msgspec.field(name="t")
    fee: Decimal = msgspec.field(name="n", default=Decimal(0))
    fee_asset: str | None = msgspec.field(name="N", default=None)
    expiry_reason: str | int = msgspec.field(name="er", default="0")


class StopUpdate(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The content of ALGO_UPDATE."""

    client_algo_id: str = msgspec.field(name="caid")
    algo_id: int = msgspec.field(name="aid")
    symbol: str = msgspec.field(name="s")
    status: str = msgspec.field(name="X")
    actual_order_id: str | int | None = msgspec.field(name="ai", default=None)
    refusal: str | None = msgspec.field(name="rm", default=None)


class PositionUpdate(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A row of `P` in ACCOUNT_UPDATE."""

    symbol: str = msgspec.field(name="s")
    position_amt: Decimal = msgspec.field(name="pa")
    position_side: str = msgspec.field(name="ps")


class AccountUpdate(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The content of ACCOUNT_UPDATE."""

    reason: str = msgspec.field(name="m")
    positions: list[PositionUpdate] = msgspec.field(name="P", default_factory=list)

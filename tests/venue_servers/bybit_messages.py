"""What Bybit v5 writes: rows of lists and of stream messages for USDT perpetuals, made from the
records of the exchange behind the loopback server.

Here the mark and index price are the last price.
"""

from decimal import Decimal
from typing import Any

from tests.venue_servers.matching import Account
from tests.venue_servers.records import (
    ZERO,
    Fill,
    FillKind,
    Holding,
    Instrument,
    Order,
    Payment,
    Position,
    Quote,
    Reason,
    Side,
    Status,
    TimeInForce,
)

Row = dict[str, Any]

SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
TIMES_IN_FORCE = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.POST_ONLY: "PostOnly",
}
POSITION_INDEX = {Holding.NET: 0, Holding.LONG: 1, Holding.SHORT: 2}
EXECUTIONS = {
    FillKind.TRADE: "Trade",
    FillKind.LIQUIDATION: "BustTrade",
    FillKind.DELEVERAGING: "AdlTrade",
}
MADE_BY = {
    FillKind.LIQUIDATION: "CreateByTakeOver_PassThrough",
    FillKind.DELEVERAGING: "CreateByAdl_PassThrough",
}
STATUSES = {
    Status.UNTRIGGERED: "Untriggered",
    Status.NEW: "New",
    Status.PARTIALLY_FILLED: "PartiallyFilled",
    Status.FILLED: "Filled",
    Status.CANCELED: "Cancelled",
    Status.EXPIRED: "Cancelled",
    Status.REJECTED: "Cancelled",
}
CANCEL_TYPES = {
    Reason.ASKED: "CancelByUser",
    Reason.NOTHING_TO_REDUCE: "CancelByReduceOnly",
}
REJECT_REASONS = {
    Reason.ASKED: "EC_PerCancelRequest",
    Reason.WOULD_TAKE: "EC_PostOnlyWillTakeLiquidity",
    Reason.INSUFFICIENT: "EC_Others",
}
ENDLESS = Decimal(100000)
"""Shown where the exchange has no limit of size."""


def plain(value: Decimal) -> str:
    """Without an exponent or needless zeros, at most 12 places."""
    text = f"{value:.12f}" if value.as_tuple().exponent < -12 else f"{value:f}"  # type: ignore[operator]
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def milliseconds(at_ns: int) -> str:
    return str(at_ns // 1_000_000)


def status_of(order: Order) -> str:
    """A conditional order that is cancelled before its trigger is `Deactivated`."""
    is_conditional = order.trigger_price is not None
    if order.status is Status.CANCELED and is_conditional and not order.is_triggered:
        return "Deactivated"
    return STATUSES[order.status]


def reject_reason(order: Order) -> str:
    if order.ended_by is Reason.NOT_FILLED_AT_ONCE:
        is_partial = order.filled or order.time_in_force is TimeInForce.FOK
        return "EC_CancelForNoFullFill" if is_partial else "EC_NoImmediateQtyToFill"
    return REJECT_REASONS.get(order.ended_by, "EC_NoError") if order.ended_by else "EC_NoError"


def order_row(
    order: Order, *, made_by: str = "", last_on_created: Decimal = ZERO, status: str = ""
) -> Row:
    is_conditional = order.trigger_price is not None
    limit = order.price or ZERO
    return {
        "category": "linear",
        "symbol": order.symbol,
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "blockTradeId": "",
        "side": SIDES[order.side],
        "positionIdx": POSITION_INDEX[order.holding],
        "orderStatus": status or status_of(order),
        "createType": made_by or ("CreateByStopOrder" if is_conditional else "CreateByUser"),
        "cancelType": CANCEL_TYPES.get(order.ended_by, "UNKNOWN") if order.ended_by else "UNKNOWN",
        "rejectReason": reject_reason(order),
        "timeInForce": TIMES_IN_FORCE[order.time_in_force],
        "isLeverage": "",
        "price": plain(limit),
        "qty": plain(order.quantity),
        "avgPrice": plain(order.average) if order.filled else "",
        "leavesQty": plain(order.leaves),
        "leavesValue": plain(order.leaves * limit),
        "cumExecQty": plain(order.filled),
        "cumExecValue": plain(order.cost),
        "cumExecFee": plain(order.fee),
        "orderType": "Market" if order.price is None else "Limit",
        "stopOrderType": "Stop" if is_conditional else "",
        "orderIv": "",
        "triggerPrice": plain(order.trigger_price) if order.trigger_price else "",
        "triggerDirection": (1 if order.trigger_rises else 2) if is_conditional else 0,
        "triggerBy": "LastPrice" if is_conditional else "",
        "takeProfit": "",
        "stopLoss": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "tpslMode": "UNKNOWN",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "lastPriceOnCreated": plain(last_on_created),
        "reduceOnly": order.is_reduce_only,
        "closeOnTrigger": False,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": milliseconds(order.created_ns),
        "updatedTime": milliseconds(order.updated_ns),
    }


def execution_row(fill: Fill, order: Order, *, leaves: Decimal) -> Row:
    """`leaves` is what the order had left right after this fill."""
    is_conditional = order.trigger_price is not None
    value = fill.quantity * fill.price
    return {
        "category": "linear",
        "symbol": fill.symbol,
        "orderId": fill.order_id,
        "orderLinkId": fill.client_id,
        "side": SIDES[fill.side],
        "orderPrice": plain(order.price or fill.price),
        "orderQty": plain(order.quantity),
        "leavesQty": plain(leaves),
        "createType": MADE_BY.get(
            fill.kind, "CreateByStopOrder" if is_conditional else "CreateByUser"
        ),
        "orderType": "Market" if order.price is None else "Limit",
        "stopOrderType": "Stop" if is_conditional else "UNKNOWN",
        "execFee": plain(fill.fee),
        "feeRate": plain(fill.fee / value) if value else "0",
        "feeCurrency": "",
        "execId": fill.id,
        "execPrice": plain(fill.price),
        "execQty": plain(fill.quantity),
        "execType": EXECUTIONS[fill.kind],
        "execValue": plain(value),
        "execTime": milliseconds(fill.at_ns),
        "execPnl": plain(fill.realized),
        "isMaker": fill.is_maker,
        "isLeverage": "0",
        "closedSize": plain(fill.closed),
        "markPrice": plain(fill.price),
        "indexPrice": "",
        "underlyingPrice": "",
        "tradeIv": "",
        "markIv": "",
        "blockTradeId": "",
        "extraFees": "",
        "seq": fill.at_ns // 1000,
    }


def funding_row(payment: Payment) -> Row:
    """A funding fee: what the user pays is positive. The side is that of the position."""
    value = abs(payment.quantity) * payment.price
    return {
        "category": "linear",
        "symbol": payment.symbol,
        "orderId": payment.id,
        "orderLinkId": "",
        "side": "Buy" if payment.quantity >= 0 else "Sell",
        "orderPrice": "0",
        "orderQty": "0",
        "leavesQty": "0",
        "createType": "",
        "orderType": "UNKNOWN",
        "stopOrderType": "UNKNOWN",
        "execFee": plain(-payment.amount),
        "feeRate": plain(-payment.amount / value) if value else "0",
        "feeCurrency": "",
        "execId": payment.id,
        "execPrice": plain(payment.price),
        "execQty": plain(abs(payment.quantity)),
        "execType": "Funding",
        "execValue": plain(value),
        "execTime": milliseconds(payment.at_ns),
        "execPnl": "0",
        "isMaker": False,
        "isLeverage": "0",
        "closedSize": "0",
        "markPrice": plain(payment.price),
        "indexPrice": "",
        "underlyingPrice": "",
        "tradeIv": "",
        "markIv": "",
        "blockTradeId": "",
        "extraFees": "",
        "seq": payment.at_ns // 1000,
    }


def position_row(position: Position, account: Account, *, is_stream: bool = False) -> Row:
    """Lists and the stream name the entry price differently."""
    quote = account.quotes.get(position.symbol)
    mark = quote.last if quote else position.entry_price
    size = abs(position.quantity)
    sides = ("Sell", "", "Buy")
    margin = size * mark / account.leverage
    return {
        "category": "linear",
        "positionIdx": POSITION_INDEX[position.holding],
        "riskId": 1,
        "riskLimitValue": "2000000",
        "symbol": position.symbol,
        "side": sides[(position.quantity > 0) - (position.quantity < 0) + 1],
        "size": plain(size),
        "entryPrice" if is_stream else "avgPrice": plain(position.entry_price),
        "positionValue": plain(abs(position.cost)),
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 2 if size else 0,
        "leverage": plain(account.leverage),
        "positionBalance": "0",
        "markPrice": plain(mark),
        "liqPrice": "",
        "bustPrice": "",
        "positionIM": plain(margin),
        "positionMM": plain(margin / 20),
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "sessionAvgPrice": "",
        "unrealisedPnl": plain(account.unrealized(position)),
        "curRealisedPnl": plain(position.realized),
        "cumRealisedPnl": plain(position.realized),
        "seq": position.updated_ns // 1000 or -1,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": milliseconds(position.created_ns),
        "updatedTime": milliseconds(position.updated_ns),
    }


def wallet_row(account: Account) -> Row:
    held = account.held()
    results = sum((account.unrealized(p) for p in held), ZERO)
    margin = sum((abs(p.cost) for p in held), ZERO) / account.leverage
    equity = account.equity()
    return {
        "accountType": "UNIFIED",
        "accountLTV": "0",
        "accountIMRate": plain(margin / equity) if equity else "0",
        "accountMMRate": plain(margin / 20 / equity) if equity else "0",
        "totalEquity": plain(equity),
        "totalWalletBalance": plain(account.cash),
        "totalMarginBalance": plain(equity),
        "totalAvailableBalance": plain(max(ZERO, equity - margin)),
        "totalPerpUPL": plain(results),
        "totalInitialMargin": plain(margin),
        "totalMaintenanceMargin": plain(margin / 20),
        "coin": [
            {
                "coin": "USDT",
                "equity": plain(equity),
                "usdValue": plain(equity),
                "walletBalance": plain(account.cash),
                "availableToWithdraw": "",
                "availableToBorrow": "",
                "borrowAmount": "0",
                "accruedInterest": "0",
                "totalOrderIM": "0",
                "totalPositionIM": plain(margin),
                "totalPositionMM": plain(margin / 20),
                "unrealisedPnl": plain(results),
                "cumRealisedPnl": plain(
                    sum((p.realized for p in account.positions.values()), ZERO)
                ),
                "bonus": "0",
                "locked": "0",
                "spotHedgingQty": "0",
                "marginCollateral": True,
                "collateralSwitch": True,
            }
        ],
    }


def instrument_row(instrument: Instrument, *, leverage: Decimal) -> Row:
    return {
        "symbol": instrument.symbol,
        "contractType": "LinearPerpetual",
        "status": "Trading",
        "baseCoin": instrument.base,
        "quoteCoin": instrument.quote,
        "settleCoin": instrument.quote,
        "launchTime": "1585526400000",
        "deliveryTime": "0",
        "deliveryFeeRate": "",
        "priceScale": str(-int(instrument.tick.normalize().as_tuple().exponent)),
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": plain(max(leverage, Decimal(100))),
            "leverageStep": "0.01",
        },
        "priceFilter": {
            "minPrice": plain(instrument.tick),
            "maxPrice": "1999999.8",
            "tickSize": plain(instrument.tick),
        },
        "lotSizeFilter": {
            "maxOrderQty": plain(instrument.max_quantity),
            "minOrderQty": plain(instrument.min_quantity),
            "qtyStep": plain(instrument.lot),
            "postOnlyMaxOrderQty": plain(instrument.max_quantity),
            "maxMktOrderQty": plain(instrument.max_market_quantity),
            "minNotionalValue": plain(instrument.min_notional),
        },
        "unifiedMarginTrade": True,
        "fundingInterval": 480,
        "copyTrading": "both",
        "upperFundingRate": "0.00375",
        "lowerFundingRate": "-0.00375",
        "isPreListing": False,
        "preListingInfo": None,
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
        "displayName": "",
    }


def ticker_row(symbol: str, quote: Quote) -> Row:
    last = plain(quote.last)
    (bid,), (ask,) = (levels or [["", ""]] for levels in book_levels(quote))
    return {
        "symbol": symbol,
        "tickDirection": "PlusTick",
        "price24hPcnt": "0",
        "lastPrice": last,
        "prevPrice24h": last,
        "highPrice24h": last,
        "lowPrice24h": last,
        "prevPrice1h": last,
        "markPrice": last,
        "indexPrice": last,
        "openInterest": "0",
        "openInterestValue": "0",
        "turnover24h": "0",
        "volume24h": "0",
        "nextFundingTime": str((quote.at_ns // 28_800_000_000_000 + 1) * 28_800_000),
        "fundingRate": "0.0001",
        "bid1Price": bid[0],
        "bid1Size": bid[1],
        "ask1Price": ask[0],
        "ask1Size": ask[1],
    }


def book_levels(quote: Quote) -> tuple[list[list[str]], list[list[str]]]:
    """The best bid and ask as `[[price, size]]`; empty where nobody stands."""

    def level(price: Decimal, size: Decimal | None) -> list[list[str]]:
        shown = ENDLESS if size is None else size
        return [[plain(price), plain(shown)]] if price and shown else []

    return level(quote.bid, quote.bid_size), level(quote.ask, quote.ask_size)


def book_change(before: list[list[str]], after: list[list[str]]) -> list[list[str]]:
    """The levels of a `delta`: what has gone has the size 0."""
    if before == after:
        return []
    kept = {price for price, _ in after}
    return [[price, "0"] for price, _ in before if price not in kept] + after

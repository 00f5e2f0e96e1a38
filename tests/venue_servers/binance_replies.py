"""What Binance USDM futures answers to requests, made from the ledger's records: field names and
forms as in the venue's documentation.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.venue_servers.binance_messages import (
    POSITION_SIDES,
    TIMES_IN_FORCE,
    Stop,
    average,
    ms,
    order_type,
    plain,
    size,
    status,
)
from tests.venue_servers.matching import Account
from tests.venue_servers.records import ZERO, Fill, Order, Payment, Position, Quote, Side


def order_reply(order: Order, client_id: str) -> dict[str, Any]:
    return {
        "orderId": int(order.id),
        "symbol": order.symbol,
        "status": status(order),
        "clientOrderId": client_id,
        "price": plain(order.price or ZERO),
        "avgPrice": average(order),
        "origQty": plain(order.quantity),
        "executedQty": plain(order.filled),
        "cumQty": plain(order.filled),
        "cumQuote": plain(order.cost),
        "timeInForce": TIMES_IN_FORCE[order.time_in_force],
        "type": order_type(order),
        "reduceOnly": order.is_reduce_only,
        "closePosition": False,
        "side": order.side.value.upper(),
        "positionSide": POSITION_SIDES[order.holding],
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order_type(order),
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "time": ms(order.created_ns),
        "updateTime": ms(order.updated_ns),
    }


def stop_reply(order: Order, stop: Stop) -> dict[str, Any]:
    triggered_ms = ms(order.updated_ns) if stop.has_child else 0
    return {
        "algoId": stop.algo_id,
        "clientAlgoId": stop.client_algo_id,
        "algoType": "CONDITIONAL",
        "orderType": stop.type,
        "type": stop.type,  # one source says `type`, another `orderType`
        "symbol": order.symbol,
        "side": order.side.value.upper(),
        "positionSide": POSITION_SIDES[order.holding],
        "timeInForce": TIMES_IN_FORCE[order.time_in_force],
        "quantity": plain(order.quantity),
        "algoStatus": stop.status,
        "triggerPrice": plain(order.trigger_price or ZERO),
        "price": plain(order.price or ZERO),
        "icebergQuantity": None,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": stop.working_type,
        "priceMatch": "NONE",
        "closePosition": False,
        "priceProtect": stop.price_protect,
        "reduceOnly": order.is_reduce_only,
        "activatePrice": "",
        "callbackRate": "",
        "createTime": ms(order.created_ns),
        "updateTime": ms(order.updated_ns),
        "triggerTime": triggered_ms,
        "goodTillDate": 0,
        "actualOrderId": order.id if stop.has_child else "",
        "actualPrice": average(order),
    }


def position_risk(position: Position, mark: Decimal, leverage: Decimal) -> dict[str, Any]:
    notional = position.quantity * mark
    margin = plain(abs(notional) / leverage)
    return {
        "symbol": position.symbol,
        "positionSide": POSITION_SIDES[position.holding],
        "positionAmt": plain(position.quantity),
        "entryPrice": plain(position.entry_price),
        "breakEvenPrice": plain(position.entry_price),
        "markPrice": plain(mark),
        "unRealizedProfit": plain(notional - position.cost),
        "liquidationPrice": "0",
        "isolatedMargin": "0",
        "notional": plain(notional),
        "marginAsset": "USDT",
        "isolatedWallet": "0",
        "initialMargin": margin,
        "maintMargin": "0",
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": ms(position.updated_ns),
    }


def older_position_risk(row: dict[str, Any], leverage: Decimal) -> dict[str, Any]:
    """As version 2 of the route has it."""
    return {
        **row,
        "leverage": plain(leverage),
        "maxNotionalValue": "1000000",
        "marginType": "cross",
        "isAutoAddMargin": "false",
    }


def account_position(row: dict[str, Any]) -> dict[str, Any]:
    """The part of a position that the account shows."""
    same = [
        *("symbol", "positionSide", "positionAmt", "isolatedMargin", "notional"),
        *("isolatedWallet", "initialMargin", "maintMargin", "updateTime"),
    ]
    return {**{name: row[name] for name in same}, "unrealizedProfit": row["unRealizedProfit"]}


def older_account_position(row: dict[str, Any], leverage: Decimal) -> dict[str, Any]:
    """As version 2 of the route has it."""
    more = [
        *("entryPrice", "positionInitialMargin", "openOrderInitialMargin"),
        *("bidNotional", "askNotional"),
    ]
    return {
        **account_position(row),
        **{name: row[name] for name in more},
        "leverage": plain(leverage),
        "isolated": False,
        "maxNotional": "1000000",
    }


def ticker(symbol: str, quote: Quote) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "bidPrice": plain(quote.bid),
        "bidQty": size(quote.bid_size),
        "askPrice": plain(quote.ask),
        "askQty": size(quote.ask_size),
        "time": ms(quote.at_ns),
    }


def user_trade(fill: Fill) -> dict[str, Any]:
    return {
        "symbol": fill.symbol,
        "id": int(fill.id),
        "orderId": int(fill.order_id),
        "side": fill.side.value.upper(),
        "price": plain(fill.price),
        "qty": plain(fill.quantity),
        "realizedPnl": plain(fill.realized),
        "quoteQty": plain(fill.quantity * fill.price),
        "commission": plain(fill.fee),
        "commissionAsset": "USDT",
        "time": ms(fill.at_ns),
        "positionSide": POSITION_SIDES[fill.holding],
        "buyer": fill.side is Side.BUY,
        "maker": fill.is_maker,
    }


def income(
    kind: str, symbol: str, amount: Decimal, at_ns: int, row_id: str, trade_id: str = ""
) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "incomeType": kind,
        "income": plain(amount),
        "asset": "USDT",
        "info": kind,
        "time": ms(at_ns),
        "tranId": int(row_id),
        "tradeId": trade_id,
    }


def incomes(fills: Iterable[Fill], payments: Iterable[Payment]) -> list[dict[str, Any]]:
    rows = [income("FUNDING_FEE", p.symbol, p.amount, p.at_ns, p.id) for p in payments]
    for fill in fills:
        rows.append(income("COMMISSION", fill.symbol, -fill.fee, fill.at_ns, fill.id, fill.id))
        if fill.realized:
            rows.append(
                income("REALIZED_PNL", fill.symbol, fill.realized, fill.at_ns, fill.id, fill.id)
            )
    return sorted(rows, key=lambda row: row["time"])


def asset_row(account: Account) -> dict[str, Any]:
    unrealized = sum((account.unrealized(position) for position in account.held()), ZERO)
    used = sum((abs(position.cost) for position in account.held()), ZERO) / account.leverage
    cash, equity = plain(account.cash), plain(account.cash + unrealized)
    free = plain(max(ZERO, account.cash + unrealized - used))
    return {
        "asset": "USDT",
        "walletBalance": cash,
        "unrealizedProfit": plain(unrealized),
        "marginBalance": equity,
        "maintMargin": "0.00000000",
        "initialMargin": plain(used),
        "positionInitialMargin": plain(used),
        "openOrderInitialMargin": "0.00000000",
        "crossWalletBalance": cash,
        "crossUnPnl": plain(unrealized),
        "availableBalance": free,
        "maxWithdrawAmount": free,
        "marginAvailable": True,
    }


def account_info(
    account: Account, positions: list[dict[str, Any]], now_ms: int, *, multi_assets: bool
) -> dict[str, Any]:
    row = asset_row(account)
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": 0,
        "multiAssetsMargin": multi_assets,
        "tradeGroupId": -1,
        "totalInitialMargin": row["initialMargin"],
        "totalMaintMargin": row["maintMargin"],
        "totalWalletBalance": row["walletBalance"],
        "totalUnrealizedProfit": row["unrealizedProfit"],
        "totalMarginBalance": row["marginBalance"],
        "totalPositionInitialMargin": row["positionInitialMargin"],
        "totalOpenOrderInitialMargin": row["openOrderInitialMargin"],
        "totalCrossWalletBalance": row["crossWalletBalance"],
        "totalCrossUnPnl": row["crossUnPnl"],
        "availableBalance": row["availableBalance"],
        "maxWithdrawAmount": row["maxWithdrawAmount"],
        "assets": [{**row, "updateTime": now_ms}],
        "positions": positions,
    }


def balance_row(account: Account, now_ms: int) -> dict[str, Any]:
    row = asset_row(account)
    shared = ("asset", "crossWalletBalance", "crossUnPnl", "availableBalance", "maxWithdrawAmount")
    return {
        "accountAlias": "SgsR",
        "balance": row["walletBalance"],
        **{name: row[name] for name in shared},
        "marginAvailable": True,
        "updateTime": now_ms,
    }


def bracket(symbol: str) -> dict[str, Any]:
    only = {
        "bracket": 1,
        "initialLeverage": 125,
        "notionalCap": 1_000_000,
        "notionalFloor": 0,
        "maintMarginRatio": 0.004,
        "cum": 0.0,
    }
    return {"symbol": symbol, "notionalCoef": 1.0, "brackets": [only]}


def restrictions(enable_withdrawals: bool) -> dict[str, Any]:
    return {
        "ipRestrict": False,
        "createTime": 1698645219000,
        "enableReading": True,
        "enableWithdrawals": enable_withdrawals,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": True,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
    }

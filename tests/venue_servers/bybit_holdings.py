"""What the loopback Bybit says of an account: positions, executions, wallet, mode and key."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.venue_servers.bybit_messages import (
    EXECUTIONS,
    Row,
    execution_row,
    funding_row,
    milliseconds,
    position_row,
    wallet_row,
)
from tests.venue_servers.bybit_requests import (
    PARAMETER,
    BadRequest,
    Fields,
    check_linear,
    choice,
    page,
    window,
)
from tests.venue_servers.records import Holding, Position, Reason, Refused

if TYPE_CHECKING:
    from tests.venue_servers.bybit import BybitServer


class BybitHoldings:
    def __init__(self, server: "BybitServer") -> None:
        self._server = server

    def positions(self, fields: Fields) -> Row:
        """With a symbol also what is empty, in hedge mode both sides; else only what is held."""
        check_linear(fields)
        account, symbol = self._server.account, fields.get("symbol")
        held = account.held()
        if symbol:
            if symbol not in account.instruments:
                raise Refused(Reason.UNKNOWN_SYMBOL, symbol)
            hedged = (Holding.LONG, Holding.SHORT)
            kinds = hedged if account.is_hedging else (Holding.NET,)
            held = [account.position(symbol, holding) for holding in kinds]
        elif fields.get("settleCoin") != "USDT":
            raise BadRequest(PARAMETER, "params error: symbol or settleCoin is required")

        def key(position: Position) -> str:
            return f"{position.symbol}-{position.holding}"

        shown, cursor = page(held, fields, key, usual=20, most=200)
        rows = [position_row(position, account) for position in shown]
        return {"category": "linear", "list": rows, "nextPageCursor": cursor}

    def executions(self, fields: Fields) -> Row:
        """Trades and funding of at most seven days, newest first."""
        check_linear(fields)
        start, end = window(fields, self._server.now_ms())
        rows = sorted(self._all_executions(), key=lambda row: row["seq"])
        rows = [row for row in rows if start <= int(row["execTime"]) <= end]
        names = ("orderId",) if fields.get("orderId") else ("orderLinkId", "symbol")
        for field in names:
            if fields.get(field):
                rows = [row for row in rows if row[field] == fields[field]]
                break
        kinds = {kind: kind for kind in ("", "Funding", *EXECUTIONS.values())}
        if kind := choice(fields, "execType", kinds, default=""):
            rows = [row for row in rows if row["execType"] == kind]
        shown, cursor = page(rows[::-1], fields, lambda row: str(row["execId"]), usual=50, most=100)
        return {"category": "linear", "list": shown, "nextPageCursor": cursor}

    def _all_executions(self) -> Iterator[Row]:
        account = self._server.account
        filled = dict.fromkeys(account.orders, 0 * account.cash)
        for fill in account.fills:
            order = account.orders[fill.order_id]
            filled[order.id] += fill.quantity
            yield execution_row(fill, order, leaves=order.quantity - filled[order.id])
        yield from map(funding_row, account.payments)

    def wallet(self, fields: Fields) -> Row:
        if fields.get("accountType") != "UNIFIED":
            raise BadRequest(PARAMETER, "accountType only support UNIFIED.")
        return {"list": [wallet_row(self._server.account)]}

    def switch_mode(self, fields: Fields) -> Row:
        """One mode for the whole account; the venue has one for each symbol."""
        check_linear(fields)
        account = self._server.account
        if not fields.get("symbol") and fields.get("coin") != "USDT":
            raise BadRequest(PARAMETER, "params error: symbol or coin is required")
        is_hedging = choice(fields, "mode", {0: False, 3: True})
        if is_hedging is account.is_hedging:
            raise BadRequest(110025, "Position mode is not modified")
        if account.held():
            text = "You have an existing position, so position mode cannot be switched"
            raise BadRequest(110024, text)
        if account.open_orders():
            raise BadRequest(110028, "Open orders exist, so you cannot change position mode")
        account.is_hedging = is_hedging
        return {}

    def account_info(self, _: Fields) -> Row:
        return {
            "unifiedMarginStatus": 5,
            "marginMode": "REGULAR_MARGIN",
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "updatedTime": milliseconds(self._server.account.now_ns()),
        }

    def key(self, _: Fields) -> Row:
        server = self._server
        wallet = ["AccountTransfer", "Withdraw"] if server.key_can_withdraw else []
        return {
            "id": "1",
            "note": "loopback",
            "apiKey": server.key,
            "readOnly": int(server.key_is_read_only),
            "secret": "",
            "permissions": {
                "ContractTrade": ["Order", "Position"],
                "Spot": [],
                "Wallet": wallet,
                "Options": [],
                "Derivatives": ["DerivativesTrade"],
                "CopyTrading": [],
                "BlockTrade": [],
                "Exchange": [],
                "NFT": [],
                "Affiliate": [],
            },
            "ips": ["*"],
            "type": 1,
            "deadlineDay": 88,
            "expiredAt": "2030-01-01T00:00:00Z",
            "createdAt": "2026-01-01T00:00:00Z",
            "unified": 0,
            "uta": 1,
            "userID": 1,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
        }

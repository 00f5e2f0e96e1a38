"""An account at Alpaca: its requests, its history and its stream.

Invariants:

* Alpaca cancels by its own order id, and its history names orders by that alone; so which id is
  which is learned from everything that names both, and asked for where it is not known;
* a list is read to its end: a full page is not the last one (RULES 47);
* requests carry no time: Alpaca takes one however late it arrives, so that nothing but the desk's
  patience makes "no such order" a proof (RULES 26, 67).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from pointsman.domain.commands import Query
from pointsman.domain.events import ChargePaid, OrderAbsent, OrderReport, VenueFill
from pointsman.domain.life_cycle import FINAL
from pointsman.domain.market import Instrument
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order
from pointsman.domain.policy import PositionMode
from pointsman.domain.venue_reports import (
    OrderFound,
    VenueExecution,
    VenueHolding,
    VenueOrder,
)
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import Access, Call, History, Incomplete, Opening, Read
from pointsman.venues.alpaca import messages, requests
from pointsman.venues.alpaca.codes import TABLE
from pointsman.venues.alpaca.messages import FeeRow, FillRow, OrderRow, moment
from pointsman.venues.alpaca.stream import StreamReader, read_update
from pointsman.venues.catalogue import CATALOGUE
from pointsman.venues.errors import VenueRefused
from pointsman.venues.http_client import HttpClient, Socket, moved
from pointsman.venues.outcome import Answer
from pointsman.venues.shapes import read_as

_SANDBOX, _LIVE = "https://paper-api.alpaca.markets", "https://api.alpaca.markets"

REQUESTS_PER_MINUTE = 200
"""Alpaca's limit where its answers do not tell another."""

FEES_EVERY_SECONDS = 3600.0  # not money: seconds
"""Fees come a few times a day."""

NAMES_MAX = 20_000
"""Orders of which both ids are remembered."""

Row = TypeVar("Row", FillRow, FeeRow)


class OrderNames:
    """Which of Alpaca's order ids is which of ours, of the newest NAMES_MAX orders."""

    def __init__(self) -> None:
        self._ours: dict[str, str] = {}
        self._theirs: dict[str, str] = {}

    def learn(self, row: OrderRow) -> None:
        if row.id in self._ours:
            return
        self._ours[row.id] = row.client_order_id
        self._theirs[row.client_order_id] = row.id
        if len(self._ours) > NAMES_MAX:
            oldest = next(iter(self._ours))
            self._theirs.pop(self._ours.pop(oldest), None)

    def ours(self, venue_order_id: str) -> str | None:
        return self._ours.get(venue_order_id)

    def theirs(self, client_order_id: str) -> str | None:
        return self._theirs.get(client_order_id)


class AlpacaAdapter:
    """See `venues.adapter.Adapter`."""

    name = "alpaca"
    table = TABLE

    def __init__(self, access: Access) -> None:
        self._access = access
        own = _SANDBOX if access.is_sandbox else _LIVE
        self._url = moved(own, access.url)
        self._stream_url = moved(f"{own.replace('https', 'wss')}/stream", access.stream_url)
        self._keys = {"APCA-API-KEY-ID": access.key, "APCA-API-SECRET-KEY": access.secret}
        self._http = HttpClient(access.timeout_ms, access.may_send)
        self._names = OrderNames()
        self._per_minute = REQUESTS_PER_MINUTE
        self._fees_asked_at: float | None = None  # not money: seconds

    async def call(self, call: Call) -> Answer:
        method, _, path = call.route.partition(" ")
        url, body, headers = self._url + path, None, self._keys
        if method == "POST":
            body = msgspec.json.encode(call.params)
            headers = {**self._keys, "Content-Type": "application/json"}
        elif call.params:
            url += f"?{urlencode(call.params)}"
        answer, told = await self._http.send(method, url, headers, body)
        limit, used = allowance(told)
        self._per_minute = limit or self._per_minute
        wait_ms = answer.retry_after_ms
        if answer.status == 429 and wait_ms is None:
            wait_ms = ms_until_reset(told)
        return msgspec.structs.replace(answer, used=used, retry_after_ms=wait_ms)

    async def set_clock(self) -> None:
        """Requests carry no time that could be wrong."""

    # -- opening -----------------------------------------------------------------------------------

    async def open(self, read: Read) -> Opening:
        account = read_as(messages.AccountRow, await read(requests.ACCOUNT))
        self._check_account(account)
        may_short = account.shorting_enabled
        assets = [await self._asset(read, symbol) for symbol in self._access.symbols]
        return Opening(
            abilities=CATALOGUE["alpaca"],
            instruments={each.symbol: messages.share(each, may_short=may_short) for each in assets},
            requests_per_minute=self._per_minute,
            account=account.account_number,
        )

    def _check_account(self, account: messages.AccountRow) -> None:
        shown = f"account {account.account_number} at alpaca"
        if self._access.position_mode is not PositionMode.NET:
            raise VenueRefused(f"{shown} nets long and short; set VENUE_POSITION_MODE=net")
        is_paper = account.account_number.startswith("PA")
        if is_paper is not self._access.is_sandbox:
            kind = "a paper account" if is_paper else "one with real money"
            wanted = str(is_paper).lower()
            raise VenueRefused(f"{shown} is {kind}; set VENUE_SANDBOX={wanted}, or use another key")
        blocked = [
            name
            for name in ("account_blocked", "trading_blocked", "trade_suspended_by_user")
            if getattr(account, name)
        ]
        if account.status != "ACTIVE":
            blocked.append(f"status={account.status}")
        if blocked:
            raise VenueRefused(f"{shown} may not trade ({', '.join(blocked)}); see its dashboard")

    async def _asset(self, read: Read, symbol: str) -> messages.AssetRow:
        try:
            asset = read_as(messages.AssetRow, await read(requests.asset(symbol)))
        except Incomplete as error:
            if not error.is_not_found:
                raise
            raise VenueRefused(f"alpaca knows no {symbol}; take it out of SYMBOLS") from None
        if asset.asset_class != "us_equity":
            why = f"is of class {asset.asset_class}, and only us_equity is traded here"
            raise VenueRefused(f"{symbol} at alpaca {why}; take it out of SYMBOLS")
        if not asset.tradable or asset.status != "active":
            raise VenueRefused(f"alpaca does not trade {symbol} now; take it out of SYMBOLS")
        return asset

    async def instruments(self, read: Read) -> dict[str, Instrument]:
        """Without what Alpaca does not trade now: it refuses orders for it."""
        account = read_as(messages.AccountRow, await read(requests.ACCOUNT))
        found: dict[str, Instrument] = {}
        for symbol in self._access.symbols:
            with suppress(VenueRefused):
                asset = await self._asset(read, symbol)
                found[symbol] = messages.share(asset, may_short=account.shorting_enabled)
        return found

    # -- orders ------------------------------------------------------------------------------------

    def submit(self, order: Order) -> Call:
        return requests.submit(order)

    def accepted(self, order: Order, body: Any) -> OrderReport | None:
        try:
            row = self._order(body)
            is_same = row.client_order_id == order.client_order_id
            return messages.accepted(row) if is_same else None
        except Incomplete:
            return None

    def cancel(self, client_order_id: str, symbol: str) -> Call | None:  # noqa: ARG002 - see Adapter
        venue_order_id = self._names.theirs(client_order_id)
        return None if venue_order_id is None else requests.cancel(venue_order_id)

    def canceled(self, client_order_id: str, body: Any) -> None:
        """The answer only says that the cancel is wanted; the stream and a query say what came of
        it."""

    async def query(
        self, read: Read, query: Query, asked_at_ns: int
    ) -> OrderFound | OrderAbsent | None:
        order_id = query.client_order_id
        try:
            row = self._order(await read(requests.order_by_client_id(order_id)))
        except Incomplete as error:
            if error.is_not_found:
                return OrderAbsent(order_id, asked_at_ns)
            raise
        if row.client_order_id != order_id:
            raise Incomplete(f"asked for {order_id}, Alpaca sent {row.client_order_id}")
        order = messages.venue_order(row)
        if order is None:
            return None
        fills = await self._fills_of(read, row, is_final=order.status in FINAL)
        return OrderFound(order=order, fills=fills, asked_at_ns=asked_at_ns)

    async def _fills_of(
        self, read: Read, row: OrderRow, *, is_final: bool
    ) -> tuple[VenueFill, ...]:
        """The executions of one order, found from the newest of the account backwards."""
        found: list[VenueFill] = []
        if not row.filled_qty:
            return ()
        until = messages.just_after(row) if is_final else ""
        created_at_ns = messages.moment(row.created_at)
        async for fill in self._rows(read, "FILL", FillRow, is_newest_first=True, until=until):
            if sum((f.quantity for f in found), ZERO) >= row.filled_qty:
                break
            if messages.moment(fill.transaction_time) < created_at_ns:
                break
            if fill.order_id == row.id:
                found.append(messages.fill_of(fill))
        return tuple(reversed(found))

    def _order(self, body: Any) -> OrderRow:
        row = read_as(OrderRow, body)
        self._names.learn(row)
        return row

    # -- comparisons -------------------------------------------------------------------------------

    async def history(self, read: Read, cursor: str) -> History:
        """The cursor is the day from which fees are asked for, the time from which executions are,
        and the ids of those after it that were told: one may appear after others that are newer."""
        is_first = not cursor
        if is_first:
            clock = read_as(messages.ClockRow, await read(requests.CLOCK))
            cursor = f"{clock.timestamp[:10]} {messages.late_fills_from(clock.timestamp)}"
        fees_day, _, place = cursor.partition(" ")
        rows, place = await self._executions(read, place)
        if is_first:
            return History(cursor=f"{fees_day} {place}")
        trades = [await self._trade(read, row) for row in rows]
        fees_day, charges = await self._charges(read, fees_day)
        return History(trades=tuple(trades), charges=charges, cursor=f"{fees_day} {place}")

    async def _executions(self, read: Read, place: str) -> tuple[list[FillRow], str]:
        """The executions that were not told before, and the place from which to go on. An older
        version kept the id of the last one in place of a time, nothing where there was none."""
        since, *told = place.split() or [""]
        is_time = "T" in since
        where = {"after": since} if is_time else {"page_token": since}
        rows = [row async for row in self._rows(read, "FILL", FillRow, **where)]
        if rows and is_time:
            since = max(since, messages.late_fills_from(rows[-1].transaction_time))
        elif rows:
            since = rows[0].transaction_time
        kept = [row.id for row in rows if moment(row.transaction_time) >= moment(since)]
        return [row for row in rows if row.id not in told], " ".join([since, *kept])

    async def _trade(self, read: Read, row: FillRow) -> VenueExecution:
        client_order_id = self._names.ours(row.order_id)
        if client_order_id is None:
            asked = self._order(await read(requests.order_by_id(row.order_id)))
            client_order_id = asked.client_order_id
        return messages.trade_of(row, client_order_id)

    async def _charges(self, read: Read, day: str) -> tuple[str, tuple[ChargePaid, ...]]:
        """Fees, asked for seldom; those of the last days again and again, since one may appear days
        after its date. Which are booked already is known by their ids."""
        now = asyncio.get_running_loop().time()
        if self._fees_asked_at is not None and now - self._fees_asked_at < FEES_EVERY_SECONDS:
            return day, ()
        after = messages.day_before(day, 1)
        rows = [row async for row in self._rows(read, "FEE", FeeRow, after=after)]
        self._fees_asked_at = now
        return messages.next_fees_day(day, rows), messages.charges_since(day, rows)

    async def _rows(
        self, read: Read, kind: str, row_type: type[Row], *, page_token: str = "", **terms: Any
    ) -> AsyncIterator[Row]:
        """All rows of the account's history of one kind, page after page."""
        while True:
            call = requests.activities(kind, page_token=page_token, **terms)
            body = await read(call)
            page: list[Row] = read_as(list[row_type], body)  # type: ignore[valid-type]
            for row in page:
                yield row
            if len(page) < requests.ACTIVITIES_MAX:
                return
            if page[-1].id == page_token:
                raise Incomplete(f"Alpaca sent the same page of {kind} again")
            page_token = page[-1].id

    async def open_orders(self, read: Read) -> tuple[VenueOrder, ...]:
        """Where a page is full the next begins at the moment of its last order, not after it, since
        orders may share one."""
        found: dict[str, OrderRow] = {}
        after = ""
        while True:
            page = read_as(list[OrderRow], await read(requests.open_orders(after)))
            fresh = {row.id: row for row in page if row.id not in found}
            found |= fresh
            if len(page) < requests.ORDERS_MAX:
                break
            if not fresh:
                raise Incomplete("Alpaca sent the same page of open orders again")
            after = messages.just_before(page[-1])
        for row in found.values():
            self._names.learn(row)
        orders = (messages.venue_order(row) for row in found.values())
        return tuple(order for order in orders if order is not None)

    async def holdings(self, read: Read) -> tuple[VenueHolding, ...]:
        """An empty list is believed only where the account has no market value either."""
        rows = read_as(list[messages.PositionRow], await read(requests.POSITIONS))
        if not rows:
            account = read_as(messages.AccountRow, await read(requests.ACCOUNT))
            if not account.is_empty:
                raise Incomplete("Alpaca shows no positions, and an account that holds some")
        return tuple(messages.holding(row) for row in rows)

    # -- the account's stream ----------------------------------------------------------------------

    async def stream(self, read: Read) -> AsyncIterator[list[VenueReply]]:
        del read
        async with self._http.websocket(self._stream_url) as socket:
            async with asyncio.timeout(self._access.timeout_ms / 1000):  # not money: seconds
                await self._subscribe(socket)
            yield []
            reader = StreamReader()
            while True:
                update = read_update(await socket.receive())
                if update is None:
                    continue
                self._names.learn(update.order)
                if replies := reader.replies(update):
                    yield replies

    async def _subscribe(self, socket: Socket) -> None:
        key, secret = self._access.key, self._access.secret
        await socket.send({"action": "auth", "key": key, "secret": secret})
        said = await _next_of(socket, "authorization")
        if said.get("status") != "authorized":
            raise Incomplete(f"Alpaca's stream refuses this key: {said.get('status')}")
        await socket.send({"action": "listen", "data": {"streams": ["trade_updates"]}})
        said = await _next_of(socket, "listening")
        if "trade_updates" not in said.get("streams", ()):
            raise Incomplete(f"Alpaca's stream does not tell of orders: {said}")

    async def close(self) -> None:
        await self._http.close()


def make_adapter(access: Access) -> AlpacaAdapter:
    """An adapter for one account; it connects when it is first used."""
    return AlpacaAdapter(access)


async def _next_of(socket: Socket, stream: str) -> dict[str, Any]:
    """The data of the next message of a stream."""
    while True:
        message = await socket.receive()
        if isinstance(message, dict) and message.get("stream") == stream:
            data = message.get("data")
            return data if isinstance(data, dict) else {}


def allowance(headers: Mapping[str, str]) -> tuple[int | None, int | None]:
    """How many requests a minute may have and this one had, where an answer says so."""
    limit, left = headers.get("X-RateLimit-Limit", ""), headers.get("X-RateLimit-Remaining", "")
    if not limit.isdecimal() or not left.isdecimal() or int(limit) == 0:
        return None, None
    return int(limit), max(0, int(limit) - int(left))


def ms_until_reset(headers: Mapping[str, str]) -> int | None:
    """How long until the minute is over, by the venue's own clock: its answer has both times."""
    reset, now = headers.get("X-RateLimit-Reset", ""), headers.get("Date", "")
    try:
        seconds = int(reset) - int(parsedate_to_datetime(now).timestamp())
    except (ValueError, OverflowError):
        return None
    return max(1, seconds) * 1000

"""Binance USDⓈ-M futures as an adapter: what is different there from other venues.

* A stop is a "conditional order" of the algo service, with an id space of its own; when it triggers
  it becomes an ordinary order. It is reported under its own client order id throughout.
* Whether a reduce-only order is refused while a stop for the whole holding rests is not known: it
  is taken for so, and the desk keeps them apart (`ReduceOnlyMode.REFUSE`).
* A request that arrives later than `recvWindow` is refused, so that "no such order" is a proof once
  that time is over.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from msgspec.structs import replace

from pointsman.domain.commands import Query
from pointsman.domain.events import OrderAbsent, OrderReport
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Order, Role
from pointsman.domain.policy import Abilities
from pointsman.domain.timestamps import MS_NS
from pointsman.domain.venue_reports import OrderFound, VenueHolding, VenueOrder
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import (
    Access,
    Call,
    History,
    Incomplete,
    Opening,
    Read,
)
from pointsman.venues.binance import account, lists, requests, words
from pointsman.venues.binance.activity import Activity
from pointsman.venues.binance.codes import TABLE, ban_ms
from pointsman.venues.binance.history import HistoryReader
from pointsman.venues.binance.listener import Listener
from pointsman.venues.binance.lookup import look_up
from pointsman.venues.binance.order_ids import OrderIds
from pointsman.venues.binance.shapes import ExchangeInfo, ServerTime
from pointsman.venues.binance.symbols import (
    instruments_of,
    order_rates,
    requests_per_minute,
    stops_per_symbol,
    unified_names,
)
from pointsman.venues.catalogue import CATALOGUE
from pointsman.venues.ccxt_client import CcxtClient
from pointsman.venues.contract_names import venue_symbol
from pointsman.venues.http_client import Socket, moved
from pointsman.venues.outcome import Answer, OutcomeTable
from pointsman.venues.shapes import read_as

RECV_WINDOW_MS = 5_000
KEEP_ALIVE_SECONDS = 30 * 60.0  # not money: seconds
KEEP_ALIVE_AGAIN_SECONDS = 60.0  # not money: seconds
USED_WEIGHT = "X-MBX-USED-WEIGHT-1M"

LIVE_STREAM = "wss://fstream.binance.com/private/ws"
SANDBOX_STREAM = "wss://fstream.binancefuture.com/private/ws"


def make_adapter(access: Access) -> "BinanceAdapter":
    """An account at Binance USDⓈ-M futures. Connects to nothing yet."""
    return BinanceAdapter(access)


class BinanceAdapter:
    """One account (`venues.adapter.Adapter`)."""

    name: str = "binanceusdm"
    table: OutcomeTable = TABLE

    def __init__(self, access: Access) -> None:
        self._access = access
        self._mode = access.position_mode
        self._client = CcxtClient(
            "binanceusdm", access, sandbox="demo", recv_window_ms=RECV_WINDOW_MS
        )
        self.ids = OrderIds()
        self._activity = Activity()
        self._holdings = lists.Holdings(self._activity)
        self._words = words.Translator(self._mode, self.ids)
        traded = tuple(venue_symbol(symbol) for symbol in access.symbols)
        self._history = HistoryReader(
            self._words, self._activity, traded, self._client.venue_at_least_ms
        )

    # -- the account -------------------------------------------------------------------------------

    async def call(self, call: Call) -> Answer:
        answer, headers = await self._client.send(call, *requests.section_and_path(call))
        used = headers.get(USED_WEIGHT, "")
        wait_ms = answer.retry_after_ms
        if wait_ms is None:
            wait_ms = ban_ms(answer.status, answer.body, self._client.venue_now_ms())
        return replace(answer, used=int(used) if used.isdecimal() else None, retry_after_ms=wait_ms)

    async def set_clock(self) -> None:
        await self._client.ask_clock(
            self.call(requests.TIME), lambda body: read_as(ServerTime, body).server_time
        )

    async def open(self, read: Read) -> Opening:
        info = read_as(ExchangeInfo, await read(requests.EXCHANGE_INFO))
        if not self._access.is_sandbox:
            # Only the real venue has the route that says what a key may do.
            account.check_key(await read(requests.KEY))
        account.check_mode(await read(requests.POSITION_MODE), self._mode)
        account.check_margin(await read(requests.MARGIN_MODE))
        account.check_account(await read(requests.ACCOUNT))
        self._words.names.update(unified_names(info))
        return Opening(
            abilities=self._abilities(info),
            instruments=instruments_of(info, self._access.symbols),
            requests_per_minute=requests_per_minute(info),
            account=account.account_name(await read(requests.BALANCE)),
            rates=order_rates(info),
        )

    async def instruments(self, read: Read) -> dict[str, Instrument]:
        info = read_as(ExchangeInfo, await read(requests.EXCHANGE_INFO))
        self._words.names.update(unified_names(info))
        return instruments_of(info, self._access.symbols)

    def _abilities(self, info: ExchangeInfo) -> Abilities:
        return replace(
            CATALOGUE[self.name],
            position_mode=self._mode,
            request_expiry_ns=self._client.request_expiry_ms * MS_NS,
            max_stops_per_symbol=stops_per_symbol(info, self._access.symbols),
        )

    # -- orders ------------------------------------------------------------------------------------

    def submit(self, order: Order) -> Call:
        name = venue_symbol(order.symbol)
        self._activity.touch(name)
        if order.role is Role.STOP:
            self.ids.stop_rests(order.client_order_id, name)
        return requests.order_call(order, self._mode)

    def accepted(self, order: Order, body: Any) -> OrderReport | None:
        report = words.accepted_report(order.client_order_id, body, self._client.venue_now_ms())
        if report is not None and order.role is not Role.STOP:
            self.ids.note(body["orderId"], order.client_order_id)
        return report

    def cancel(self, client_order_id: str, symbol: str) -> Call:
        self._activity.touch(venue_symbol(symbol))
        child_id = self.ids.child_of(client_order_id)
        return requests.cancel_call(client_order_id, symbol, child_id)

    def canceled(self, client_order_id: str, body: Any) -> OrderReport | None:
        child_id, now_ms = self.ids.child_of(client_order_id), self._client.venue_now_ms()
        report = words.canceled_report(client_order_id, child_id, body, now_ms)
        if report is not None:
            self.ids.has_ended(client_order_id)
        return report

    async def query(
        self, read: Read, query: Query, asked_at_ns: int
    ) -> OrderFound | OrderAbsent | None:
        return await look_up(read, self._words, query, asked_at_ns)

    # -- comparisons -------------------------------------------------------------------------------

    async def history(self, read: Read, cursor: str) -> History:
        return await self._history.read(read, cursor)

    async def open_orders(self, read: Read) -> tuple[VenueOrder, ...]:
        return await lists.open_orders(read, self._words, self._activity)

    async def holdings(self, read: Read) -> tuple[VenueHolding, ...]:
        return await self._holdings.read(read, self._words)

    # -- the account's stream ----------------------------------------------------------------------

    async def stream(self, read: Read) -> AsyncIterator[list[VenueReply]]:
        taken = await read(requests.TAKE_LISTEN_KEY)
        key = taken.get("listenKey") if isinstance(taken, dict) else None
        if not isinstance(key, str):
            raise Incomplete("Binance gave no listen key")
        address = SANDBOX_STREAM if self._access.is_sandbox else LIVE_STREAM
        url = f"{moved(address, self._access.stream_url)}?listenKey={key}"
        async with self._client.http.websocket(url) as socket:
            self._activity.touch_all()
            self._holdings.forget()
            yield []
            async for replies in self._heard(read, socket):
                yield replies

    async def _heard(self, read: Read, socket: Socket) -> AsyncIterator[list[VenueReply]]:
        """What the stream tells, and what is found out about orders that it does not name."""

        async def find_children(name: str) -> None:
            await lists.find_children(read, self.ids, name)

        listener = Listener(
            self.ids, self._activity, self._holdings, find_children, self._history.expect_payment
        )
        receiving = asyncio.create_task(socket.receive())
        keeping = asyncio.create_task(self._keep_alive(read))
        asking: dict[int, asyncio.Task[list[VenueReply]]] = {}
        try:
            while True:
                await asyncio.wait(
                    {receiving, keeping, *asking.values()}, return_when=asyncio.FIRST_COMPLETED
                )
                if keeping.done():
                    keeping.result()
                if receiving.done():
                    message, receiving = (
                        receiving.result(),
                        asyncio.create_task(socket.receive()),
                    )
                    if replies := listener.hear(message):
                        yield replies
                for order_id, name in listener.held().items():
                    if order_id not in asking:
                        asking[order_id] = asyncio.create_task(listener.resolve(order_id, name))
                for order_id in [each for each, task in asking.items() if task.done()]:
                    if replies := asking.pop(order_id).result():
                        yield replies
        finally:
            tasks = (receiving, keeping, *asking.values())
            for task in tasks:
                task.cancel()
            # What else they ended by is of no more use, and has to be taken from them all the same.
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_alive(self, read: Read) -> None:
        """Keep the listen key valid, and the clock set; ends by Incomplete where the key is not
        valid any more."""
        wait_seconds = KEEP_ALIVE_SECONDS
        while True:
            await asyncio.sleep(wait_seconds)
            wait_seconds = KEEP_ALIVE_SECONDS
            try:
                await read(requests.KEEP_LISTEN_KEY)
                await self.set_clock()
            except Incomplete as error:
                if error.is_not_found:
                    raise
                wait_seconds = KEEP_ALIVE_AGAIN_SECONDS

    async def close(self) -> None:
        await self._client.close()

"""Bybit: one account as the dispatcher sees it.

What leaves is in `requests`, what comes back in `rows`, what it proves in `codes`; here is only
what asks. ccxt signs. Invariants:

* an order is absent only where Bybit finds it by its id neither among those that work, nor among
  those that have ended, nor in what was executed, and does not list it among those that work;
* what was held, or may be held since, is gone only where Bybit says that it is zero: to be absent
  from the list of holdings is not enough.
"""

from collections.abc import AsyncIterator, Iterable
from typing import Any

from msgspec.structs import replace

from pointsman.domain.commands import Query
from pointsman.domain.events import OrderAbsent, OrderReport
from pointsman.domain.market import Instrument
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order
from pointsman.domain.policy import Abilities
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.domain.venue_reports import OrderFound, VenueHolding, VenueOrder
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import (
    Access,
    Adapter,
    Call,
    History,
    Incomplete,
    Opening,
    Read,
)
from pointsman.venues.budget import Rate
from pointsman.venues.bybit import requests, rows
from pointsman.venues.bybit.account import (
    check_account,
    check_key,
    check_mode,
    check_secret,
    check_symbols,
    instruments_of,
)
from pointsman.venues.bybit.codes import TABLE, retry_after_ms
from pointsman.venues.bybit.lists import (
    execution_id,
    read_executions,
    read_history,
    read_list,
)
from pointsman.venues.bybit.rows import Row
from pointsman.venues.bybit.stream import ADDRESS, SANDBOX_ADDRESS, authorize, hear
from pointsman.venues.catalogue import CATALOGUE
from pointsman.venues.ccxt_client import CcxtClient
from pointsman.venues.contract_names import venue_symbol
from pointsman.venues.http_client import moved
from pointsman.venues.outcome import Answer, Stage

REQUESTS_PER_MINUTE = 600
"""Bybit has no limit of its own by the minute."""

RATES = (
    Rate(Stage.CREATE, 10, SECOND_NS),
    Rate(Stage.CANCEL, 10, SECOND_NS),
    Rate(Stage.QUERY, 50, SECOND_NS),
)
"""It counts each path by the second: an account may make ten orders, cancel ten, and ask fifty
times on each; here all questions are counted together."""

RECV_WINDOW_MS = 5_000


class BybitAdapter:
    name = "bybit"
    table = TABLE

    def __init__(self, access: Access) -> None:
        self._access = access
        self._mode = access.position_mode
        self._client = CcxtClient(
            "bybit",
            access,
            sandbox="test",
            recv_window_ms=RECV_WINDOW_MS,
            # Else ccxt asks for the kind of account itself, and names itself as our broker.
            options={"enableUnifiedAccount": True, "brokerId": "pointsman"},
        )
        self._may_hold: set[tuple[str, int]] = set()
        """Symbol and position index of what has been held, ordered or traded, and is not known to
        be zero since."""
        standard = SANDBOX_ADDRESS if access.is_sandbox else ADDRESS
        self._stream_address = moved(standard, access.stream_url)

    async def call(self, call: Call) -> Answer:
        section = "private" if call.is_signed else "public"
        path = call.route.partition(" /")[2]
        answer, headers = await self._client.send(call, section, path)
        if answer.retry_after_ms is not None:
            return answer
        wait_ms = retry_after_ms(answer.status, answer.body, headers)
        return replace(answer, retry_after_ms=wait_ms)

    async def set_clock(self) -> None:
        await self._client.ask_clock(self.call(requests.TIME), rows.time_ms)

    async def open(self, read: Read) -> Opening:
        check_secret(self._access.secret)
        key = rows.result_of(await read(requests.KEY))
        check_key(key)
        check_account(rows.result_of(await read(requests.ACCOUNT)))
        instruments = await self.instruments(read)
        check_symbols(self._access.symbols, instruments)
        await self._check_modes(read, self._access.symbols or tuple(instruments)[:1])
        return Opening(
            abilities=self._abilities(),
            instruments=instruments,
            requests_per_minute=REQUESTS_PER_MINUTE,
            account=f"Bybit user {key.get('userID')}",
            rates=RATES,
        )

    async def instruments(self, read: Read) -> dict[str, Instrument]:
        listed, _ = await read_list(
            read, requests.INSTRUMENTS, lambda row: rows.text(row, "symbol")
        )
        return instruments_of(listed)

    async def _check_modes(self, read: Read, symbols: Iterable[str]) -> None:
        """Bybit has a mode for each symbol: it has to be the same for what is traded, held or
        ordered."""
        for symbol in symbols:
            held = rows.list_of(await read(requests.mode_call(symbol)))
            check_mode(symbol, held, self._mode)
            self._may_hold |= {_holding_key(row) for row in held if rows.number(row, "size")}
        for row in (*await self._held(read), *await self._ordered(read)):
            check_mode(rows.text(row, "symbol"), [row], self._mode)

    def _abilities(self) -> Abilities:
        expiry_ns = self._client.request_expiry_ms * MS_NS
        return replace(CATALOGUE["bybit"], position_mode=self._mode, request_expiry_ns=expiry_ns)

    # -- orders ------------------------------------------------------------------------------------

    def submit(self, order: Order) -> Call:
        call = requests.order_call(order, self._mode)
        self._may_hold.add((call.params["symbol"], call.params["positionIdx"]))
        return call

    def accepted(self, order: Order, body: Any) -> OrderReport | None:
        return rows.accepted_report(order.client_order_id, body)

    def cancel(self, client_order_id: str, symbol: str) -> Call:
        return requests.cancel_call(client_order_id, symbol)

    def canceled(self, client_order_id: str, body: Any) -> OrderReport | None:
        """Bybit answers when it has taken note; the stream tells what came of it."""
        del client_order_id, body
        return None

    async def query(
        self, read: Read, query: Query, asked_at_ns: int
    ) -> OrderFound | OrderAbsent | None:
        order_id = query.client_order_id
        row = await self._order_row(read, query)
        if row is None:
            is_absent = await self._is_absent(read, query)
            return OrderAbsent(order_id, asked_at_ns) if is_absent else None
        fills = tuple(rows.fill_of(each) for each in await self._executions(read, row))
        order = rows.order_of(row, self._mode)
        return OrderFound(order=order, fills=fills, asked_at_ns=asked_at_ns)

    async def _order_row(self, read: Read, query: Query) -> Row | None:
        """What Bybit says of an order; None where it has none of this id."""
        order_id, symbol = query.client_order_id, query.symbol
        for call in (
            requests.working_order_call(order_id, symbol),
            requests.ended_order_call(order_id, symbol),
        ):
            found = rows.list_of(await read(call))
            if any(row.get("orderLinkId") != order_id for row in found):
                raise Incomplete(f"{call.route} does not answer to what was asked")
            if found:
                return found[0]
        return None

    async def _is_absent(self, read: Read, query: Query) -> bool:
        """Whether an order that is not found by its id stands in no list either."""
        call = requests.executions_call(None, query.client_order_id)
        executed, _ = await read_list(read, call, execution_id)
        listed, _ = await read_list(read, requests.open_orders_call(query.symbol), _order_key)
        ids = {rows.text(row, "orderLinkId") for row in listed}
        return not executed and query.client_order_id not in ids

    async def _executions(self, read: Read, row: Row) -> list[Row]:
        """All executions of an order."""
        if not row.get("cumExecQty") or rows.number(row, "cumExecQty") == ZERO:
            return []
        executed, _ = await read_executions(
            read,
            rows.at_ns(row, "createdTime") // MS_NS,
            rows.at_ns(row, "updatedTime") // MS_NS,
            rows.text(row, "orderLinkId"),
        )
        return executed

    # -- the account -------------------------------------------------------------------------------

    async def history(self, read: Read, cursor: str) -> History:
        history = await read_history(read, cursor, self._mode)
        for trade in history.trades:
            index = requests.position_index(trade.position_side)
            self._may_hold.add((venue_symbol(trade.symbol), index))
        return history

    async def open_orders(self, read: Read) -> tuple[VenueOrder, ...]:
        return tuple(rows.order_of(row, self._mode) for row in await self._ordered(read))

    async def holdings(self, read: Read) -> tuple[VenueHolding, ...]:
        held = (rows.holding_of(row, self._mode) for row in await self._held(read))
        return tuple(holding for holding in held if holding is not None)

    async def _ordered(self, read: Read) -> list[Row]:
        listed, _ = await read_list(read, requests.OPEN_ORDERS, _order_key)
        return listed

    async def _held(self, read: Read) -> list[Row]:
        """The rows of holdings, with those that are zero where that had to be asked for."""
        listed, _ = await read_list(read, requests.HOLDINGS, _holding_key)
        held = {_holding_key(row): row for row in listed}
        wanted, self._may_hold = self._may_hold, set()
        try:
            for symbol in {symbol for symbol, _ in wanted - held.keys()}:
                answer = await read(requests.mode_call(symbol))
                held |= {_holding_key(row): row for row in rows.list_of(answer)}
            if unsaid := wanted - held.keys():
                raise Incomplete(f"Bybit does not say what is held of {min(unsaid)[0]}")
            wanted = {key for key, row in held.items() if rows.number(row, "size") != ZERO}
        finally:
            # What was ordered meanwhile stays, whatever the answers say.
            self._may_hold |= wanted
        return list(held.values())

    async def stream(self, read: Read) -> AsyncIterator[list[VenueReply]]:
        access, client = self._access, self._client
        async with client.http.websocket(self._stream_address) as socket:
            await authorize(socket, access.key, access.secret, int(client.exchange.nonce()))
            async for replies in hear(socket, lambda row: self._executions(read, row)):
                yield replies

    async def close(self) -> None:
        await self._client.close()


def _order_key(row: Row) -> str:
    return rows.text(row, "orderId")


def _holding_key(row: Row) -> tuple[str, int]:
    return rows.text(row, "symbol"), rows.position_index(row)


def make_adapter(access: Access) -> Adapter:
    """The account at Bybit that these keys are of."""
    return BybitAdapter(access)

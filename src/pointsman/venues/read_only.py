"""An adapter that can make no order: what an account is read through in shadow (RULES 49).

Only an adapter's `submit` and `cancel` turn an order into a request. Here both refuse, so whatever
goes wrong around it, nothing that would change the account can leave.
"""

from collections.abc import AsyncIterator
from typing import Any, NoReturn

from pointsman.domain.commands import Query
from pointsman.domain.events import OrderAbsent
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Order
from pointsman.domain.venue_reports import OrderFound, VenueHolding, VenueOrder
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import Adapter, Call, History, Opening, Read
from pointsman.venues.outcome import Answer


class SentInShadow(Exception):
    """Something was to be sent to an account that is only read: a fault of the program."""


class ReadOnly:
    """An adapter (`pointsman.venues.adapter.Adapter`) that reads through another one."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.name = adapter.name
        self.table = adapter.table

    async def call(self, call: Call) -> Answer:
        return await self._adapter.call(call)

    async def set_clock(self) -> None:
        await self._adapter.set_clock()

    async def open(self, read: Read) -> Opening:
        return await self._adapter.open(read)

    async def instruments(self, read: Read) -> dict[str, Instrument]:
        return await self._adapter.instruments(read)

    def submit(self, order: Order) -> NoReturn:
        raise SentInShadow(f"order {order.client_order_id}")

    def accepted(self, order: Order, body: Any) -> NoReturn:  # noqa: ARG002 - as an adapter
        raise SentInShadow(f"order {order.client_order_id}")

    def cancel(self, client_order_id: str, symbol: str) -> NoReturn:  # noqa: ARG002 - likewise
        raise SentInShadow(f"the cancel of {client_order_id}")

    def canceled(self, client_order_id: str, body: Any) -> NoReturn:  # noqa: ARG002 - likewise
        raise SentInShadow(f"the cancel of {client_order_id}")

    async def query(
        self, read: Read, query: Query, asked_at_ns: int
    ) -> OrderFound | OrderAbsent | None:
        return await self._adapter.query(read, query, asked_at_ns)

    async def history(self, read: Read, cursor: str) -> History:
        return await self._adapter.history(read, cursor)

    async def open_orders(self, read: Read) -> tuple[VenueOrder, ...]:
        return await self._adapter.open_orders(read)

    async def holdings(self, read: Read) -> tuple[VenueHolding, ...]:
        return await self._adapter.holdings(read)

    def stream(self, read: Read) -> AsyncIterator[list[VenueReply]]:
        return self._adapter.stream(read)

    async def close(self) -> None:
        await self._adapter.close()

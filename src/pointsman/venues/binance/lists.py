"""What works and what is held at Binance: the lists that a comparison asks for.

A holding that contradicts what the stream said last is not believed for a while: the list may be
older than the message.
"""

import asyncio
from typing import Any

import msgspec

from pointsman.domain.client_order_ids import is_client_order_id
from pointsman.domain.money import ZERO
from pointsman.domain.timestamps import SECOND_NS
from pointsman.domain.venue_reports import VenueHolding, VenueOrder
from pointsman.venues.adapter import Incomplete, Read
from pointsman.venues.binance import requests
from pointsman.venues.binance.activity import Activity
from pointsman.venues.binance.order_ids import OrderIds
from pointsman.venues.binance.shapes import (
    OrderRow,
    PositionRow,
    PositionUpdate,
    StopRow,
    TradeRow,
)
from pointsman.venues.binance.words import Translator
from pointsman.venues.shapes import read_as

TRIES = 3
TRY_AGAIN_SECONDS = 0.2  # not money: seconds
BELIEVED_AFTER_NS = 10 * SECOND_NS
"""For how long a list that contradicts the stream is not believed: a message may have been lost."""


async def open_orders(read: Read, words: Translator, activity: Activity) -> tuple[VenueOrder, ...]:
    """All orders that work or rest, of both kinds. Raises Incomplete."""
    ids, names = words.ids, activity.active()
    if names is not None and len(names) < requests.ALL_SYMBOLS_WEIGHT:
        lists = [await _open_orders_of(read, name) for name in sorted(names)]
    else:
        began, rested = activity.begin_with_all(), ids.resting()
        lists = [await _open_orders_of(read, None)]
        found = {row.symbol for stops, _ in lists for row in stops}
        activity.saw_all(began, found | {row.symbol for _, orders in lists for row in orders})
        ids.saw_all(rested, {row.client_algo_id for stops, _ in lists for row in stops})
    stops = [row for each, _ in lists for row in each]
    ids.link_all(stops)
    for stop in stops:
        if requests.is_stop(stop.client_algo_id):
            ids.stop_rests(stop.client_algo_id, stop.symbol)
    await _name_all(read, ids, [row for _, each in lists for row in each])
    told = [words.stop_of(stop) for stop in stops if stop.algo_status != "FINISHED"]
    told += [words.order_of(row) for _, each in lists for row in each]
    # A stop that has just triggered stands in both lists; what it has become says more.
    return tuple({order.client_order_id or order.venue_order_id: order for order in told}.values())


async def _open_orders_of(read: Read, name: str | None) -> tuple[list[StopRow], list[OrderRow]]:
    """Stops first: one that triggers in between is then shown twice, and not never."""
    stops = read_as(list[StopRow], await read(requests.open_stops(name)))
    orders = read_as(list[OrderRow], await read(requests.open_orders(name)))
    return stops, orders


async def _name_all(read: Read, ids: OrderIds, orders: list[OrderRow]) -> None:
    """Learn which of these orders stops of ours became: one may be listed before its stop says so.
    What is none of them by the venue's answer is foreign. Raises Incomplete."""
    unknown = [
        row
        for row in orders
        if ids.name_of(row.order_id) is None and not is_client_order_id(row.client_order_id)
    ]
    for name in sorted({row.symbol for row in unknown if ids.may_have_child(row.symbol)}):
        await find_children(read, ids, name)
    for row in unknown:
        ids.note(row.order_id, row.client_order_id)


async def positions(read: Read) -> list[PositionRow]:
    """All rows of symbols with a holding or an order. Raises Incomplete."""
    return read_as(list[PositionRow], await read(requests.POSITIONS))


async def fills_of(read: Read, name: str, order_id: int) -> list[TradeRow]:
    """All executions of one order. Raises Incomplete."""
    rows: list[TradeRow] = []
    where: dict[str, int] = {"orderId": order_id}
    while True:
        page = read_as(list[TradeRow], await read(requests.trades(name, **where)))
        rows += page
        if len(page) < requests.PAGE:
            return rows
        where["fromId"] = page[-1].id + 1


async def find_children(read: Read, ids: OrderIds, name: str) -> list[StopRow]:
    """Learn which orders the stops of a symbol became; gives the list. Raises Incomplete."""
    rows = read_as(list[StopRow], await read(requests.all_stops(name)))
    ids.link_all(rows)
    return rows


class Said(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What the stream said of one holding, by the venue's time."""

    told: PositionUpdate
    at_ms: int


class Holdings:
    """The holdings of one account: what lists say, held against what the stream said."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity
        self._said: dict[tuple[str, str], Said] = {}
        self._doubted_since_ns: int | None = None

    def hear(self, told: PositionUpdate, at_ms: int) -> None:
        """The stream says what is held."""
        self._said[(told.symbol, told.position_side)] = Said(told=told, at_ms=at_ms)
        self._activity.touch(told.symbol)

    def forget(self) -> None:
        """The stream was interrupted: what it said may be out of date."""
        self._said.clear()
        self._doubted_since_ns = None

    async def read(self, read: Read, words: Translator) -> tuple[VenueHolding, ...]:
        """What the account holds. Raises Incomplete."""
        for _ in range(TRIES):
            rows = await positions(read)
            contradicted = self._contradicted(rows)
            if not contradicted:
                self._doubted_since_ns = None
                break
            await asyncio.sleep(TRY_AGAIN_SECONDS)
        else:
            now_ns = self._activity.now_ns()
            self._doubted_since_ns = self._doubted_since_ns or now_ns
            if now_ns - self._doubted_since_ns < BELIEVED_AFTER_NS:
                raise Incomplete(f"the list of holdings is older than the stream: {contradicted}")
            self.forget()
        holdings = (words.holding_of(row) for row in rows)
        return tuple(holding for holding in holdings if holding is not None)

    def _contradicted(self, rows: list[PositionRow]) -> str:
        """A holding of which the stream said later that it is another; empty for none."""
        listed = {(row.symbol, row.position_side): row for row in rows}
        for key, said in self._said.items():
            row = listed.get(key)
            amount = ZERO if row is None else row.position_amt
            is_newer = row is not None and row.update_time > said.at_ms
            if amount != said.told.position_amt and not is_newer:
                return f"{key[0]} {said.told.position_amt}, listed as {amount}"
        return ""


def states(rows: list[PositionRow]) -> dict[str, tuple[Any, ...]]:
    """How each symbol stands: changes with everything that trades in it."""
    standing: dict[str, tuple[Any, ...]] = {}
    for row in sorted(rows, key=lambda row: (row.symbol, row.position_side)):
        seen = (row.position_side, row.position_amt, row.update_time)
        standing[row.symbol] = (*standing.get(row.symbol, ()), seen)
    return standing

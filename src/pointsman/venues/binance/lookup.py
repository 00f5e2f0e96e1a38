"""Looking one order up at Binance, in both id spaces.

"No such order" is concluded only where the algo service and the ordinary one both say it, and, of a
stop, where the list of all stops of its symbol does not show it either: the algo service may have
ceased to answer about one that has ended.
"""

from collections.abc import Callable
from typing import TypeVar

from pointsman.domain.commands import Query
from pointsman.domain.events import OrderAbsent
from pointsman.domain.venue_reports import OrderFound
from pointsman.venues.adapter import Call, Incomplete, Read
from pointsman.venues.binance import requests
from pointsman.venues.binance.lists import fills_of, find_children
from pointsman.venues.binance.order_ids import actual_id
from pointsman.venues.binance.shapes import OrderRow, StopRow
from pointsman.venues.binance.words import Translator, fill_of
from pointsman.venues.contract_names import venue_symbol
from pointsman.venues.shapes import read_as

T = TypeVar("T")


async def look_up(
    read: Read, words: Translator, query: Query, asked_at_ns: int
) -> OrderFound | OrderAbsent | None:
    """What the venue says of an order; None where nothing can be said. Raises Incomplete."""
    order_id, name = query.client_order_id, venue_symbol(query.symbol)
    absent = OrderAbsent(client_order_id=order_id, asked_at_ns=asked_at_ns)
    if not requests.is_stop(order_id):
        order = await _asked(read, requests.order_by_client_id(order_id, name), OrderRow)
        if order is not None:
            return await _order_found(read, words, order, asked_at_ns)
        stop = await _asked(read, requests.stop_by_client_id(order_id), StopRow)
        return absent if stop is None else None
    stop = await _asked(read, requests.stop_by_client_id(order_id), StopRow)
    if stop is not None:
        return await _stop_found(read, words, stop, asked_at_ns)
    order = await _asked(read, requests.order_by_client_id(order_id, name), OrderRow)
    if order is not None:
        return await _order_found(read, words, order, asked_at_ns)
    rows = await find_children(read, words.ids, name)
    stop = next((row for row in reversed(rows) if row.client_algo_id == order_id), None)
    if stop is not None:
        return await _stop_found(read, words, stop, asked_at_ns)
    is_cut_off = len(rows) >= requests.PAGE
    return None if is_cut_off or words.ids.child_of(order_id) is not None else absent


async def _asked(read: Read, call: Call, shape: Callable[..., T]) -> T | None:
    """One order; None where this id space has no such one. Raises Incomplete."""
    try:
        return read_as(shape, await read(call))  # type: ignore[arg-type]
    except Incomplete as error:
        if error.is_not_found:
            return None
        raise


async def _stop_found(read: Read, words: Translator, stop: StopRow, asked_at_ns: int) -> OrderFound:
    words.ids.link_all([stop])
    child_id = actual_id(stop.actual_order_id) or words.ids.child_of(stop.client_algo_id)
    if child_id is None:
        return OrderFound(order=words.stop_of(stop), fills=(), asked_at_ns=asked_at_ns)
    child = read_as(OrderRow, await read(requests.order_by_id(child_id, stop.symbol)))
    rows = await fills_of(read, stop.symbol, child_id)
    return OrderFound(
        order=words.stop_of(stop, child),
        fills=tuple(fill_of(row) for row in rows),
        asked_at_ns=asked_at_ns,
    )


async def _order_found(
    read: Read, words: Translator, order: OrderRow, asked_at_ns: int
) -> OrderFound:
    rows = await fills_of(read, order.symbol, order.order_id) if order.executed_qty else []
    return OrderFound(
        order=words.order_of(order),
        fills=tuple(fill_of(row) for row in rows),
        asked_at_ns=asked_at_ns,
    )

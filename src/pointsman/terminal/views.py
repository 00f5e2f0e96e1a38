"""The lists as people see them: columns, and what stands above them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from pointsman.reading.lists import ListFilter
from pointsman.reading.price_decimals import PriceDecimals
from pointsman.terminal import columns
from pointsman.terminal.columns import Clock
from pointsman.terminal.tables import Column, Listing
from pointsman.terminal.text import moment


class ListView(NamedTuple):
    """One list for people. `at_ns` is the time of a row, which its first column shows; None for
    what is not listed by time."""

    title: str
    columns: Callable[[Clock, PriceDecimals], Sequence[Column]]
    at_ns: Callable[[Any], int] | None = None


def listing(
    view: ListView, rows: Sequence[Any], wanted: ListFilter, price_decimals: PriceDecimals
) -> Listing:
    """A list for people. Times are UTC; a day that all rows share stands in the title."""
    at_ns = view.at_ns
    if at_ns is None:
        return Listing(view.title, view.columns(_shown_whole, price_decimals), rows)
    note, clock = _clock(map(at_ns, rows))
    if len(rows) == wanted.limit:
        note += f" (the newest {wanted.limit}; --limit shows more)"
    return Listing(view.title + note, view.columns(clock, price_decimals), rows)


def _clock(times_ns: Iterable[int]) -> tuple[str, Clock]:
    days = {moment(at_ns).partition(" ")[0] for at_ns in times_ns}
    if len(days) == 1:
        return f", {days.pop()} UTC", lambda at_ns: moment(at_ns).partition(" ")[2]
    return (", UTC" if days else ""), _shown_whole


def _shown_whole(at_ns: int) -> str:
    return moment(at_ns).partition(".")[0]


VIEWS: dict[str, ListView] = {
    "accounts": ListView("Accounts", columns.account_columns),
    "positions": ListView(
        "Positions", columns.position_columns, lambda row: row.position.opened_at_ns
    ),
    "orders": ListView("Orders", columns.order_columns, lambda row: row.created_at_ns),
    "fills": ListView("Fills", columns.fill_columns, lambda row: row.booked_at_ns),
    "trades": ListView("Trades", columns.trade_columns, lambda row: row.closed_at_ns),
    "signals": ListView("Signals", columns.signal_columns, lambda row: row.record.received_at_ns),
    "incidents": ListView("Incidents", columns.incident_columns, lambda row: row.at_ns),
}
"""Every list, by its verb."""

"""What the dashboard reads beside the pictures: orders, closed trades, why signals were refused
today, and what equity was before it looked. From the database of an engine on this machine, or from
its HTTP API, which give the same documents.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pointsman.dashboard.cells import Row
from pointsman.dashboard.curves import POINTS_MAX, TOTAL, Curve, Point
from pointsman.dashboard.panels.kind import Lists
from pointsman.domain.accounts import EquityPoint
from pointsman.domain.money import exact, plain, shown_average
from pointsman.domain.timestamps import SECOND_NS, parse_ts
from pointsman.reading.lists import LISTS, ListFilter
from pointsman.reading.price_decimals import PriceDecimals, read_price_decimals
from pointsman.storage import queries
from pointsman.storage.reader import open_reader

NEWEST = 100
"""How many of the newest orders and trades are shown."""

OPEN_MAX = 500
"""How many orders that may still fill are shown."""

DECISIONS_MAX = 1000
"""Of how many of the newest decisions the refusals are counted."""

DAY_NS = 24 * 60 * 60 * SECOND_NS
"""How far back equity is shown."""

LEAST_PLACES, MOST_PLACES = 2, 5
"""Decimals of a price whose tick is not known: as many as it has, between these."""

Document = Mapping[str, Any]


def lists_of_database(database: Path, zone: str, now_ns: int) -> Lists:
    """The lists of a database, with or without an engine.

    Raises what `open_reader` raises.
    """
    with closing(open_reader(database)) as connection:

        def listed(name: str, wanted: ListFilter) -> list[Document]:
            kind = LISTS[name]
            return [kind.document(row) for row in kind.rows(connection, wanted)]

        decimals = read_price_decimals(connection)
        refused = queries.rows(
            connection,
            "SELECT reason, decided_at_ns FROM decisions ORDER BY rowid DESC LIMIT ?",
            (DECISIONS_MAX,),
        )
        return made_lists(
            listed("orders", ListFilter(limit=OPEN_MAX, open_only=True)),
            listed("orders", ListFilter(limit=NEWEST)),
            listed("trades", ListFilter(limit=NEWEST)),
            [(reason, at_ns) for reason, at_ns in refused],
            day_start_ns(now_ns, zone),
            decimals=decimals,
        )


def equity_of_database(database: Path, now_ns: int, va_ids: Iterable[str]) -> dict[str, Curve]:
    """What all accounts together and each of these were worth in the last day, as a database kept
    it.

    Raises what `open_reader` raises.
    """
    with closing(open_reader(database)) as connection:
        curves = {}
        for va_id in (TOTAL, *va_ids):
            points = queries.records(
                connection,
                EquityPoint,
                "WHERE va_id = ? AND at_ns >= ? ORDER BY at_ns DESC LIMIT ?",
                (va_id, now_ns - DAY_NS, POINTS_MAX),
            )
            curves[va_id] = tuple(Point(each.at_ns, each.equity) for each in reversed(points))
        return curves


def made_lists(
    working: Iterable[Document],
    newest: Iterable[Document],
    trades: Iterable[Document],
    decided: list[tuple[str | None, int]],
    since_ns: int,
    most: int = DECISIONS_MAX,
    decimals: PriceDecimals | None = None,
) -> Lists:
    """The lists from documents, oldest first, and from the newest decisions, at most `most`: of
    each why it was refused, and when."""
    first = {row["client_order_id"]: row for row in reversed(list(working))}
    others = [row for row in reversed(list(newest)) if row["client_order_id"] not in first]
    today = [reason for reason, at_ns in decided if at_ns >= since_ns]
    return Lists(
        orders=[
            *(_order(row, decimals, is_open=True) for row in first.values()),
            *(_order(row, decimals, is_open=False) for row in others),
        ],
        trades=[_trade(row, decimals) for row in reversed(list(trades))],
        refusals=Counter(reason for reason in today if reason),
        counted=None if len(today) < len(decided) or len(decided) < most else most,
    )


def day_start_ns(now_ns: int, zone: str) -> int:
    """When the day began that this moment lies in, on the clock of `zone`."""
    now = datetime.fromtimestamp(now_ns // SECOND_NS, ZoneInfo(zone))
    return int(datetime(now.year, now.month, now.day, tzinfo=now.tzinfo).timestamp()) * SECOND_NS


def _order(row: Document, decimals: PriceDecimals | None, *, is_open: bool) -> Row:
    filled = Decimal(row["filled"])
    with exact():
        value = Decimal(row["filled_value"])
        average = plain(shown_average(value, filled)) if filled else None
    prices = (row["limit_price"], row["trigger_price"])
    return {
        **row,
        "is_open": is_open,
        "at_ns": parse_ts(row["created_at"]),
        "average": average,
        "price_decimals": _decimals(row, decimals, prices),
    }


def _trade(row: Document, decimals: PriceDecimals | None) -> Row:
    return {
        **row,
        "at_ns": parse_ts(row["closed_at"]),
        "opened_at_ns": parse_ts(row["opened_at"]),
        "price_decimals": _decimals(row, decimals, (row["entry_price"], row["exit_price"])),
    }


def _decimals(row: Document, decimals: PriceDecimals | None, prices: Iterable[str | None]) -> int:
    if decimals is not None:
        return decimals(row["symbol"])
    places = [len(each.rstrip("0").partition(".")[2]) for each in prices if each]
    return min(MOST_PLACES, max([LEAST_PLACES, *places]))

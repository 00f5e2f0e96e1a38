"""What the paper venue demands of an order: tables of what it takes and what it does not."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import OrderType
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import VenueOrder
from pointsman.venues.paper import demands
from pointsman.venues.paper.book import Book
from tests.conformance.bench import INSTRUMENTS, row


def order(
    quantity: str,
    kind: OrderType = OrderType.MARKET,
    side: Side = Side.SELL,
    *,
    limit: str | None = None,
    trigger: str | None = None,
) -> VenueOrder:
    return VenueOrder(
        "A", "1", "BTC/USDT", side, None, kind, Decimal(quantity), Decimal(0),
        OrderStatus.ACCEPTED, False, 0,
        None if limit is None else Decimal(limit),
        None if trigger is None else Decimal(trigger),
    )  # fmt: skip


@pytest.fixture
def book() -> Book:
    """Lots of 0.001, at least 0.002 and 5 of money; the touch is 1000 / 1001."""
    found = Book(INSTRUMENTS["BTC/USDT"], Decimal(0))
    found.renew(row(1, "1000", "1001", symbol="BTC/USDT"))
    return found


@pytest.mark.parametrize(
    ("quantity", "is_taken"),
    [("0.005", True), ("0.0055", False), ("0.004", False), ("0.001", False), ("0", False)],
)
def test_a_quantity_is_whole_lots_and_not_below_the_minima(
    quantity: str, is_taken: bool, book: Book
) -> None:
    assert demands.is_tradeable(order(quantity), book) is is_taken


def test_a_minimum_of_money_is_measured_at_the_orders_own_price(book: Book) -> None:
    assert demands.is_tradeable(order("0.010", OrderType.STOP, trigger="500"), book)
    assert not demands.is_tradeable(order("0.009", OrderType.STOP, trigger="500"), book)


@pytest.mark.parametrize(
    ("kind", "is_taken"),
    [(OrderType.MARKET, False), (OrderType.STOP, False), (OrderType.LIMIT_IOC, True)],
)
def test_rule_48_an_order_that_trades_at_market_may_not_be_too_large(
    kind: OrderType, is_taken: bool
) -> None:
    largest = replace(INSTRUMENTS["BTC/USDT"], max_market_quantity=Decimal("0.5"))
    book = Book(largest, Decimal(0))
    book.renew(row(1, "1000", "1001", symbol="BTC/USDT"))
    for quantity, expected in (("0.5", True), ("0.501", is_taken)):
        wanted = order(quantity, kind, limit="1001", trigger="900")
        assert demands.is_tradeable(wanted, book) is expected


@pytest.mark.parametrize(
    ("side", "trigger", "is_passed"),
    [
        (Side.SELL, "999.9", False),
        (Side.SELL, "1000", True),
        (Side.BUY, "1001", True),
        (Side.BUY, "1001.1", False),
    ],
)
def test_a_stop_at_or_through_the_touch_would_trigger(
    side: Side, trigger: str, is_passed: bool, book: Book
) -> None:
    stop = order("1", OrderType.STOP, side, trigger=trigger)
    assert demands.would_trigger(stop, book.quote) is is_passed
    assert not demands.would_trigger(stop, None)


@pytest.mark.parametrize(
    ("side", "limit", "trades"),
    [
        (Side.BUY, "1001", True),
        (Side.BUY, "1000.9", False),
        (Side.SELL, "1000", True),
        (Side.SELL, "1000.1", False),
        (Side.SELL, None, True),
    ],
)
def test_a_limit_bounds_the_touch(side: Side, limit: str | None, trades: bool, book: Book) -> None:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT_IOC
    assert demands.limit_allows(order("1", kind, side, limit=limit), book) is trades

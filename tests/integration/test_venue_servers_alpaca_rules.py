"""Which orders the Alpaca server of the tests refuses, and with which words, as Alpaca's own client
hears them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.integration.alpaca_client import (
    limit,
    market,
    refused,
    requests,
    stock_client,
    stop,
)
from tests.optional import NEEDS_ALPACA
from tests.venue_servers.alpaca import AlpacaServer

pytestmark = NEEDS_ALPACA


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    with AlpacaServer(key="K", secret="S") as started:
        started.quote("AAPL", 100, "100.02")
        yield started


@pytest.fixture
def client(server: AlpacaServer) -> Iterator[Any]:
    with stock_client(server) as client:
        yield client


Making = Callable[[], Any]
"""Makes a request of the client, which is imported only then."""

OPPOSITES: list[tuple[str, Making, Making, str | None]] = [
    ("stop sell", lambda: stop("sell", 95), lambda: stop("buy", 105), "market/stop"),
    ("stop sell", lambda: stop("sell", 95), lambda: market("buy"), "market/stop"),
    ("limit buy", lambda: limit("buy", 90, 5), lambda: stop("sell", 80), "limit"),
    ("limit buy", lambda: limit("buy", 90, 5), lambda: market("sell"), "limit"),
    ("limit buy", lambda: limit("buy", 90, 5), lambda: limit("sell", 90), "limit"),
    ("limit buy", lambda: limit("buy", 90, 5), lambda: limit("sell", 110), None),
]


@pytest.mark.parametrize(("name", "first", "second", "reason"), OPPOSITES)
def test_what_rests_on_one_side_forbids_on_the_other(
    client: Any, name: str, first: Making, second: Making, reason: str | None
) -> None:
    client.submit_order(market("buy"))
    resting = client.submit_order(first())
    if reason is None:
        assert client.submit_order(second()).status == "pending_new"
        return
    answer = refused(client.submit_order, second())
    assert answer["existing_order_id"] == str(resting.id), name
    assert answer["reject_reason"] == f"opposite side {reason} order exists"


BODY = {"symbol": "AAPL", "side": "buy", "type": "market", "qty": "1", "time_in_force": "day"}
LIMIT = {"type": "limit", "limit_price": "90"}
REFUSALS = [
    ({"symbol": "XYZ"}, 422, 42210000, "not found"),
    ({"side": "up"}, 422, 40010001, "invalid side"),
    ({"type": "trailing_stop"}, 422, 40010001, "invalid type"),
    ({"time_in_force": None}, 422, 40010001, "time_in_force is required"),
    ({"qty": None}, 422, 40010001, "qty or notional"),
    ({"qty": "0"}, 422, 40010001, "must be > 0"),
    ({"qty": "ten"}, 422, 40010001, "not a number"),
    ({"reduce_only": True}, 422, 40010001, "unknown field"),
    ({"client_order_id": "x" * 129}, 422, 40010001, "128"),
    ({"limit_price": "90"}, 422, 40010001, "must not have limit_price"),
    ({"type": "limit"}, 422, 40010001, "require limit_price"),
    (LIMIT | {"limit_price": "90.001"}, 422, 42210000, "sub-penny"),
    (LIMIT | {"limit_price": "0.00001"}, 422, 42210000, "sub-penny"),
    ({"qty": "1.5", "time_in_force": "ioc"}, 422, 42210000, "must be DAY"),
    ({"type": "stop", "stop_price": "99"}, 422, 42210000, "stop price must be greater"),
    (
        {"type": "stop", "stop_price": "101", "side": "sell"},
        422,
        42210000,
        "stop price must be less than base_price - 0.01",
    ),
    ({"type": "stop", "stop_price": "110", "time_in_force": "ioc"}, 422, 42210000, "day or gtc"),
    ({"extended_hours": True}, 422, 42210000, "extended hours"),
    ({"order_class": "bracket"}, 422, 42210000, "complex"),
    ({"qty": "2000"}, 403, 40310000, "insufficient buying power"),
    ({"qty": "2000", "side": "sell"}, 403, 40310000, "insufficient buying power"),
]


@pytest.mark.parametrize(("changed", "http_status", "code", "words"), REFUSALS)
def test_an_order_that_the_venue_refuses(
    client: Any, changed: dict[str, Any], http_status: int, code: int, words: str
) -> None:
    answer = refused(client.post, "/orders", BODY | changed)
    assert (answer["status"], answer["code"]) == (http_status, code)
    assert words in answer["message"]
    assert client.get_orders(requests.GetOrdersRequest(status="all")) == []


def test_an_account_that_may_not_short(server: AlpacaServer, client: Any) -> None:
    assert client.submit_order(market("sell")).status == "pending_new"
    assert client.get_open_position("AAPL").qty == "-10"
    assert (
        "requested: 11, available: 10" in refused(client.submit_order, market("buy", 11))["message"]
    )
    client.close_position("AAPL")
    server.account.shorts = False
    assert refused(client.submit_order, market("sell"))["status"] == 403

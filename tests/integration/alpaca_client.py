"""Alpaca's own client, pointed at the Alpaca server of the tests. A test file that uses it is
marked NEEDS_ALPACA."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.optional import ImportedLate
from tests.venue_servers.alpaca import AlpacaServer

trading = ImportedLate("alpaca.trading.client")
requests = ImportedLate("alpaca.trading.requests")
models = ImportedLate("alpaca.trading.models")
common = ImportedLate("alpaca.common.exceptions")


@contextmanager
def stock_client(server: AlpacaServer) -> Iterator[Any]:
    client = trading.TradingClient("K", "S", paper=True, url_override=server.url)
    client._retry_wait = 0  # seconds, in place of three
    yield client
    client._session.close()


def market(side: str, qty: float = 10, **more: Any) -> Any:
    more = {"time_in_force": "day", **more}
    return requests.MarketOrderRequest(symbol="AAPL", side=side, qty=qty, **more)


def limit(side: str, price: float, qty: float = 10, **more: Any) -> Any:
    more = {"time_in_force": "day", "limit_price": price, **more}
    return requests.LimitOrderRequest(symbol="AAPL", side=side, qty=qty, **more)


def stop(side: str, price: float, qty: float = 10, **more: Any) -> Any:
    more = {"time_in_force": "gtc", "stop_price": price, **more}
    return requests.StopOrderRequest(symbol="AAPL", side=side, qty=qty, **more)


def refused(ask: Callable[..., Any], *args: Any) -> dict[str, Any]:
    """The body of a refusal, with its HTTP status."""
    with pytest.raises(common.APIError) as caught:
        ask(*args)
    body: dict[str, Any] = json.loads(str(caught.value))
    return body | {"status": caught.value.status_code}


def status(client: Any, order: Any) -> str:
    return str(client.get_order_by_id(order.id).status.value)


def eventually(is_so: Callable[[], bool], seconds: float = 3) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)

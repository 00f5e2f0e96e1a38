"""What exactly leaves for Bybit, for each kind of order and question, with its signature."""

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Access, Call
from pointsman.venues.bybit import requests
from pointsman.venues.bybit.requests import order_call, unified_symbol
from pointsman.venues.ccxt_client import CcxtClient
from pointsman.venues.contract_names import venue_symbol
from tests.integration.bybit_account import BTC, SHORT, order

NET, HEDGE = PositionMode.NET, PositionMode.HEDGE
ENTRY = order("ABCDEF1E1", limit="60000.1", quantity="0.010")
SHORT_ENTRY = order("ABCDEF2E1", SHORT, limit="59999.9")
STOP = order("ABCDEF1S1", trigger="59000")
SHORT_STOP = order("ABCDEF2S1", SHORT, trigger="61000")
EXIT = order("ABCDEF1X1")
SHORT_EXIT = order("ABCDEF2X1", SHORT)

LIMIT = {"orderType": "Limit", "timeInForce": "IOC", "reduceOnly": False}
CLOSING = {"orderType": "Market", "timeInForce": "IOC", "reduceOnly": True}
FALLING = CLOSING | {"triggerDirection": 2, "triggerBy": "LastPrice"}
RISING = CLOSING | {"triggerDirection": 1, "triggerBy": "LastPrice"}


@pytest.fixture(scope="module")
def client() -> CcxtClient:
    pytest.importorskip("ccxt", reason="the extra ccxt is not installed")
    access = Access(key="K", secret="S", is_sandbox=True, position_mode=NET, symbols=())
    return CcxtClient(
        "bybit",
        access,
        sandbox="test",
        recv_window_ms=5000,
        options={"enableUnifiedAccount": True, "brokerId": "pointsman"},
    )


def on_the_wire(client: CcxtClient, call: Call) -> tuple[str, Any, dict[str, str]]:
    """Address, content and headers of a request; that it is signed as Bybit asks is checked."""
    path = call.route.partition(" /")[2]
    request = client.signed(call, "private" if call.is_signed else "public", path)
    address, _, query = request["url"].partition("?")
    headers, body = request["headers"] or {}, request["body"]
    if call.is_signed:
        signed = headers["X-BAPI-TIMESTAMP"] + "K" + "5000" + (body or query)
        expected = hmac.new(b"S", signed.encode(), hashlib.sha256).hexdigest()
        assert headers["X-BAPI-SIGN"] == expected
        assert headers["X-BAPI-RECV-WINDOW"] == "5000"
    return f"{request['method']} {address}", json.loads(body) if body else query, headers


@pytest.mark.parametrize(
    ("sent", "mode", "expected"),
    [
        (ENTRY, NET, LIMIT | {"side": "Buy", "price": "60000.1", "qty": "0.010", "positionIdx": 0}),
        (SHORT_ENTRY, NET, LIMIT | {"side": "Sell", "price": "59999.9", "positionIdx": 0}),
        (STOP, NET, FALLING | {"side": "Sell", "triggerPrice": "59000", "positionIdx": 0}),
        (SHORT_STOP, NET, RISING | {"side": "Buy", "triggerPrice": "61000", "positionIdx": 0}),
        (EXIT, NET, CLOSING | {"side": "Sell", "positionIdx": 0}),
        (ENTRY, HEDGE, LIMIT | {"side": "Buy", "price": "60000.1", "qty": "0.010",
                                "positionIdx": 1}),
        (SHORT_ENTRY, HEDGE, LIMIT | {"side": "Sell", "price": "59999.9", "positionIdx": 2}),
        (STOP, HEDGE, FALLING | {"side": "Sell", "triggerPrice": "59000", "positionIdx": 1}),
        (SHORT_STOP, HEDGE, RISING | {"side": "Buy", "triggerPrice": "61000", "positionIdx": 2}),
        (SHORT_EXIT, HEDGE, CLOSING | {"side": "Buy", "positionIdx": 2}),
    ],
)  # fmt: skip
def test_an_order_leaves_with_these_fields_and_no_others(
    client: CcxtClient, sent: Any, mode: PositionMode, expected: dict[str, Any]
) -> None:
    where, body, headers = on_the_wire(client, order_call(sent, mode))
    assert where == "POST https://api-testnet.bybit.com/v5/order/create"
    assert headers["Content-Type"] == "application/json"
    assert headers["Referer"] == "pointsman"
    assert body == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "qty": "0.01",
        "orderLinkId": sent.client_order_id,
        **expected,
    }


@pytest.mark.parametrize("order_id", ["ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"])
def test_an_order_of_each_kind_is_cancelled_and_asked_about_by_our_id(
    client: CcxtClient, order_id: str
) -> None:
    base = "https://api-testnet.bybit.com/v5"
    named = f"category=linear&symbol=BTCUSDT&orderLinkId={order_id}"
    where, body, _ = on_the_wire(client, requests.cancel_call(order_id, BTC))
    assert (where, body) == (f"POST {base}/order/cancel", dict(parse_qsl(named)))
    where, query, _ = on_the_wire(client, requests.working_order_call(order_id, BTC))
    assert (where, query) == (f"GET {base}/order/realtime", named)
    where, query, _ = on_the_wire(client, requests.ended_order_call(order_id, BTC))
    assert (where, query) == (f"GET {base}/order/history", named)


@pytest.mark.parametrize(
    ("call", "path", "query"),
    [
        (requests.KEY, "user/query-api", ""),
        (requests.ACCOUNT, "account/info", ""),
        (requests.TIME, "market/time", ""),
        (requests.INSTRUMENTS, "market/instruments-info", "category=linear&limit=1000"),
        (
            requests.OPEN_ORDERS,
            "order/realtime",
            "category=linear&settleCoin=USDT&openOnly=0&limit=50",
        ),
        (
            requests.open_orders_call(BTC),
            "order/realtime",
            "category=linear&symbol=BTCUSDT&openOnly=0&limit=50",
        ),
        (requests.HOLDINGS, "position/list", "category=linear&settleCoin=USDT&limit=200"),
        (requests.mode_call(BTC), "position/list", "category=linear&symbol=BTCUSDT"),
        (
            requests.executions_call(1_700_000_000_000),
            "execution/list",
            "category=linear&limit=100&startTime=1700000000000",
        ),
        (
            requests.executions_call(None, "ABCDEF1E1"),
            "execution/list",
            "category=linear&limit=100&orderLinkId=ABCDEF1E1",
        ),
    ],
)
def test_a_question_leaves_with_these_fields_and_no_others(
    client: CcxtClient, call: Call, path: str, query: str
) -> None:
    where, asked, headers = on_the_wire(client, call)
    assert (where, asked) == (f"GET https://api-testnet.bybit.com/v5/{path}", query)
    assert ("X-BAPI-API-KEY" in headers) is call.is_signed


def test_a_cursor_leaves_as_it_came() -> None:
    client = CcxtClient(
        "bybit",
        Access(key="K", secret="S", is_sandbox=False, position_mode=NET, symbols=()),
        sandbox="test",
        recv_window_ms=5000,
    )
    call = Call(route="GET /v5/execution/list", params={"cursor": "132766%3A2%2C132766%3A2"})
    where, query, _ = on_the_wire(client, call)
    assert where == "GET https://api.bybit.com/v5/execution/list"
    assert query == "cursor=132766%3A2%2C132766%3A2"


@given(base=st.from_regex(r"[A-Z0-9]{1,12}", fullmatch=True).filter(lambda base: base != "USDT"))
def test_symbols_are_the_same_there_and_back(base: str) -> None:
    symbol = f"{base}/USDT:USDT"
    assert venue_symbol(symbol) == f"{base}USDT"
    assert unified_symbol(venue_symbol(symbol)) == symbol


@pytest.mark.parametrize("name", ["BTCPERP", "BTC-26DEC26", "BTCUSDT-26DEC26", "BTCUSD"])
def test_what_is_no_usdt_perpetual_keeps_the_venues_name(name: str) -> None:
    assert unified_symbol(name) == venue_symbol(name) == name


@given(
    quantity=st.decimals(
        Decimal("0.000000000001"), Decimal(999_999_999), allow_nan=False, places=12
    )
)
def test_quantities_and_prices_leave_exactly_and_without_an_exponent(quantity: Decimal) -> None:
    sent = order("ABCDEF1S1", quantity=str(quantity), trigger=str(quantity))
    params = order_call(sent, NET).params
    for name in ("qty", "triggerPrice"):
        assert Decimal(params[name]) == quantity
        assert "E" not in params[name]

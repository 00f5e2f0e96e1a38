"""What exactly leaves for Binance, of each kind of order and question, and where it goes."""

import importlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from pointsman.domain.orders import Order
from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Access, Call
from pointsman.venues.binance import requests
from pointsman.venues.binance.adapter import (
    LIVE_STREAM,
    RECV_WINDOW_MS,
    SANDBOX_STREAM,
    BinanceAdapter,
)
from pointsman.venues.ccxt_client import CcxtClient
from tests.conformance.bench import LONG, SHORT, entry, market_exit, stop
from tests.optional import NEEDS_CCXT

pytestmark = NEEDS_CCXT

BTC = "BTC/USDT:USDT"
NET, HEDGE = PositionMode.NET, PositionMode.HEDGE
ENTRY: Order = entry("ABCDEF1E1", LONG, "0.010", "50000.10", symbol=BTC)
SHORT_ENTRY: Order = entry("ABCDEF2E1", SHORT, "0.010", "50000", symbol=BTC)
STOP: Order = stop("ABCDEF1S1", LONG, "0.010", "49000.0", symbol=BTC)
SHORT_STOP: Order = stop("ABCDEF2S1", SHORT, "1000", "51000", symbol=BTC)
EXIT: Order = market_exit("ABCDEF1X1", LONG, "0.010", symbol=BTC)

_ENTRY = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "positionSide": "BOTH",
    "quantity": "0.01",
    "newClientOrderId": "ABCDEF1E1",
    "newOrderRespType": "ACK",
    "type": "LIMIT",
    "timeInForce": "IOC",
    "price": "50000.1",
}
_STOP = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "positionSide": "BOTH",
    "quantity": "0.01",
    "reduceOnly": "true",
    "algoType": "CONDITIONAL",
    "type": "STOP_MARKET",
    "triggerPrice": "49000",
    "workingType": "CONTRACT_PRICE",
    "clientAlgoId": "ABCDEF1S1",
}
_EXIT = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "positionSide": "BOTH",
    "quantity": "0.01",
    "reduceOnly": "true",
    "newClientOrderId": "ABCDEF1X1",
    "newOrderRespType": "ACK",
    "type": "MARKET",
}


def hedged(params: dict[str, str], side: str) -> dict[str, str]:
    """In hedge mode the side of the holding stands for reduce-only."""
    return {k: v for k, v in params.items() if k != "reduceOnly"} | {"positionSide": side}


def left(call: Call, *, is_sandbox: bool = True) -> tuple[str, str, dict[str, str], bool]:
    """Method, address, parameters without stamp and signature, and whether they stand in a form."""
    access = Access(key="k", secret="s", is_sandbox=is_sandbox, position_mode=NET, symbols=())
    client = CcxtClient("binanceusdm", access, sandbox="demo", recv_window_ms=RECV_WINDOW_MS)
    signed = client.signed(call, *requests.section_and_path(call))
    address = urlsplit(signed["url"])
    text = signed["body"] or address.query
    said = dict(parse_qsl(text, strict_parsing=bool(text)))
    if call.is_signed and "listenKey" not in call.route:
        for name in ("timestamp", "signature"):
            assert said.pop(name)
        assert said.pop("recvWindow") == "5000"
    return (
        signed["method"],
        f"{address.scheme}://{address.netloc}{address.path}",
        said,
        signed["body"] is not None,
    )


@pytest.mark.parametrize(
    ("mode", "order", "path", "params"),
    [
        (NET, ENTRY, "order", _ENTRY),
        (
            NET,
            SHORT_ENTRY,
            "order",
            {**_ENTRY, "side": "SELL", "newClientOrderId": "ABCDEF2E1", "price": "50000"},
        ),
        (NET, STOP, "algoOrder", _STOP),
        (
            NET,
            SHORT_STOP,
            "algoOrder",
            {
                **_STOP,
                "side": "BUY",
                "quantity": "1000",
                "triggerPrice": "51000",
                "clientAlgoId": "ABCDEF2S1",
            },
        ),
        (NET, EXIT, "order", _EXIT),
        (HEDGE, ENTRY, "order", hedged(_ENTRY, "LONG")),
        (HEDGE, STOP, "algoOrder", hedged(_STOP, "LONG")),
        (HEDGE, EXIT, "order", hedged(_EXIT, "LONG")),
        (
            HEDGE,
            SHORT_STOP,
            "algoOrder",
            {
                **hedged(_STOP, "SHORT"),
                "side": "BUY",
                "quantity": "1000",
                "triggerPrice": "51000",
                "clientAlgoId": "ABCDEF2S1",
            },
        ),
    ],
)
def test_an_order_leaves_with_exactly_these_parameters(
    mode: PositionMode, order: Order, path: str, params: dict[str, str]
) -> None:
    address = f"https://demo-fapi.binance.com/fapi/v1/{path}"
    assert left(requests.order_call(order, mode)) == ("POST", address, params, True)


@pytest.mark.parametrize(
    ("call", "method", "path", "params"),
    [
        (
            requests.cancel_call("ABCDEF1E1", BTC, None),
            "DELETE",
            "v1/order",
            {"symbol": "BTCUSDT", "origClientOrderId": "ABCDEF1E1"},
        ),
        (
            requests.cancel_call("ABCDEF1S1", BTC, None),
            "DELETE",
            "v1/algoOrder",
            {"clientAlgoId": "ABCDEF1S1"},
        ),
        (
            requests.cancel_call("ABCDEF1S1", BTC, 77),
            "DELETE",
            "v1/order",
            {"symbol": "BTCUSDT", "orderId": "77"},
        ),
        (
            requests.order_by_client_id("ABCDEF1E1", "BTCUSDT"),
            "GET",
            "v1/order",
            {"symbol": "BTCUSDT", "origClientOrderId": "ABCDEF1E1"},
        ),
        (
            requests.order_by_id(77, "BTCUSDT"),
            "GET",
            "v1/order",
            {"symbol": "BTCUSDT", "orderId": "77"},
        ),
        (
            requests.stop_by_client_id("ABCDEF1S1"),
            "GET",
            "v1/algoOrder",
            {"clientAlgoId": "ABCDEF1S1"},
        ),
        (requests.open_orders("BTCUSDT"), "GET", "v1/openOrders", {"symbol": "BTCUSDT"}),
        (requests.open_orders(None), "GET", "v1/openOrders", {}),
        (requests.open_stops("BTCUSDT"), "GET", "v1/openAlgoOrders", {"symbol": "BTCUSDT"}),
        (
            requests.all_stops("BTCUSDT"),
            "GET",
            "v1/allAlgoOrders",
            {"symbol": "BTCUSDT", "limit": "1000"},
        ),
        (
            requests.trades("BTCUSDT", fromId=9),
            "GET",
            "v1/userTrades",
            {"symbol": "BTCUSDT", "fromId": "9", "limit": "1000"},
        ),
        (requests.income(5), "GET", "v1/income", {"startTime": "5", "limit": "1000"}),
        (requests.POSITIONS, "GET", "v3/positionRisk", {}),
        (requests.ACCOUNT, "GET", "v2/account", {}),
        (requests.BALANCE, "GET", "v3/balance", {}),
        (requests.TIME, "GET", "v1/time", {}),
        (requests.EXCHANGE_INFO, "GET", "v1/exchangeInfo", {}),
        (requests.TAKE_LISTEN_KEY, "POST", "v1/listenKey", {}),
        (requests.KEEP_LISTEN_KEY, "PUT", "v1/listenKey", {}),
        (
            requests.funding_rates("BTCUSDT", 1_700_000_700_000),
            "GET",
            "v1/fundingRate",
            {"symbol": "BTCUSDT", "startTime": "1700000100000", "endTime": "1700000700000"},
        ),
    ],
    ids=lambda value: value.route if isinstance(value, Call) else "",
)
def test_a_question_or_a_cancel_leaves_with_exactly_these_parameters(
    call: Call, method: str, path: str, params: dict[str, str]
) -> None:
    said_method, address, said, _ = left(call)
    assert said_method == method
    assert address == f"https://demo-fapi.binance.com/fapi/{path}"
    assert said == params


def test_what_a_key_may_do_is_asked_at_the_real_venue() -> None:
    _, address, _, _ = left(requests.KEY, is_sandbox=False)
    assert address == "https://api.binance.com/sapi/v1/account/apiRestrictions"


@pytest.mark.parametrize(
    ("call", "weight"),
    [
        (requests.open_orders("BTCUSDT"), 1),
        (requests.open_orders(None), 40),
        (requests.open_stops(None), 40),
        (requests.trades("BTCUSDT"), 5),
        (requests.POSITIONS, 5),
        (requests.income(1), 30),
    ],
)
def test_a_question_costs_what_the_venue_documents(call: Call, weight: int) -> None:
    assert call.weight == weight


def test_a_stop_that_has_become_an_order_is_cancelled_as_that_order() -> None:
    access = Access(key="k", secret="s", is_sandbox=True, position_mode=NET, symbols=(BTC,))
    made = BinanceAdapter(access)
    assert made.cancel("ABCDEF1S1", BTC).route == "DELETE /fapi/v1/algoOrder"
    made.ids.link(77, "ABCDEF1S1")
    call: Any = made.cancel("ABCDEF1S1", BTC)
    assert (call.route, call.params["orderId"]) == ("DELETE /fapi/v1/order", 77)


@pytest.mark.parametrize(("section", "address"), [("api", LIVE_STREAM), ("demo", SANDBOX_STREAM)])
def test_the_stream_is_where_ccxt_connects_to(section: str, address: str) -> None:
    """Binance has moved it before: a newer ccxt that knows better is noticed here."""
    exchange: Any = importlib.import_module("ccxt.pro").binanceusdm()
    exchange.urls["api"] = exchange.urls[section]
    assert exchange.get_private_ws_url("linear", "KEY") == f"{address}?listenKey=KEY"

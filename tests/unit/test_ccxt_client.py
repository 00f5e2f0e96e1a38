"""What we use of ccxt: signatures, addresses, and stamps by the venue's clock."""

import logging
import time
from typing import Any
from urllib.parse import parse_qs

import pytest

from pointsman.domain.policy import PositionMode
from pointsman.domain.timestamps import SECOND_NS
from pointsman.venues.adapter import Access, Call, Incomplete
from pointsman.venues.ccxt_client import CcxtClient
from pointsman.venues.errors import VenueRefused
from tests.optional import NEEDS_CCXT

pytestmark = NEEDS_CCXT


def client(*, is_sandbox: bool = True, **changes: Any) -> CcxtClient:
    access = Access(
        key="the-key",
        secret="the-secret",
        is_sandbox=is_sandbox,
        position_mode=PositionMode.NET,
        symbols=(),
        **changes,
    )
    return CcxtClient("binanceusdm", access, sandbox="demo", recv_window_ms=5000)


ASK = Call(route="GET /fapi/v1/openOrders", params={"symbol": "BTCUSDT"})


def url_of(made: CcxtClient) -> str:
    return str(made.signed(ASK, "fapiPrivate", "openOrders")["url"]).partition("?")[0]


def test_requests_go_to_the_sandbox_to_the_real_venue_or_where_the_settings_say() -> None:
    assert url_of(client()) == "https://demo-fapi.binance.com/fapi/v1/openOrders"
    assert url_of(client(is_sandbox=False)) == "https://fapi.binance.com/fapi/v1/openOrders"
    assert url_of(client(url="http://127.0.0.1:9")) == "http://127.0.0.1:9/fapi/v1/openOrders"


def test_stamps_follow_the_venues_clock_and_expire_before_an_order_counts_as_settled() -> None:
    made = client(order_settle_ns=3 * SECOND_NS)
    now = made.now_ms()
    made.set_clock(now - 400, now + 120_000, now)

    asked = parse_qs(made.signed(ASK, "fapiPrivate", "openOrders")["url"].partition("?")[2])

    assert made.clock_error_ms == 201
    assert made.request_expiry_ms == 3000
    assert made.venue_now_ms() - made.venue_at_least_ms() in range(200, 210)
    assert 120_200 <= made.venue_now_ms() - now < 122_000
    assert int(asked["recvWindow"][0]) == 3000 - 201
    assert 120_200 <= int(asked["timestamp"][0]) - now < 122_000


def test_a_step_of_this_machines_clock_moves_no_stamp(monkeypatch: pytest.MonkeyPatch) -> None:
    made = client()
    before = made.now_ms()
    monkeypatch.setattr(time, "time", lambda: 4e9)
    asked = parse_qs(made.signed(ASK, "fapiPrivate", "openOrders")["url"].partition("?")[2])
    assert 0 <= int(asked["timestamp"][0]) - before < 60_000


def test_a_window_is_never_longer_than_what_the_adapter_wants() -> None:
    made = client(order_settle_ns=60 * SECOND_NS)
    now = made.now_ms()
    made.set_clock(now, now, now)
    asked = parse_qs(made.signed(ASK, "fapiPrivate", "openOrders")["url"].partition("?")[2])
    assert asked["recvWindow"] == ["5000"]


def test_rule_26_a_clock_that_is_set_again_never_lets_a_request_live_longer() -> None:
    """How long a request may be taken was told at the opening, and is relied on since."""
    made = client()
    now = made.now_ms()
    made.set_clock(now - 20, now, now)
    first_ms = made.request_expiry_ms
    made.set_clock(now - 3_000, now, now)
    assert (made.clock_error_ms, made.request_expiry_ms) == (1_501, first_ms)
    made.set_clock(now - 4, now, now)
    assert made.request_expiry_ms <= first_ms
    with pytest.raises(Incomplete, match="took 30000 ms to say what time it is"):
        made.set_clock(now - 30_000, now, now)
    assert (made.clock_error_ms, made.request_expiry_ms) == (3, 5_003)


def test_ccxt_writes_neither_keys_nor_bodies_into_a_log() -> None:
    exchange = client().exchange
    assert exchange.verbose is False
    assert not exchange.logger.isEnabledFor(logging.DEBUG)


def test_without_ccxt_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ccxt", None)
    with pytest.raises(VenueRefused, match="pip install ccxt"):
        _ = client().exchange

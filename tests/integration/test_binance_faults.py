"""What the adapter of Binance futures must withstand, over real sockets: answers that are lost,
broken or late, and a stream that loses, repeats and swaps. No order is doubled, none is lost, and
nothing is concluded that the venue has not said."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.events import (
    CancelRefused,
    NotSent,
    OrderAbsent,
    OrderReport,
    VenueLink,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.orders import Order
from pointsman.domain.venue_reports import OrderFound
from pointsman.venues.binance import adapter as adapter_module
from tests.integration.binance_account import (
    Account,
    entry,
    market_exit,
    opened,
    stop,
)
from tests.optional import NEEDS_CCXT
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.faults import Fault, Kind

pytestmark = NEEDS_CCXT

E1, S1, X1 = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"
ORDERS: dict[str, tuple[Order, str]] = {
    "entry": (entry(E1, "0.01"), "create"),
    "stop": (stop(S1, "0.01"), "stop"),
    "exit": (market_exit(X1, "0.01"), "create"),
}
UNKNOWN = {"code": -1007, "msg": "Timeout waiting for response from backend server."}


@pytest.fixture
def server() -> Iterator[BinanceServer]:
    with BinanceServer() as server:
        server.quote("BTCUSDT", "50000.0", "50000.1", 10, 10)
        yield server


@pytest.fixture
def account(server: BinanceServer) -> Iterator[Account]:
    """It holds something that can be protected and closed."""
    with opened(server, timeout_ms=1000) as account:
        account.hold("ABCDEF9E1", "0.01")
        yield account


def about(account: Account, order_id: str) -> list[Any]:
    """What was said of one order, beside that it was found."""
    kinds = OrderReport | NotSent | CancelRefused | OrderAbsent
    said = [reply for reply in account.heard if isinstance(reply, kinds)]
    return [r for r in said if getattr(r, "client_order_id", None) == order_id]


def found(account: Account, order_id: str) -> OrderFound | None:
    """What is found about an order, where there is one: it is asked when what came before of the
    same order is over, and concluded whatever will be."""
    told = account.query(order_id)
    return told if isinstance(told, OrderFound) else None


# -- answers to orders -----------------------------------------------------------------------------

LOST: dict[str, dict[str, Any]] = {
    "408": {"kind": Kind.ANSWER_AFTER_DOING, "status": 408, "body": UNKNOWN},
    "503": {"kind": Kind.ANSWER_AFTER_DOING, "status": 503, "body": {"code": -1, "msg": "Unknown"}},
    "a code that is not documented": {
        "kind": Kind.ANSWER_AFTER_DOING,
        "status": 400,
        "body": {"code": -7777, "msg": "new"},
    },
}
"""Binance's own words; what is lost or broken anywhere is in tests/conformance."""


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize("fault", LOST)
def test_an_order_whose_answer_is_lost_is_neither_doubled_nor_taken_for_refused(
    server: BinanceServer, account: Account, kind: str, fault: str
) -> None:
    order, route = ORDERS[kind]
    server.streams.silence(60)
    server.faults.add(Fault(route=route, **LOST[fault]))
    account.send(Submit(order))
    told = found(account, order.client_order_id)
    assert told is not None
    assert about(account, order.client_order_id) == []
    assert told.order.status in (OrderStatus.FILLED, OrderStatus.ACCEPTED)
    assert (
        sum(each.route == route and order.client_order_id in each.body for each in asked(server))
        == 1
    )


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize(
    "fault",
    [{"kind": Kind.ANSWER, "status": 400, "body": UNKNOWN}],
)
def test_an_order_that_may_not_have_arrived_is_asked_about(
    server: BinanceServer, account: Account, kind: str, fault: dict[str, Any]
) -> None:
    order, route = ORDERS[kind]
    server.faults.add(Fault(route=route, **fault))
    account.send(Submit(order))
    assert found(account, order.client_order_id) is None
    (absent,) = about(account, order.client_order_id)
    assert isinstance(absent, OrderAbsent)


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (429, -1003, "Too many requests"),
        (418, -1003, "IP banned"),
        (503, -1, "Service Unavailable."),
        (400, -1021, "Timestamp for this request is outside of the recvWindow."),
    ],
)
def test_an_order_that_the_venue_did_not_look_at_is_not_sent(
    server: BinanceServer, account: Account, kind: str, status: int, code: int, told: str
) -> None:
    order, route = ORDERS[kind]
    body = {"code": code, "msg": told}
    headers = {"Retry-After": "1"}
    fault: dict[str, Any] = {
        "kind": Kind.ANSWER,
        "status": status,
        "body": body,
        "headers": headers,
    }
    server.faults.add(Fault(route=route, **fault))
    account.send(Submit(order))
    (reply,) = account.until(lambda: about(account, order.client_order_id))
    assert isinstance(reply, NotSent)
    if status in (418, 429):
        account.until(lambda: account.links(VenueLink.BUDGET) == [False, True])
    account.submit(order, "ACCEPTED")


def test_a_stop_that_is_sent_twice_is_one_stop(server: BinanceServer, account: Account) -> None:
    account.submit(ORDERS["stop"][0], "ACCEPTED")
    account.send(Submit(ORDERS["stop"][0]))
    account.until(lambda: [r for r in account.heard if isinstance(r, OrderFound)])
    assert account.words(S1) == ["ACCEPTED"]
    assert len(account.compare_whole().open_orders) == 1
    assert len(server.events.placed_stops()) == 1


def test_a_key_that_is_revoked_takes_the_link_for_orders_down(
    server: BinanceServer, account: Account
) -> None:
    server.gate.key = "another"
    account.submit(ORDERS["stop"][0], "REJECTED VENUE_REJECTED")
    assert account.links(VenueLink.ORDERS) == [False]
    server.gate.key = "key"
    account.submit(stop("ABCDEF1S2", "0.01"), "ACCEPTED")
    assert account.links(VenueLink.ORDERS) == [False, True]


# -- answers to cancels ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", LOST)
def test_a_cancel_whose_answer_is_lost_says_nothing_and_the_question_all(
    server: BinanceServer, account: Account, fault: str
) -> None:
    account.submit(ORDERS["stop"][0], "ACCEPTED")
    server.streams.silence(60)
    server.faults.add(Fault(route="stop_cancel", **LOST[fault]))
    account.cancel(S1)
    told = found(account, S1)
    assert told is not None
    assert account.words(S1) == ["ACCEPTED"]
    assert not [reply for reply in about(account, S1) if not isinstance(reply, OrderReport)]
    assert told.order.status is OrderStatus.CANCELED


def test_a_cancel_of_what_has_been_cancelled_is_refused_and_its_end_is_found(
    server: BinanceServer, account: Account
) -> None:
    account.submit(ORDERS["stop"][0], "ACCEPTED")
    server.streams.silence(60)
    account.cancel(S1)
    account.wait(S1, "CANCELED")
    account.cancel(S1)
    account.until(lambda: [r for r in account.heard if isinstance(r, CancelRefused)])
    told = account.query(S1)
    assert isinstance(told, OrderFound)
    assert told.order.status is OrderStatus.CANCELED


# -- the stream ------------------------------------------------------------------------------------


def test_a_stream_that_is_lost_is_connected_again_and_the_comparison_tells_what_it_missed(
    server: BinanceServer, account: Account
) -> None:
    account.submit(ORDERS["stop"][0], "ACCEPTED")
    server.streams.silence(0.1)
    server.quote("BTCUSDT", "48990.0", "48990.1", 10, 10)
    server.streams.close()
    account.until(lambda: account.links(VenueLink.ACCOUNT_STREAM)[1:] == [False, True])
    snapshot = account.compare_whole()
    assert [trade.client_order_id for trade in snapshot.trades] == ["ABCDEF9E1", S1]
    assert (snapshot.open_orders, snapshot.holdings) == ((), ())


def test_a_listen_key_that_expires_is_replaced(server: BinanceServer, account: Account) -> None:
    server.expire_listen_key()
    account.until(lambda: account.links(VenueLink.ACCOUNT_STREAM)[1:] == [False, True])
    account.submit(market_exit(X1, "0.01"), "TRADE 0.01")


def test_a_listen_key_is_kept_and_one_that_was_lost_unnoticed_is_replaced(
    server: BinanceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_module, "KEEP_ALIVE_SECONDS", 0.1)
    with opened(server) as account:
        account.until(lambda: [1 for each in asked(server) if each.method == "PUT"])
        assert account.links(VenueLink.ACCOUNT_STREAM) == [True]
        server.call(server.listen_keys.end)
        account.until(lambda: account.links(VenueLink.ACCOUNT_STREAM)[1:] == [False, True])
        account.submit(entry(E1, "0.01"), "TRADE 0.01")


def test_where_keeping_the_key_fails_otherwise_the_stream_goes_on(
    server: BinanceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_module, "KEEP_ALIVE_SECONDS", 0.1)
    monkeypatch.setattr(adapter_module, "KEEP_ALIVE_AGAIN_SECONDS", 0.1)
    with opened(server) as account:
        server.faults.add(
            Fault(route="listen_key", kind=Kind.ANSWER, status=502, body="<html>", times=2)
        )
        account.until(lambda: sum(each.method == "PUT" for each in asked(server)) >= 4)
        assert account.links(VenueLink.ACCOUNT_STREAM) == [True]


@pytest.mark.parametrize("action", ["drop", "repeat", "swap", "delay"])
def test_whatever_the_stream_does_to_its_messages_the_fills_add_up(
    server: BinanceServer, account: Account, action: str
) -> None:
    server.switch(pieces=5)
    arguments = {"delay": (0.3,), "drop": (4,), "repeat": (4,), "swap": ()}[action]
    getattr(server.streams, action)(*arguments)
    account.send(Submit(market_exit(X1, "0.01")))
    account.listen(0.8)
    snapshot = account.compare_whole()
    told = dict(account.fills(X1))
    told |= {
        trade.fill.trade_id: trade.fill.quantity
        for trade in snapshot.trades
        if trade.client_order_id == X1
    }
    assert sum(told.values()) == Decimal("0.01")
    assert snapshot.holdings == ()


def asked(server: BinanceServer) -> list[Any]:
    return list(server.requests)

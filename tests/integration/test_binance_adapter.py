"""The adapter of Binance futures against its server on loopback, over real sockets: what an order
goes through, in both position modes, and what a comparison and a question say of it."""

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from pointsman.domain.commands import Query, Submit
from pointsman.domain.events import CancelRefused, NotSent, OrderAbsent, VenueLink
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order
from pointsman.domain.policy import PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import OrderFound
from pointsman.engine.venue_check import Promise, Walk
from pointsman.engine.venue_conversation import Line
from pointsman.venues.binance.adapter import make_adapter
from pointsman.venues.bridge import RealVenue
from pointsman.venues.errors import VenueRefused
from tests.integration.binance_account import (
    BTC,
    LONG,
    SHORT,
    Account,
    access_to,
    entry,
    market_exit,
    opened,
    stop,
)
from tests.optional import NEEDS_CCXT
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.binance_events import ChildClientId, TriggerSequence
from tests.venue_servers.faults import Fault, Kind

pytestmark = NEEDS_CCXT

E1, S1, S2, X1 = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1S2", "ABCDEF1X1"


@pytest.fixture
def server() -> Iterator[BinanceServer]:
    with BinanceServer() as server:
        server.quote("BTCUSDT", "50000.0", "50000.1", 10, 10)
        server.quote("ETHUSDT", "3000.00", "3000.01", 100, 100)
        yield server


@pytest.fixture
def account(server: BinanceServer) -> Iterator[Account]:
    with opened(server) as account:
        yield account


# -- opening ---------------------------------------------------------------------------------------


def test_at_the_start_the_venue_says_what_it_can_do_and_what_it_trades(account: Account) -> None:
    opening = account.venue.opening
    instrument = opening.instruments[BTC]
    assert opening.abilities.position_mode is PositionMode.NET
    assert opening.abilities.reduce_only is ReduceOnlyMode.REFUSE
    assert opening.abilities.max_stops_per_symbol == 10
    assert opening.abilities.request_expiry_ns is not None
    assert 5 * 10**9 <= opening.abilities.request_expiry_ns < 6 * 10**9
    assert (instrument.tick, instrument.lot) == (Decimal("0.1"), Decimal("0.001"))
    assert (instrument.min_notional, instrument.currency) == (50, "USDT")
    assert instrument.max_market_quantity == 125
    assert (opening.requests_per_minute, opening.account) == (2400, "SgsR")


@pytest.mark.parametrize(
    ("changes", "switches", "told"),
    [
        ({"key": "another"}, {}, "-2015|Invalid API-key"),
        ({"position_mode": PositionMode.HEDGE}, {}, "VENUE_POSITION_MODE=net"),
        ({}, {"multi_assets": True}, "multi-assets mode"),
        ({"is_sandbox": False}, {"enable_withdrawals": True}, "may withdraw money"),
    ],
)
def test_an_account_that_is_not_as_it_should_be_is_not_opened(
    server: BinanceServer, changes: dict[str, object], switches: dict[str, object], told: str
) -> None:
    server.switch(**switches)
    with pytest.raises(VenueRefused, match=told):
        RealVenue(make_adapter(access_to(server, **changes)), now_ns=1, requests_per_minute=None)


def test_a_clock_that_is_wrong_by_minutes_does_not_matter(server: BinanceServer) -> None:
    server.clock_ahead_ms = 120_000
    with opened(server) as account:
        account.hold(E1, "0.01")


def test_a_clock_that_is_put_right_at_the_venue_costs_one_request(
    server: BinanceServer, account: Account
) -> None:
    server.clock_ahead_ms = 60_000
    account.send(Submit(entry(E1, "0.01")))
    account.until(lambda: [r for r in account.heard if isinstance(r, NotSent)])
    account.hold("ABCDEF2E1", "0.01")


# -- orders ----------------------------------------------------------------------------------------


def test_an_entry_trades_and_what_it_cannot_fill_at_once_expires(
    server: BinanceServer, account: Account
) -> None:
    server.quote("BTCUSDT", "50000.0", "50000.1", 10, "0.004")
    account.submit(entry(E1, "0.01", "50000.1"), "EXPIRED NOT_FILLED")
    assert account.words(E1) == ["ACCEPTED", "TRADE 0.004", "EXPIRED NOT_FILLED"]
    found = found_of(account, E1)
    assert (found.order.status, found.order.filled) == (OrderStatus.EXPIRED, Decimal("0.004"))
    assert found.order.end_reason is Reason.NOT_FILLED
    assert [fill.trade_id for fill in found.fills] == [one[0] for one in account.fills(E1)]


def test_twenty_fills_in_one_segment_are_twenty_fills(
    server: BinanceServer, account: Account
) -> None:
    account.hold(E1, "0.02")
    server.switch(pieces=20)
    account.submit(market_exit(X1, "0.02"), "TRADE 0.001")
    account.until(lambda: len(account.fills(X1)) == 20)
    assert sum(quantity for _, quantity in account.fills(X1)) == Decimal("0.02")
    assert [each.fill.trade_id for each in account.compare_whole().trades[1:]] == [
        one[0] for one in account.fills(X1)
    ]


def test_a_stop_rests_is_found_and_is_cancelled(account: Account) -> None:
    account.hold(E1, "0.01")
    account.submit(stop(S1, "0.01"), "ACCEPTED")
    (resting,) = account.compare_whole().open_orders
    assert (resting.client_order_id, resting.status) == (S1, OrderStatus.ACCEPTED)
    assert (resting.trigger_price, resting.reduce_only) == (49000, True)
    assert found_of(account, S1).order == resting
    account.cancel(S1)
    assert account.wait(S1, "CANCELED") == ["ACCEPTED", "CANCELED"]
    assert found_of(account, S1).order.status is OrderStatus.CANCELED
    account.submit(market_exit(X1, "0.01"), "TRADE 0.01")
    snapshot = account.compare_whole()
    assert (snapshot.open_orders, snapshot.holdings) == ((), ())


@pytest.mark.parametrize("child", ChildClientId)
@pytest.mark.parametrize("sequence", [TriggerSequence.STOP_FIRST, TriggerSequence.CHILD_FIRST])
@pytest.mark.parametrize("serves_ended", [True, False])
def test_a_stop_that_triggers_stays_the_same_order_whatever_it_becomes(
    server: BinanceServer,
    account: Account,
    child: ChildClientId,
    sequence: TriggerSequence,
    serves_ended: bool,
) -> None:
    server.switch(trigger_sequence=sequence, child_client_id=child, serves_ended_stops=serves_ended)
    account.hold(E1, "0.01")
    account.submit(stop(S1, "0.01"), "ACCEPTED")
    server.quote("BTCUSDT", "48990.0", "48990.1", 10, 10)
    account.wait(S1, "TRADE 0.01")
    account.wait(S1, "TRIGGERED")
    assert len(account.fills(S1)) == 1
    found = found_of(account, S1)
    assert (found.order.status, found.order.is_triggered) == (OrderStatus.FILLED, True)
    assert [(fill.trade_id, fill.quantity) for fill in found.fills] == account.fills(S1)
    assert traded(account) == [E1, S1]


def test_after_a_start_the_fill_of_a_stop_is_found_by_asking(server: BinanceServer) -> None:
    server.switch(child_client_id="foreign")
    with opened(server) as account:
        account.hold(E1, "0.01")
        account.submit(stop(S1, "0.01"), "ACCEPTED")
        cursor = account.cursor
    server.quote("BTCUSDT", "48990.0", "48990.1", 10, 10)
    with opened(server) as again:
        again.cursor = cursor
        assert traded(again) == [E1, S1]


def test_a_fill_that_nothing_of_ours_explains_is_foreign_after_two_seconds(
    server: BinanceServer, account: Account
) -> None:
    account.hold(E1, "0.01")
    account.submit(stop(S1, "0.01"), "ACCEPTED")
    server.foreign_order("BTCUSDT", "sell", "0.002", client_id="web_1")
    account.listen(2.8)
    assert account.fills(S1) == []
    assert traded(account) == [E1, "web_1"]
    assert len([1 for each in server.requests if each.route == "all_stops"]) <= 6


def test_a_confirmed_stop_can_be_rejected_at_its_trigger(
    server: BinanceServer, account: Account
) -> None:
    server.switch(trigger_sequence="rejected")
    account.hold(E1, "0.01")
    account.submit(stop(S1, "0.01"), "ACCEPTED")
    server.quote("BTCUSDT", "48990.0", "48990.1", 10, 10)
    assert account.wait(S1, "REJECTED REDUCE_ONLY") == [
        "ACCEPTED",
        "TRIGGERED",
        "REJECTED REDUCE_ONLY",
    ]
    assert found_of(account, S1).order.status is OrderStatus.REJECTED


def test_a_stop_that_is_stuck_at_its_trigger_counts_as_triggered(
    server: BinanceServer, account: Account
) -> None:
    server.switch(trigger_sequence="stuck")
    account.hold(E1, "0.01")
    account.submit(stop(S1, "0.01"), "ACCEPTED")
    server.quote("BTCUSDT", "48990.0", "48990.1", 10, 10)
    account.wait(S1, "TRIGGERED")
    order = found_of(account, S1).order
    assert (order.status, order.is_triggered) == (OrderStatus.ACCEPTED, True)


def test_a_cancel_that_a_trigger_has_overtaken_is_refused_and_the_fill_is_found(
    server: BinanceServer, account: Account
) -> None:
    account.hold(E1, "0.01")
    account.submit(stop(S1, "0.01"), "ACCEPTED")
    server.streams.silence(30)
    server.quote("BTCUSDT", "48990.0", "48990.1", 10, 10)
    account.cancel(S1)
    account.until(lambda: [r for r in account.heard if isinstance(r, CancelRefused)])
    assert [r.reason for r in account.heard if isinstance(r, CancelRefused)] == [Reason.NOT_FOUND]
    found = found_of(account, S1)
    assert (found.order.status, found.order.filled) == (OrderStatus.FILLED, Decimal("0.01"))


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (stop(S1, "0.01", "50100"), "REJECTED WOULD_TRIGGER"),
        (market_exit(X1, "0.01", SHORT), "REJECTED REDUCE_ONLY"),
        (entry(E1, "0.01", "50000.11"), "REJECTED BAD_PRICE"),
        (entry(E1, "0.001", "49999"), "REJECTED BAD_QUANTITY"),
        (entry(E1, "900"), "REJECTED VENUE_REJECTED"),
    ],
)
def test_what_the_venue_refuses_is_rejected_for_a_reason_of_ours(
    account: Account, order: Order, told: str
) -> None:
    account.hold("ABCDEF9E1", "0.01")
    assert account.submit(order, told) == [told]
    assert account.links(VenueLink.ORDERS) == []


def test_in_hedge_mode_long_and_short_are_kept_apart() -> None:
    with BinanceServer(is_hedging=True) as server:
        server.quote("BTCUSDT", "50000.0", "50000.1", 10, 10)
        with opened(server, position_mode=PositionMode.HEDGE) as account:
            account.hold("ABCDEF1E1", "0.01")
            account.hold("ABCDEF2E1", "0.02", SHORT)
            account.submit(stop(S1, "0.01"), "ACCEPTED")
            account.submit(stop("ABCDEF2S1", "0.02", "51000", SHORT), "ACCEPTED")
            snapshot = account.compare_whole()
            held = [(each.position_side, each.quantity) for each in snapshot.holdings]
            assert held == [(LONG, Decimal("0.01")), (SHORT, Decimal("-0.02"))]
            assert {
                (each.client_order_id, each.position_side, each.reduce_only)
                for each in snapshot.open_orders
            } == {(S1, LONG, True), ("ABCDEF2S1", SHORT, True)}
            server.quote("BTCUSDT", "51000.0", "51000.1", 10, 10)
            account.wait("ABCDEF2S1", "TRADE 0.02")
            account.submit(market_exit(X1, "0.01"), "TRADE 0.01")
            assert account.compare_whole().holdings == ()


# -- questions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("order_id", [E1, S1, X1])
def test_an_order_is_absent_where_both_id_spaces_say_so(
    server: BinanceServer, account: Account, order_id: str
) -> None:
    assert isinstance(account.query(order_id), OrderAbsent)
    asked = [each.route for each in server.requests if each.status == 400]
    assert sorted(asked) == ["query", "stop_query"]


@pytest.mark.parametrize("route", ["query", "stop_query", "all_stops"])
def test_an_order_is_not_absent_where_one_of_the_answers_cannot_be_read(
    server: BinanceServer, account: Account, route: str
) -> None:
    server.faults.add(Fault(route=route, kind=Kind.ANSWER, status=502, body="<html>"))
    account.send(Query(S1, BTC))
    account.listen(0.5)
    assert not [each for each in account.heard if isinstance(each, OrderAbsent | OrderFound)]


def found_of(account: Account, order_id: str) -> OrderFound:
    found = account.query(order_id)
    assert isinstance(found, OrderFound)
    return found


def traded(account: Account) -> list[str]:
    """The orders of all executions, as a comparison shows them."""
    return [trade.client_order_id for trade in account.compare_whole().trades]


# -- the certificate -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", PositionMode)
def test_the_certificate_finds_every_promise_kept(
    server: BinanceServer, mode: PositionMode
) -> None:
    server.account.is_hedging = mode is PositionMode.HEDGE
    with opened(server, position_mode=mode) as account:
        bid, size = Decimal("50000.0"), Decimal(10)
        quote = Quote(BTC, time.time_ns(), bid, size, bid + Decimal("0.1"), size)
        line = Line(
            venue=account.venue,
            now_ns=time.time_ns,
            pass_time=lambda: time.sleep(0.005),
            newest_quote=lambda: quote,
        )
        verdicts = Walk(line, account.venue.instruments[BTC], "ABCDEF").run()
    assert [(each.promise, each.detail) for each in verdicts if not each.is_kept] == []
    assert [each.promise for each in verdicts] == list(Promise)

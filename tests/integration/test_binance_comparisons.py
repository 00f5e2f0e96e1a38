"""Comparisons of the adapter of Binance futures over real sockets: lists that are empty, cut or
old, what others do at the account, and how much it all asks."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.venue_reports import OrderFound
from tests.conformance import bench
from tests.integration.binance_account import (
    BTC,
    LONG,
    Account,
    entry,
    market_exit,
    opened,
    stop,
)
from tests.optional import NEEDS_CCXT
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.binance_symbols import instrument
from tests.venue_servers.faults import Fault, Kind

pytestmark = NEEDS_CCXT

E1, S1, X1 = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"


@pytest.fixture
def server() -> Iterator[BinanceServer]:
    with BinanceServer() as server:
        server.quote("BTCUSDT", "50000.0", "50000.1", 10, 10)
        yield server


@pytest.fixture
def account(server: BinanceServer) -> Iterator[Account]:
    """It holds something that can be protected and closed."""
    with opened(server) as account:
        account.hold("ABCDEF9E1", "0.01")
        yield account


# -- lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["fills", "open_orders", "open_stops", "positions", "income"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": Kind.ANSWER, "status": 502, "body": "<html>"},
        {"kind": Kind.ANSWER, "status": 200, "body": {}},
        {"kind": Kind.ANSWER, "status": 200, "body": [{}]},
        {"kind": Kind.ANSWER_AFTER_DOING, "half": True},
    ],
)
def test_a_list_that_cannot_be_read_concludes_nothing(
    server: BinanceServer, fault: dict[str, Any], route: str
) -> None:
    with opened(server) as account:
        account.hold(E1, "0.01")
        server.funding("BTCUSDT", "-1")
        account.listen(0.1)
        server.faults.add(Fault(route=route, **fault))
        assert not account.compare().is_complete
        snapshot = account.compare_whole()
        assert [each.quantity for each in snapshot.holdings] == [Decimal("0.01")]


def test_an_empty_list_of_holdings_is_not_believed(server: BinanceServer) -> None:
    with opened(server) as account:
        account.hold("ABCDEF9E1", "0.02")
        server.faults.add(Fault(route="positions", kind=Kind.EMPTY_LIST, times=50))
        assert not account.compare().is_complete
        server.faults.clear()
        assert [each.quantity for each in account.compare_whole().holdings] == [Decimal("0.02")]


@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_list_of_holdings_that_is_old_shows_nothing_false(
    server: BinanceServer, skip: int
) -> None:
    with opened(server) as account:
        account.hold("ABCDEF9E1", "0.02")
        account.compare_whole()
        account.submit(market_exit(X1, "0.01"), "TRADE 0.01")
        server.faults.add(Fault(route="positions", kind=Kind.STALE_LIST, skip=skip))
        snapshot = account.compare_whole()
        assert [each.quantity for each in snapshot.holdings] == [Decimal("0.01")]


@pytest.mark.parametrize("route", ["open_stops", "open_orders"])
def test_an_order_that_a_list_does_not_show_is_found_by_asking(
    server: BinanceServer, account: Account, route: str
) -> None:
    account.submit(stop(S1, "0.01"), "ACCEPTED")
    server.faults.add(Fault(route=route, kind=Kind.EMPTY_LIST, times=5))
    account.compare()
    told = account.query(S1)
    assert isinstance(told, OrderFound)
    assert told.order.status is OrderStatus.ACCEPTED


def test_more_than_a_page_of_fills_is_read_to_the_end(
    server: BinanceServer, account: Account
) -> None:
    server.quote("BTCUSDT", "50000.0", "50000.1", 100, 100)
    server.switch(pieces=1100)
    server.foreign_order("BTCUSDT", "buy", "1.1")
    snapshot = account.compare_whole()
    assert len(snapshot.trades) == 1101
    assert sum(each.fill.quantity for each in snapshot.trades) == Decimal("1.11")


# -- what others do --------------------------------------------------------------------------------


@pytest.mark.parametrize("deleveraging", [False, True])
def test_a_liquidation_is_an_execution_of_somebody_else(
    server: BinanceServer, account: Account, deleveraging: bool
) -> None:
    account.submit(stop(S1, "0.01"), "ACCEPTED")
    account.compare_whole()
    server.liquidate("BTCUSDT", deleveraging=deleveraging)
    account.listen(0.2)
    assert account.fills(S1) == []
    snapshot = account.compare_whole()
    (trade,) = snapshot.trades
    assert "autoclose" in trade.client_order_id
    assert (trade.side.value, trade.fill.quantity) == ("sell", Decimal("0.01"))
    assert snapshot.holdings == ()


@pytest.mark.parametrize(
    ("side", "quantity", "held"),
    [("sell", "0.01", []), ("sell", "0.004", ["0.006"]), ("sell", "0.03", ["-0.02"])],
    ids=["closed", "reduced", "turned"],
)
def test_what_a_person_does_at_the_account_is_seen_by_the_next_comparison(
    server: BinanceServer, account: Account, side: str, quantity: str, held: list[str]
) -> None:
    account.compare_whole()
    server.foreign_order("BTCUSDT", side, quantity, client_id="web_1")
    server.foreign_order("BTCUSDT", "buy", "0.01", "40000", client_id="web_2")
    snapshot = account.compare_whole()
    assert [trade.client_order_id for trade in snapshot.trades] == ["web_1"]
    assert [each.quantity for each in snapshot.holdings] == [Decimal(each) for each in held]
    assert [order.client_order_id for order in snapshot.open_orders] == ["web_2"]


def test_funding_is_told_by_the_next_comparison_once(
    server: BinanceServer, account: Account
) -> None:
    account.compare_whole()
    server.funding("BTCUSDT", "-1.25")
    account.listen(0.2)
    (funding,) = account.compare_whole().fundings
    assert (funding.symbol, funding.amount) == (BTC, Decimal("-1.25"))
    assert account.compare_whole().fundings == ()


def test_a_position_mode_that_is_switched_at_the_venue_makes_every_comparison_incomplete(
    server: BinanceServer, account: Account
) -> None:
    account.submit(market_exit(X1, "0.01"), "TRADE 0.01")
    server.call(lambda: setattr(server.account, "is_hedging", True))
    account.send(Submit(entry(E1, "0.01")))
    account.wait(E1, "REJECTED VENUE_REJECTED")
    server.foreign_order("BTCUSDT", "buy", "0.01", holding="LONG")
    assert not account.compare().is_complete


# -- how much it asks ------------------------------------------------------------------------------


def test_with_twenty_symbols_in_use_comparisons_fit_the_budget() -> None:
    names = [f"A{number}" for number in range(20)]
    rules = {f"{name}USDT": instrument(f"{name}USDT", "0.1", "0.001", 1000, 5) for name in names}
    symbols = tuple(f"{name}/USDT:USDT" for name in names)
    with BinanceServer(instruments=rules) as server:
        for name in rules:
            server.quote(name, "1000.0", "1000.1", 10, 10)
        with opened(server, symbols=symbols) as account:
            for number, symbol in enumerate(symbols):
                order = bench.entry(f"ABCDEF{number}E1", LONG, "0.01", "1010", symbol=symbol)
                account.submit(order, "TRADE 0.01")
                order = bench.stop(f"ABCDEF{number}S1", LONG, "0.01", "900", symbol=symbol)
                account.submit(order, "ACCEPTED")
            first = weight_of(account, server)
            steady = weight_of(account, server)
    # Once a minute all of them are asked for whatever has happened: as if it were the first time.
    a_minute = 11 * steady + first + 2 * 40 + 30
    assert steady <= 60
    assert a_minute <= 0.65 * 2400


def weight_of(account: Account, server: BinanceServer) -> int:
    """What one comparison costs, by the venue's own count."""
    before = server.gate._counts["weight"]
    snapshot = account.compare_whole()
    assert (len(snapshot.open_orders), len(snapshot.holdings)) == (20, 20)
    return server.gate._counts["weight"] - before

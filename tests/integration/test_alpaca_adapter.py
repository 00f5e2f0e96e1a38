"""Orders at Alpaca from the engine's side, against the Alpaca server of the tests: how an account
is opened, and what is concluded while orders live."""

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.commands import Cancel, Compare, Query
from pointsman.domain.events import (
    CancelRefused,
    NotSent,
    OrderAbsent,
    ReportWord,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.engine.venue_check import Promise, Walk
from pointsman.engine.venue_conversation import Line
from pointsman.execution.reconcile import trade_key
from pointsman.venues.errors import VenueRefused, VenueUnreachable
from tests.integration.alpaca_engine import (
    BUY_ID,
    EXIT_ID,
    STOP_ID,
    Engine,
    entry,
    market_exit,
    opened,
    stop,
)
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.alpaca_messages import Listing
from tests.venue_servers.faults import Fault, Kind


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    with AlpacaServer(key="K", secret="S") as started:
        started.quote("AAPL", 100, "100.02", last=100)
        yield started


@pytest.fixture
def engine(server: AlpacaServer) -> Iterator[Engine]:
    with opened(server) as engine:
        yield engine


# --- opening --------------------------------------------------------------------------------------


def test_opening_learns_the_account_what_it_trades_and_what_it_allows(engine: Engine) -> None:
    opening = engine.venue.opening
    assert opening.account == "PA0000000001"
    assert opening.requests_per_minute == 200
    assert set(opening.instruments) == {"AAPL", "MSFT"}
    share = opening.instruments["AAPL"]
    assert (share.tick, share.lot, share.min_qty, share.currency) == (Decimal("0.01"), 1, 1, "USD")
    assert opening.abilities.position_mode is PositionMode.NET
    assert not opening.abilities.entry_beside_stop
    assert not opening.abilities.stop_beside_entry


@pytest.mark.parametrize("of", ["the account", "the share"])
def test_what_may_not_be_sold_short_is_known(server: AlpacaServer, of: str) -> None:
    if of == "the account":
        server.account.shorts = False
    else:
        server.account.listings["AAPL"] = Listing(is_shortable=False)
    with opened(server) as engine:
        lent = {symbol: each.may_short for symbol, each in engine.venue.instruments.items()}
    assert lent == {"AAPL": False, "MSFT": of == "the share"}


@pytest.mark.parametrize(
    ("access", "told"),
    [
        ({"key": "other"}, "refuses this key"),
        ({"position_mode": PositionMode.HEDGE}, "VENUE_POSITION_MODE=net"),
        ({"is_sandbox": False}, "VENUE_SANDBOX=true"),
        ({"symbols": ("AAPL", "XYZ")}, "knows no XYZ"),
    ],
)
def test_what_does_not_fit_is_refused_at_the_opening(
    server: AlpacaServer, access: dict[str, Any], told: str
) -> None:
    with pytest.raises(VenueRefused, match=told):
        Engine(server, **access)


def test_an_account_that_is_blocked_is_refused(server: AlpacaServer) -> None:
    server.account.is_blocked = True
    with pytest.raises(VenueRefused, match="account_blocked, trading_blocked"):
        Engine(server)


def test_a_venue_that_does_not_answer_is_not_a_refusal(server: AlpacaServer) -> None:
    server.faults.add(Fault(route="account", kind=Kind.ANSWER, status=502, body="<html>"))
    with pytest.raises(VenueUnreachable):
        Engine(server)


# --- the life of orders ---------------------------------------------------------------------------


def test_an_entry_fills_its_stop_rests_is_set_off_and_is_told_once(engine: Engine) -> None:
    engine.hold()
    assert engine.words(BUY_ID)[-1] is ReportWord.TRADE
    engine.protect()
    engine.server.quote("AAPL", "94.80", "94.90")
    engine.until(lambda: engine.filled(STOP_ID) == 10)
    fill = engine.reports(STOP_ID)[-1].fill
    assert fill is not None
    assert fill.price == Decimal("94.8")
    snapshot = engine.ask(Compare("2026-01-01 2026-01-01T00:00:00Z"), Snapshot)
    assert snapshot.is_complete
    assert snapshot.holdings == ()
    assert snapshot.open_orders == ()
    assert {trade_key(trade) for trade in snapshot.trades} == {
        f"{order_id}:{report.fill.trade_id}:{side.value}"
        for order_id, side in ((BUY_ID, Side.BUY), (STOP_ID, Side.SELL))
        for report in engine.reports(order_id)
        if report.fill is not None
    }, "the stream and the history give an execution the same key"


def test_what_an_entry_does_not_fill_at_once_is_over(engine: Engine) -> None:
    engine.server.quote("AAPL", 100, "100.02", ask_size=4)
    engine.send(entry())
    engine.until(lambda: ReportWord.CANCELED in engine.words(BUY_ID))
    assert engine.filled(BUY_ID) == 4
    assert engine.reports(BUY_ID)[-1].reason is Reason.NOT_FILLED


def test_twenty_fills_are_told_one_by_one(engine: Engine) -> None:
    engine.server.account.pieces = 20
    engine.hold(100)
    fills = [report.fill for report in engine.reports(BUY_ID) if report.fill is not None]
    assert len(fills) == 20
    assert len({fill.trade_id for fill in fills}) == 20
    assert [fill.cumulative for fill in fills] == [Decimal(5 * n) for n in range(1, 21)]


def test_a_cancel_counts_when_the_stream_says_so_and_then_the_exit_leaves(engine: Engine) -> None:
    engine.server.cancel_seconds = None
    engine.hold()
    engine.protect()
    engine.send(Cancel(STOP_ID, "AAPL"))
    engine.until(lambda: engine.arrived("cancel") == 1)
    engine.settle()
    assert ReportWord.CANCELED not in engine.words(STOP_ID)
    engine.send(Cancel(STOP_ID, "AAPL"))
    engine.until(lambda: engine.arrived("cancel") == 2)
    engine.settle()
    assert not any(isinstance(reply, CancelRefused) for reply in engine.replies)
    engine.send(market_exit())
    engine.until(lambda: engine.words(EXIT_ID) == [ReportWord.REJECTED])
    assert engine.reports(EXIT_ID)[0].reason is Reason.REDUCE_ONLY
    engine.server.end_order(STOP_ID)
    engine.until(lambda: ReportWord.CANCELED in engine.words(STOP_ID))
    engine.send(market_exit(2))
    engine.until(lambda: engine.filled("ABCDEF1X2") == 10)


def test_a_cancel_that_comes_too_late_is_refused_and_the_order_is_found(engine: Engine) -> None:
    engine.hold()
    engine.send(Cancel(BUY_ID, "AAPL"))
    assert engine.next(CancelRefused).reason is Reason.NOT_FOUND
    found = engine.ask(Query(BUY_ID, "AAPL"), OrderFound)
    assert (found.order.status, found.order.filled) == (OrderStatus.FILLED, 10)
    assert [fill.trade_id for fill in found.fills] == [
        report.fill.trade_id for report in engine.reports(BUY_ID) if report.fill is not None
    ]


def test_an_order_of_an_earlier_run_is_asked_about_before_it_is_cancelled(
    server: AlpacaServer,
) -> None:
    with opened(server) as before:
        before.hold()
        before.protect()
    with opened(server) as engine:
        engine.send(Cancel(STOP_ID, "AAPL"))
        engine.until(lambda: ReportWord.CANCELED in engine.words(STOP_ID))
        assert engine.next(OrderFound).order.client_order_id == STOP_ID
        engine.send(Cancel("ABCDEF9S9", "AAPL"))
        assert engine.next(OrderAbsent).client_order_id == "ABCDEF9S9"
        assert engine.next(NotSent).is_cancel


REFUSALS = [
    ("a stop that the market has passed", stop(trigger="101"), Reason.WOULD_TRIGGER),
    ("an entry beside the stop", entry(2), Reason.VENUE_FORBIDS),
    ("shares that the stop holds", market_exit(), Reason.REDUCE_ONLY),
    ("a price between ticks", stop(2, trigger="95.001"), Reason.BAD_PRICE),
    ("more than the money buys", entry(2, quantity=9000), Reason.VENUE_REJECTED),
]


@pytest.mark.parametrize(("name", "order", "reason"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_a_refusal_has_our_reason(engine: Engine, name: str, order: Order, reason: Reason) -> None:
    engine.hold()
    if "stop" in name and "passed" not in name:
        engine.protect()
    engine.send(order)
    engine.until(lambda: bool(engine.words(order.client_order_id)))
    assert engine.words(order.client_order_id) == [ReportWord.REJECTED]
    assert engine.reports(order.client_order_id)[0].reason is reason


def test_a_stop_that_is_taken_and_rejected_later_says_why(engine: Engine) -> None:
    engine.server.account.refuses_passed_stops = False
    engine.hold()
    engine.send(stop(trigger="101"))
    engine.until(lambda: ReportWord.REJECTED in engine.words(STOP_ID))
    assert engine.reports(STOP_ID)[-1].reason is Reason.WOULD_TRIGGER


def test_an_exit_outside_the_session_waits_for_the_open_as_accepted(engine: Engine) -> None:
    engine.hold()
    engine.server.close_market()
    engine.send(market_exit())
    engine.until(lambda: ReportWord.ACCEPTED in engine.words(EXIT_ID))
    (order,) = engine.ask(Compare(""), Snapshot).open_orders
    assert (order.client_order_id, order.status) == (EXIT_ID, OrderStatus.ACCEPTED)
    assert order.is_queued
    engine.server.open_market()
    engine.until(lambda: engine.filled(EXIT_ID) == 10)
    assert engine.arrived("create") == 2, "the entry and one exit"


def test_the_certificate_finds_every_promise_kept(engine: Engine) -> None:
    quote = Quote("AAPL", time.time_ns(), Decimal(100), Decimal(9), Decimal("100.02"), Decimal(9))
    line = Line(
        venue=engine.venue,
        now_ns=time.time_ns,
        pass_time=lambda: time.sleep(0.005),
        newest_quote=lambda: quote,
    )
    verdicts = Walk(line, engine.venue.instruments["AAPL"], "ABCDEF").run()
    assert [(one.promise, one.detail) for one in verdicts if not one.is_kept] == []
    assert [one.promise for one in verdicts] == list(Promise)

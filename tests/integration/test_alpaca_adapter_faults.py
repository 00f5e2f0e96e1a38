"""What goes wrong between the engine and Alpaca, against the Alpaca server of the tests: lost
answers, a stream with gaps, lists that cannot be believed; what is concluded and what is not."""

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
    OrderReport,
    ReportWord,
    UnlistedCode,
    VenueLink,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.execution.reconcile import trade_key
from pointsman.venues.alpaca import adapter as alpaca
from pointsman.venues.alpaca import requests
from tests.integration.alpaca_engine import (
    BUY_ID,
    PATIENCE_SECONDS,
    STOP_ID,
    Engine,
    entry,
    opened,
    stop,
)
from tests.venue_servers.alpaca import AlpacaServer
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


# --- answers that are lost ------------------------------------------------------------------------

LOST = [
    Fault(route="create", kind=Kind.ANSWER_AFTER_DOING, status=status, body=body)
    for status, body in [
        (500, {"code": 50010000, "message": "internal server error"}),
        (504, {"message": "timed out"}),
        (422, {"code": 40010001, "message": "client_order_id must be unique"}),
    ]
]
"""Alpaca's own words; what is lost or broken anywhere is in tests/conformance."""


@pytest.mark.parametrize("fault", LOST, ids=[f"{f.kind} {f.status} {f.body!r}" for f in LOST])
def test_an_order_whose_answer_is_lost_is_neither_refused_nor_sent_again(
    server: AlpacaServer, fault: Fault
) -> None:
    with opened(server) as engine:
        server.streams.silence(PATIENCE_SECONDS)
        server.faults.clear()
        server.faults.add(Fault(**{name: getattr(fault, name) for name in vars(fault)}))
        engine.send(entry())
        # It is asked when the order's answer, or that there is none, has been judged.
        found = engine.ask(Query(BUY_ID, "AAPL"), OrderFound)
        assert (found.order.status, found.order.filled) == (OrderStatus.FILLED, 10)
        assert not {ReportWord.REJECTED, ReportWord.CANCELED} & set(engine.words(BUY_ID))
        assert not any(isinstance(reply, NotSent) for reply in engine.replies)
        assert engine.arrived("create") == 1


@pytest.mark.parametrize(
    "fault", [{"kind": Kind.DROP_AFTER_DOING}, {"kind": Kind.ANSWER_AFTER_DOING, "half": True}]
)
def test_a_cancel_whose_answer_is_lost_is_sent_once(engine: Engine, fault: dict[str, Any]) -> None:
    engine.hold()
    engine.protect()
    engine.server.faults.add(Fault(route="cancel", **fault))
    engine.send(Cancel(STOP_ID, "AAPL"))
    engine.until(lambda: ReportWord.CANCELED in engine.words(STOP_ID))
    engine.ask(Query(STOP_ID, "AAPL"), OrderFound)
    assert engine.arrived("cancel") == 1
    assert not any(isinstance(reply, CancelRefused | NotSent) for reply in engine.replies)


def test_no_such_order_is_told_with_the_time_of_the_question(engine: Engine) -> None:
    engine.server.faults.add(Fault(route="query", kind=Kind.HIDE_NEW_ORDERS, seconds=1))
    engine.hold()
    before = time.time_ns()
    absent = engine.ask(Query(BUY_ID, "AAPL"), OrderAbsent)
    assert before <= absent.asked_at_ns + 50_000_000
    time.sleep(1)
    assert engine.ask(Query(BUY_ID, "AAPL"), OrderFound).order.filled == 10


def test_a_code_that_is_not_listed_is_named_and_concludes_nothing(engine: Engine) -> None:
    body = {"code": 49990000, "message": "something new"}
    engine.server.faults.add(Fault(route="create", kind=Kind.ANSWER, status=422, body=body))
    engine.send(entry())
    told = engine.next(UnlistedCode)
    assert (told.code, told.client_order_id) == ("49990000", BUY_ID)
    assert engine.words(BUY_ID) == []


def test_a_slow_down_is_obeyed_as_long_as_the_venue_says(engine: Engine) -> None:
    headers = {"Retry-After": "1"}
    body = {"code": 42910000, "message": "rate limit exceeded"}
    fault = Fault(route="create", kind=Kind.ANSWER, status=429, body=body, headers=headers)
    engine.server.faults.add(fault)
    engine.send(entry())
    told = engine.next(NotSent)
    assert (told.client_order_id, told.reason) == (BUY_ID, Reason.VENUE_BUSY)
    began = time.monotonic()
    engine.send(entry(2))
    assert engine.next(NotSent, len(engine.replies)).client_order_id == "ABCDEF2E1"
    engine.until(lambda: engine.links(VenueLink.BUDGET) == [False, True])
    assert 0.5 < time.monotonic() - began < PATIENCE_SECONDS / 2
    engine.send(stop())
    engine.until(lambda: bool(engine.words(STOP_ID)))


def test_a_key_that_is_revoked_takes_the_link_down(engine: Engine) -> None:
    engine.hold()
    engine.server.key = "another"
    engine.send(stop())
    engine.until(lambda: engine.links(VenueLink.ORDERS) == [False])
    assert engine.words(STOP_ID) == [ReportWord.REJECTED]
    engine.server.key = "K"
    engine.send(stop(2))
    engine.until(lambda: engine.links(VenueLink.ORDERS) == [False, True])


# --- the account's stream -------------------------------------------------------------------------


def test_a_fill_that_the_stream_loses_shows_with_the_next_message(engine: Engine) -> None:
    engine.server.quote("AAPL", 100, "100.02", ask_size=4)
    publish = engine.server.account.publish

    def publish_all_but_fills(message: dict[str, Any]) -> None:
        if message["data"]["event"] != "partial_fill":
            publish(message)

    engine.server.account.publish = publish_all_but_fills
    cursor = engine.ask(Compare(""), Snapshot).fills_cursor
    engine.send(entry())
    engine.until(lambda: engine.links(VenueLink.ACCOUNT_STREAM) == [True, False, True])
    assert ReportWord.CANCELED not in engine.words(BUY_ID), "its fills are not known yet"
    snapshot = engine.ask(Compare(cursor), Snapshot)
    assert sum(trade.fill.quantity for trade in snapshot.trades) == 4
    assert {trade.client_order_id for trade in snapshot.trades} == {BUY_ID}


def test_repeated_messages_give_the_same_keys(engine: Engine) -> None:
    engine.hold()
    engine.server.publish_again(BUY_ID)
    engine.until(lambda: engine.words(BUY_ID).count(ReportWord.TRADE) == 2)
    assert engine.filled(BUY_ID) == 10


def test_a_stream_that_ends_is_connected_again_and_says_so(engine: Engine) -> None:
    engine.server.streams.close()
    engine.until(lambda: engine.links(VenueLink.ACCOUNT_STREAM) == [True, False, True])
    engine.hold()


def test_orders_of_others_are_left_to_the_comparison(engine: Engine) -> None:
    cursor = engine.ask(Compare(""), Snapshot).fills_cursor
    engine.server.foreign_order("AAPL", "buy", 7)
    resting = engine.server.foreign_order(
        "MSFT", "buy", 3, type="limit", limit_price="9", time_in_force="gtc"
    )
    engine.settle()
    assert not any(isinstance(reply, OrderReport) for reply in engine.replies)
    snapshot = engine.ask(Compare(cursor), Snapshot)
    (trade,), (order,), (holding,) = snapshot.trades, snapshot.open_orders, snapshot.holdings
    assert (trade.symbol, trade.side, trade.fill.quantity) == ("AAPL", Side.BUY, 7)
    assert (order.client_order_id, order.quantity) == (resting["client_order_id"], 3)
    assert (holding.symbol, holding.quantity) == ("AAPL", 7)


# --- comparisons ----------------------------------------------------------------------------------


def test_a_comparison_goes_on_where_the_last_one_ended(engine: Engine) -> None:
    engine.hold()
    first = engine.ask(Compare(""), Snapshot)
    assert first.trades == (), "books that begin now do not know what was before"
    engine.server.foreign_order("AAPL", "sell", 4)
    second = engine.ask(Compare(first.fills_cursor), Snapshot)
    assert [trade.fill.quantity for trade in second.trades] == [4]
    third = engine.ask(Compare(second.fills_cursor), Snapshot)
    assert third.trades == ()
    assert [held.quantity for held in third.holdings] == [6]


def test_an_execution_that_appears_after_newer_ones_is_told_once(engine: Engine) -> None:
    cursor = engine.ask(Compare(""), Snapshot).fills_cursor
    engine.server.foreign_order("AAPL", "buy", 7)
    late = engine.server.account.activities.pop()
    engine.server.foreign_order("AAPL", "sell", 4)
    told = []
    for number in range(3):
        snapshot = engine.ask(Compare(cursor), Snapshot)
        cursor = snapshot.fills_cursor
        told.append([trade.fill.quantity for trade in snapshot.trades])
        if number == 0:
            engine.server.account.activities.insert(0, late)
    assert told == [[4], [7], []]


@pytest.mark.parametrize("has_traded", [True, False])
def test_a_cursor_of_an_older_version_goes_on_behind_the_execution_that_it_names(
    engine: Engine, has_traded: bool
) -> None:
    if has_traded:
        engine.server.foreign_order("AAPL", "buy", 7)
    ids = [row["id"] for row in engine.server.account.activities]
    cursor = " ".join(["2026-12-01", *ids] if ids else ["2026-12-01", ""])
    told = []
    for quantity in (None, 4, 3, None):
        if quantity is not None:
            engine.server.foreign_order("AAPL", "buy", quantity)
        snapshot = engine.ask(Compare(cursor), Snapshot)
        cursor = snapshot.fills_cursor
        told.append([trade.fill.quantity for trade in snapshot.trades])
    assert told == [[], [4], [3], []]


def test_more_than_a_page_of_anything_is_read_to_its_end(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = engine.ask(Compare(""), Snapshot).fills_cursor
    for _ in range(105):
        engine.server.foreign_order("AAPL", "buy", 2)
    for _ in range(20):
        engine.server.foreign_order("AAPL", "sell", 1, type="limit", limit_price="300")
    monkeypatch.setattr(requests, "ORDERS_MAX", 7)
    snapshot = engine.ask(Compare(cursor), Snapshot)
    assert snapshot.is_complete
    assert len({trade_key(trade) for trade in snapshot.trades}) == 105
    assert len(snapshot.open_orders) == 20


def test_a_comparison_of_twenty_symbols_takes_four_requests() -> None:
    """Twelve of them a minute, the default, are 48 of the 130 that are theirs of Alpaca's 200."""
    symbols = tuple(f"SYM{chr(65 + number)}" for number in range(20))
    with (
        AlpacaServer(key="K", secret="S", symbols=symbols) as server,
        opened(server, symbols=symbols) as engine,
    ):
        cursor = engine.ask(Compare(""), Snapshot).fills_cursor
        for symbol in symbols:
            server.quote(symbol, 100, "100.02")
            server.foreign_order(symbol, "buy", 1)
        cursor = engine.ask(Compare(cursor), Snapshot).fills_cursor
        before = len(server.requests)
        snapshot = engine.ask(Compare(cursor), Snapshot)
        assert len(snapshot.holdings) == 20
        asked = [each.route for each in server.requests[before:]]
        assert asked == ["fills", "open_orders", "positions", "fills"]


def test_fees_are_asked_for_now_and_then_and_keep_their_ids(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = engine.ask(Compare(""), Snapshot).fills_cursor

    def fees() -> set[tuple[str, Decimal]]:
        snapshot = engine.ask(Compare(cursor), Snapshot)
        return {(charge.charge_id, charge.amount) for charge in snapshot.charges}

    engine.server.fee("AAPL", "0.03")
    assert fees() == set(), "they were asked for just now"
    monkeypatch.setattr(alpaca, "FEES_EVERY_SECONDS", 0.0)
    (first,) = fees()
    assert first[1] == Decimal("-0.03")
    engine.server.fee("AAPL", "0.04")
    assert {amount for _, amount in fees() - {first}} == {Decimal("-0.04")}
    assert first in fees(), "what is booked already is known by its id"


LISTS = [
    ("positions", Kind.ANSWER, False),
    ("positions", Kind.EMPTY_LIST, False),
    ("fills", Kind.ANSWER, False),
    ("open_orders", Kind.ANSWER, False),
    ("open_orders", Kind.EMPTY_LIST, True),
]


@pytest.mark.parametrize(("route", "kind", "is_complete"), LISTS)
def test_a_list_that_fails_or_contradicts_the_account_concludes_nothing(
    engine: Engine, route: str, kind: Kind, is_complete: bool
) -> None:
    engine.hold()
    fault = Fault(route=route, kind=kind, times=10, status=500, body={"message": "sorry"})
    engine.server.faults.add(fault)
    snapshot = engine.ask(Compare(""), Snapshot)
    assert snapshot.is_complete is is_complete
    assert snapshot.holdings == () or is_complete

"""What can go wrong between us and Bybit, over real sockets: nothing is concluded but what the
venue's own words allow, no order is doubled, and none is lost."""

import time
from collections.abc import Iterator
from typing import Any, TypeVar

import pytest

from pointsman.domain.commands import Compare, Query
from pointsman.domain.events import (
    LinkChanged,
    NotSent,
    OrderAbsent,
    OrderReport,
    ReportWord,
    UnlistedCode,
    VenueLink,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import OrderFound, Snapshot
from pointsman.execution.reconcile import reports_from
from tests.integration.bybit_account import BTC, SHORT, BybitAccount, bybit_account, order
from tests.optional import NEEDS_CCXT
from tests.venue_servers.faults import Fault, Kind

pytestmark = NEEDS_CCXT

T = TypeVar("T")
ENTRY, STOP, EXIT = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"
SENT = {
    "entry": order(ENTRY, limit="60000"),
    "stop": order(STOP, trigger="59000"),
    "exit": order(EXIT),
}
DONE: dict[str, dict[str, Any]] = {
    "server timeout": {"kind": "answer_after_doing", "body": {"retCode": 10000, "retMsg": "x"}},
    "server error": {"kind": "answer_after_doing", "body": {"retCode": 10016, "retMsg": "x"}},
    "a code of tomorrow": {"kind": "answer_after_doing", "body": {"retCode": 424242}},
    "without ids": {"kind": "answer_after_doing", "body": {"retCode": 0, "result": {}}},
}
"""Bybit's own words; what is lost or broken anywhere is in tests/conformance."""


@pytest.fixture
def account() -> Iterator[BybitAccount]:
    with bybit_account(timeout_ms=400) as account:
        yield account


def enter(account: BybitAccount) -> None:
    account.send(order(ENTRY, limit="60000"))
    account.first(OrderReport, client_order_id=ENTRY, kind=ReportWord.TRADE)
    account.send(order(STOP, trigger="59000"))
    account.first(OrderReport, client_order_id=STOP, kind=ReportWord.ACCEPTED)


def looked_up(account: BybitAccount, order_id: str, kind: type[T]) -> T:
    """What is found about an order: it is asked when what came before of the same order is over,
    and concluded whatever will be."""
    return account.ask(Query(order_id, BTC), kind)


@pytest.mark.parametrize("fault", DONE)
@pytest.mark.parametrize("kind", SENT)
def test_an_order_whose_answer_is_lost_is_neither_given_up_nor_sent_again(
    account: BybitAccount, kind: str, fault: str
) -> None:
    if kind != "entry":
        enter(account)
    sent = SENT[kind]
    route = "stop" if kind == "stop" else "create"
    if kind == "stop":
        account.cancel(STOP)
        account.first(OrderReport, client_order_id=STOP, kind=ReportWord.CANCELED)
        sent = order("ABCDEF1S2", trigger="59000")
    order_id = sent.client_order_id
    before = account.routes().count(route)
    account.server.streams.silence(10)
    account.server.faults.add(Fault(route=route, **DONE[fault]))
    account.send(sent)
    found = looked_up(account, order_id, OrderFound)
    assert account.words(order_id) == []
    assert not [told for told in account.told if isinstance(told, NotSent)]
    filled = OrderStatus.ACCEPTED if kind == "stop" else OrderStatus.FILLED
    assert found.order.status is filled
    assert account.routes().count(route) == before + 1


@pytest.mark.parametrize("kind", [Kind.DROP_BEFORE, Kind.SILENCE])
def test_an_order_that_did_not_arrive_is_absent_when_it_is_asked_about(
    account: BybitAccount, kind: Kind
) -> None:
    account.server.faults.add(Fault(route="create", kind=kind))
    account.send(order(ENTRY, limit="60000"))
    assert looked_up(account, ENTRY, OrderAbsent).client_order_id == ENTRY
    assert account.words(ENTRY) == []
    assert account.routes().count("create") == 1


def test_a_code_that_nobody_knows_is_named(account: BybitAccount) -> None:
    account.server.faults.add(
        Fault(route="create", kind=Kind.ANSWER, body={"retCode": 424242, "retMsg": "Surprise"})
    )
    account.send(order(ENTRY, limit="60000"))
    told = account.first(UnlistedCode)
    assert (told.code, told.text, told.client_order_id) == ("424242", "Surprise", ENTRY)


@pytest.mark.parametrize("fault", [name for name in DONE if name != "without ids"])
def test_a_cancel_whose_answer_is_lost_concludes_nothing(account: BybitAccount, fault: str) -> None:
    enter(account)
    account.server.streams.silence(10)
    account.server.faults.add(Fault(route="cancel", **DONE[fault]))
    account.cancel(STOP)
    found = looked_up(account, STOP, OrderFound)
    assert account.words(STOP).count("CANCELED") == 0
    assert found.order.status is OrderStatus.CANCELED
    assert account.routes().count("cancel") == 1


def test_a_request_that_is_too_late_was_certainly_not_taken_and_the_clock_is_set_again(
    account: BybitAccount,
) -> None:
    account.server.move_clock(120_000)
    account.send(order(ENTRY, limit="60000"))
    told = account.first(NotSent, client_order_id=ENTRY)
    assert told.reason is Reason.VENUE_DOWN
    account.send(order("ABCDEF2E1", limit="60000"))
    account.first(OrderReport, client_order_id="ABCDEF2E1", kind=ReportWord.TRADE)
    account.ask(Query(ENTRY, BTC), OrderAbsent)


def test_too_many_visits_are_not_taken_and_stops_leave_when_the_second_is_over(
    account: BybitAccount,
) -> None:
    account.server.behave(orders_per_second=1)
    account.send(order(ENTRY, limit="60000"))
    account.send(order(STOP, trigger="59000"))
    told = account.first(NotSent, client_order_id=STOP)
    assert told.reason is Reason.VENUE_BUSY
    down = account.first(LinkChanged, link=VenueLink.BUDGET, is_up=False)
    up = account.first(LinkChanged, link=VenueLink.BUDGET, is_up=True)
    account.send(order("ABCDEF1S2", trigger="59000"))
    account.first(OrderReport, client_order_id="ABCDEF1S2", kind=ReportWord.ACCEPTED)
    assert up.ts_ns - down.ts_ns < 2_000_000_000


def test_429_is_obeyed_for_as_long_as_the_venue_says(account: BybitAccount) -> None:
    account.server.faults.add(
        Fault(route="create", kind=Kind.ANSWER, status=429, body="", headers={"Retry-After": "2"})
    )
    account.send(order(ENTRY, limit="60000"))
    account.first(NotSent, client_order_id=ENTRY)
    began = time.monotonic()
    account.send(order(STOP, trigger="59000"))
    assert account.first(NotSent, client_order_id=STOP).reason is Reason.VENUE_BUSY
    account.first(LinkChanged, link=VenueLink.BUDGET, is_up=True)
    assert time.monotonic() - began > 1
    account.send(order("ABCDEF1S2", trigger="59000"))
    account.first(OrderReport, client_order_id="ABCDEF1S2", kind=ReportWord.ACCEPTED)


def test_a_revoked_key_is_a_refusal_and_the_link_for_orders_is_down(account: BybitAccount) -> None:
    enter(account)
    account.server.change_key(refused_with=10003)
    account.send(order(EXIT))
    account.first(OrderReport, client_order_id=EXIT, kind=ReportWord.REJECTED)
    down = account.first(LinkChanged, link=VenueLink.ORDERS)
    assert not down.is_up
    assert not account.ask(Compare(""), Snapshot).is_complete


def test_an_order_that_does_not_show_yet_is_never_called_refused(account: BybitAccount) -> None:
    account.server.faults.add(Fault(route="*", kind=Kind.HIDE_NEW_ORDERS, seconds=2))
    account.send(order(STOP, trigger="59000"))
    account.first(OrderReport, client_order_id=STOP, kind=ReportWord.ACCEPTED)
    account.ask(Query(STOP, BTC), OrderAbsent)
    time.sleep(2.1)
    found = account.ask(Query(STOP, BTC), OrderFound)
    assert found.order.status is OrderStatus.ACCEPTED


@pytest.mark.parametrize("order_id", [ENTRY, STOP])
def test_an_order_that_any_list_shows_is_never_called_absent(
    account: BybitAccount, order_id: str
) -> None:
    """The entry was executed, the stop rests."""
    enter(account)
    account.server.faults.add(Fault(route="query", kind=Kind.EMPTY_LIST, times=2))

    def is_found() -> bool:
        account.send(Query(order_id, BTC))
        return any(isinstance(told, OrderFound) for told in account.told)

    account.until(is_found)
    assert not [told for told in account.told if isinstance(told, OrderAbsent)]


@pytest.mark.parametrize(("kind", "shown"), [(Kind.EMPTY_LIST, 0), (Kind.CUT_LIST, 1)])
def test_the_fills_that_are_shown_are_told_and_an_order_is_not_ended_without_the_others(
    account: BybitAccount, kind: Kind, shown: int
) -> None:
    account.server.behave(pieces=2)
    enter(account)
    account.server.faults.add(Fault(route="fills", kind=kind, keep=1))
    cut = account.ask(Query(ENTRY, BTC), OrderFound)
    told = [report.kind for report in reports_from(cut)]
    assert told == [ReportWord.TRADE] * shown
    assert cut.order.status is OrderStatus.FILLED
    whole = account.ask(Query(ENTRY, BTC), OrderFound)
    assert whole.order == cut.order
    assert sum(fill.quantity for fill in whole.fills) == whole.order.filled
    assert len(whole.fills) == 2


@pytest.mark.parametrize("route", ["open_orders", "positions", "fills"])
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "answer", "status": 500, "body": ""},
        {"kind": "answer", "body": {}},
        {"kind": "answer", "body": {"retCode": 0, "result": {}, "time": 1}},
        {"kind": "answer", "body": {"retCode": 10016, "retMsg": "Server error."}},
        {"kind": "answer_after_doing", "half": True},
        {"kind": "silence"},
    ],
)
def test_a_list_that_fails_concludes_nothing(
    account: BybitAccount, route: str, fault: dict[str, Any]
) -> None:
    enter(account)
    account.server.faults.add(Fault(route=route, **fault))
    snapshot = account.ask(Compare(""), Snapshot)
    assert not snapshot.is_complete
    assert (snapshot.open_orders, snapshot.trades, snapshot.holdings) == ((), (), ())
    assert account.compare().is_complete


@pytest.mark.parametrize("mode", ["net", "hedge"])
@pytest.mark.parametrize("kind", [Kind.EMPTY_LIST, Kind.CUT_LIST])
def test_a_holding_is_never_gone_because_a_list_does_not_show_it(mode: str, kind: Kind) -> None:
    is_hedged = mode == "hedge"
    with bybit_account(position_mode=PositionMode(mode)) as account:
        enter(account)
        if is_hedged:
            account.send(order("ABCDEF2E1", SHORT, limit="59999.9"))
            account.first(OrderReport, client_order_id="ABCDEF2E1", kind=ReportWord.TRADE)
        whole = account.compare()
        assert len(whole.holdings) == 1 + is_hedged
        keep = 1 if kind is Kind.CUT_LIST else 0
        account.server.faults.add(Fault(route="positions", kind=kind, keep=keep, times=100))
        snapshot = account.ask(Compare(""), Snapshot)
        assert not snapshot.is_complete or snapshot.holdings == whole.holdings
        account.server.faults.clear()
        account.send(order(EXIT))
        account.first(OrderReport, client_order_id=EXIT, kind=ReportWord.TRADE)
        assert len(account.compare().holdings) == int(is_hedged)


def test_what_is_flat_is_asked_about_once(account: BybitAccount) -> None:
    enter(account)
    account.compare()
    account.send(order(EXIT))
    account.first(OrderReport, client_order_id=EXIT, kind=ReportWord.TRADE)
    counts = []
    for _ in range(2):
        before = len(account.server.requests)
        assert account.compare().holdings == ()
        asked = account.server.requests[before:]
        counts.append(
            sum(each.path.endswith("/position/list") and "symbol" in each.query for each in asked)
        )
    assert counts[0] > 0
    assert counts[1] == 0


def test_a_cursor_that_leads_to_the_same_page_is_no_end(account: BybitAccount) -> None:
    enter(account)
    account.server.behave(cursor_stands_still=True)
    assert account.compare().is_complete
    for number in range(60):
        account.server.foreign_order("BTCUSDT", "buy", "0.001", price=50_000 - number)
    assert not account.ask(Compare(""), Snapshot).is_complete


# -- the stream --------------------------------------------------------------------------------


def test_a_fill_that_the_stream_loses_is_asked_for_when_its_order_says_so(
    account: BybitAccount,
) -> None:
    account.server.streams.drop(1)
    before = account.routes().count("fills")
    account.send(order(ENTRY, limit="60000"))
    account.first(OrderReport, client_order_id=ENTRY, kind=ReportWord.TRADE)
    assert account.routes().count("fills") > before


@pytest.mark.parametrize("trouble", ["repeat", "swap", "delay"])
def test_messages_that_are_repeated_swapped_or_late_tell_the_same(
    account: BybitAccount, trouble: str
) -> None:
    if trouble == "delay":
        account.server.streams.delay(0.8)
    elif trouble == "repeat":
        account.server.streams.repeat(10)
    else:
        account.server.streams.swap()
    enter(account)
    account.server.quote("BTCUSDT", "58990", "58991")
    account.first(OrderReport, client_order_id=STOP, kind=ReportWord.TRADE)
    account.until(lambda: "TRIGGERED" in account.words(STOP) or None)
    keys = {
        (told.client_order_id, told.fill.trade_id)
        for told in account.told
        if isinstance(told, OrderReport) and told.fill
    }
    assert len(keys) == 2
    assert not {word.split()[0] for word in account.words(STOP)} & {"CANCELED", "REJECTED"}


def test_a_stream_that_closes_is_down_until_it_is_heard_again(account: BybitAccount) -> None:
    account.server.streams.close()
    down = account.first(LinkChanged, link=VenueLink.ACCOUNT_STREAM, is_up=False)
    assert "ended" in down.detail
    after = account.told.index(down)
    account.first(LinkChanged, after=after, link=VenueLink.ACCOUNT_STREAM, is_up=True)
    enter(account)


def test_what_was_told_to_nobody_is_in_the_next_comparison(account: BybitAccount) -> None:
    cursor = account.compare().fills_cursor
    account.server.streams.silence(30)
    account.send(order(ENTRY, limit="60000"))
    account.first(OrderReport, client_order_id=ENTRY, kind=ReportWord.ACCEPTED)
    snapshot = account.compare(cursor)
    assert [trade.client_order_id for trade in snapshot.trades] == [ENTRY]
    assert [str(holding.quantity) for holding in snapshot.holdings] == ["0.01"]

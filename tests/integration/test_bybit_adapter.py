"""The Bybit adapter over real sockets, against the loopback server: what a day brings."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest

from pointsman.domain.commands import Query
from pointsman.domain.events import (
    CancelRefused,
    FundingPaid,
    LinkChanged,
    OrderAbsent,
    OrderReport,
    ReportWord,
    VenueLink,
)
from pointsman.domain.life_cycle import OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Order
from pointsman.domain.policy import PositionMode
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import SECOND_NS
from pointsman.domain.venue_reports import OrderFound
from pointsman.engine.venue_check import Promise, Walk
from pointsman.engine.venue_conversation import Line
from pointsman.venues.budget import Rate
from pointsman.venues.errors import VenueError, VenueRefused, VenueUnreachable
from pointsman.venues.outcome import Stage
from tests.integration.bybit_account import (
    BTC,
    LONG,
    SHORT,
    BybitAccount,
    access_to,
    bybit_account,
    order,
)
from tests.optional import NEEDS_CCXT
from tests.venue_servers.bybit import BybitServer
from tests.venue_servers.faults import Fault, Kind

pytestmark = NEEDS_CCXT

HEDGE = PositionMode.HEDGE
ENTRY, STOP, EXIT = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"


@pytest.fixture
def account() -> Iterator[BybitAccount]:
    with bybit_account() as account:
        yield account


@pytest.fixture
def hedged() -> Iterator[BybitAccount]:
    with bybit_account(position_mode=HEDGE) as account:
        yield account


def enter(account: BybitAccount, *, quantity: str = "0.01") -> None:
    """A long position with its stop resting."""
    account.send(order(ENTRY, quantity=quantity, limit="60000"))
    account.first(OrderReport, client_order_id=ENTRY, kind=ReportWord.TRADE)
    account.send(order(STOP, quantity=quantity, trigger="59000"))
    account.first(OrderReport, client_order_id=STOP, kind=ReportWord.ACCEPTED)


# -- opening -----------------------------------------------------------------------------------


def test_an_account_says_what_it_is_and_what_it_trades(account: BybitAccount) -> None:
    opening = account.venue.opening
    assert opening.account == "Bybit user 1"
    assert opening.abilities.position_mode is PositionMode.NET
    assert opening.abilities.max_stops_per_symbol == 10
    assert opening.rates[0] == Rate(Stage.CREATE, 10, SECOND_NS)
    assert set(opening.instruments) == {BTC, "ETH/USDT:USDT", "XRP/USDT:USDT"}
    assert str(opening.instruments[BTC].max_market_quantity) == "500"


@pytest.mark.parametrize(
    ("prepare", "changes", "error", "said"),
    [
        (lambda s: s.change_key(can_withdraw=True), {}, VenueRefused, "may withdraw"),
        (lambda s: s.change_key(is_read_only=True), {}, VenueRefused, "may only read"),
        (lambda s: s.change_key(refused_with=10003), {}, VenueRefused, "API key is invalid"),
        (lambda s: s.change_key(refused_with=33004), {}, VenueRefused, "refuses this key"),
        (lambda _: None, {"secret": "wrong"}, VenueRefused, "error sign"),
        (lambda s: s.switch_mode(is_hedging=True), {}, VenueRefused, "mode hedge"),
        (lambda _: None, {"position_mode": HEDGE}, VenueRefused, "mode net"),
        (lambda _: None, {"symbols": ("AAPL",)}, VenueRefused, "AAPL"),
        (lambda _: None, {"url": "http://127.0.0.1:9"}, VenueUnreachable, "what time"),
    ],
)
def test_an_account_that_does_not_fit_is_not_opened(
    prepare: Callable[[BybitServer], None],
    changes: dict[str, object],
    error: type[VenueError],
    said: str,
) -> None:
    with BybitServer(key="K", secret="S") as server:
        prepare(server)
        with pytest.raises(error, match=said) as told:
            BybitAccount(server, **changes)
        assert "secret" not in str(told.value)


def test_a_symbol_that_is_held_in_another_mode_keeps_the_account_from_being_opened() -> None:
    with BybitServer(key="K", secret="S") as server:
        server.quote("ETHUSDT", "2000", "2001")
        server.foreign_order("ETHUSDT", "buy", "1")
        server.switch_mode(is_hedging=True)
        with pytest.raises(VenueRefused, match="Bybit holds ETHUSDT in mode net"):
            BybitAccount(server, position_mode=HEDGE)


def test_an_account_is_not_opened_on_an_empty_list_of_what_it_holds() -> None:
    with BybitServer(key="K", secret="S") as server:
        server.quote("BTCUSDT", "59999.9", "60000")
        server.foreign_order("BTCUSDT", "buy", "0.1")
        server.faults.add(Fault(route="positions", kind=Kind.EMPTY_LIST, skip=1, times=9))
        with pytest.raises(VenueUnreachable, match="does not say what is held of BTCUSDT"):
            BybitAccount(server)


@pytest.mark.parametrize("ahead_ms", [-120_000, 120_000])
def test_requests_are_stamped_by_the_venues_clock(ahead_ms: int) -> None:
    with BybitServer(key="K", secret="S") as server:
        server.move_clock(ahead_ms)
        account = BybitAccount(server)
        account.venue.close()


# -- orders ------------------------------------------------------------------------------------


def test_an_entry_fills_its_stop_rests_and_triggers(account: BybitAccount) -> None:
    enter(account)
    found = account.ask(Query(STOP, BTC), OrderFound)
    assert (found.order.status, found.order.is_triggered) == (OrderStatus.ACCEPTED, False)
    account.server.quote("BTCUSDT", "58990", "58991")
    account.first(OrderReport, client_order_id=STOP, kind=ReportWord.TRADE)
    account.first(OrderReport, client_order_id=STOP, kind=ReportWord.TRIGGERED)
    found = account.ask(Query(STOP, BTC), OrderFound)
    assert (found.order.status, found.order.is_triggered) == (OrderStatus.FILLED, True)
    assert [str(fill.price) for fill in found.fills] == ["58990"]
    assert account.compare().holdings == ()
    assert account.routes().count("create") == account.routes().count("stop") == 1


def test_an_exit_closes_while_the_stop_rests_and_the_stop_is_cancelled_after(
    account: BybitAccount,
) -> None:
    enter(account)
    account.send(order(EXIT))
    account.first(OrderReport, client_order_id=EXIT, kind=ReportWord.TRADE)
    account.cancel(STOP)
    ended = account.first(OrderReport, client_order_id=STOP, kind=ReportWord.CANCELED)
    assert ended.reason is None
    snapshot = account.compare()
    assert (snapshot.open_orders, snapshot.holdings) == ((), ())


def test_an_exit_that_is_larger_than_the_holding_never_opens_the_other_side(
    account: BybitAccount,
) -> None:
    enter(account)
    account.send(order(EXIT, quantity="0.05"))
    trade = account.first(OrderReport, client_order_id=EXIT, kind=ReportWord.TRADE)
    assert trade.fill is not None
    assert str(trade.fill.quantity) == "0.01"
    assert account.compare().holdings == ()


def test_an_entry_that_finds_nobody_ends_as_not_filled(account: BybitAccount) -> None:
    account.send(order(ENTRY, limit="59000"))
    ended = account.first(OrderReport, client_order_id=ENTRY, kind=ReportWord.CANCELED)
    assert ended.reason is Reason.NOT_FILLED


def test_both_sides_are_held_and_protected_apart_in_hedge_mode(hedged: BybitAccount) -> None:
    hedged.send(order("ABCDEF1E1", LONG, "0.02", limit="60000"))
    hedged.send(order("ABCDEF2E1", SHORT, "0.01", limit="59999.9"))
    hedged.first(OrderReport, client_order_id="ABCDEF1E1", kind=ReportWord.TRADE)
    hedged.first(OrderReport, client_order_id="ABCDEF2E1", kind=ReportWord.TRADE)
    hedged.send(order("ABCDEF1S1", LONG, "0.02", trigger="59000"))
    hedged.send(order("ABCDEF2S1", SHORT, "0.01", trigger="61000"))
    hedged.first(OrderReport, client_order_id="ABCDEF1S1", kind=ReportWord.ACCEPTED)
    hedged.first(OrderReport, client_order_id="ABCDEF2S1", kind=ReportWord.ACCEPTED)
    snapshot = hedged.compare()
    held = {holding.position_side: str(holding.quantity) for holding in snapshot.holdings}
    assert held == {LONG: "0.02", SHORT: "-0.01"}
    rest = {each.client_order_id: each.position_side for each in snapshot.open_orders}
    assert rest == {"ABCDEF1S1": LONG, "ABCDEF2S1": SHORT}
    hedged.server.quote("BTCUSDT", "61000", "61001")
    hedged.first(OrderReport, client_order_id="ABCDEF2S1", kind=ReportWord.TRADE)
    (holding,) = hedged.compare().holdings
    assert (holding.position_side, str(holding.quantity)) == (LONG, "0.02")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (order(STOP, trigger="60001"), Reason.WOULD_TRIGGER),
        (order(EXIT), Reason.REDUCE_ONLY),
        (order(ENTRY, limit="60000.07"), Reason.BAD_PRICE),
        (order(ENTRY, quantity="0.0001", limit="60000"), Reason.BAD_QUANTITY),
        (order(ENTRY, quantity="1000", limit="60000"), Reason.VENUE_REJECTED),
    ],
)
def test_what_the_venue_refuses_is_rejected_with_our_reason(
    account: BybitAccount, sent: Order, reason: Reason
) -> None:
    account.send(sent)
    told = account.first(OrderReport, kind=ReportWord.REJECTED)
    assert told.reason is reason


def test_an_order_that_is_sent_twice_is_not_doubled(account: BybitAccount) -> None:
    enter(account)
    account.send(order(STOP, trigger="59000"))
    found = account.first(OrderFound)
    assert found.order.status is OrderStatus.ACCEPTED
    assert len(account.compare().open_orders) == 1


def test_a_fill_overtakes_a_cancel_that_takes_its_time(account: BybitAccount) -> None:
    enter(account)
    account.server.behave(cancel_takes_seconds=0.5)
    account.cancel(STOP)
    account.server.quote("BTCUSDT", "58990", "58991")
    account.first(OrderReport, client_order_id=STOP, kind=ReportWord.TRADE)
    time.sleep(0.6)
    account.cancel(STOP)
    refused = account.first(CancelRefused, client_order_id=STOP)
    assert refused.reason is Reason.NOT_FOUND
    found = account.ask(Query(STOP, BTC), OrderFound)
    assert found.order.status is OrderStatus.FILLED
    assert "CANCELED" not in account.words(STOP)


def test_twenty_fills_at_once_are_twenty_trades(account: BybitAccount) -> None:
    account.server.behave(pieces=20)
    account.send(order(ENTRY, quantity="0.02", limit="60000"))
    account.until(lambda: account.words(ENTRY).count("TRADE 0.001") == 20 or None)
    found = account.ask(Query(ENTRY, BTC), OrderFound)
    keys = {fill.trade_id for fill in found.fills}
    told = {r.fill.trade_id for r in account.told if isinstance(r, OrderReport) and r.fill}
    assert len(keys) == 20
    assert told == keys


# -- questions ---------------------------------------------------------------------------------


def test_an_order_that_nobody_knows_is_absent_by_every_list(account: BybitAccount) -> None:
    before = len(account.routes())
    account.ask(Query("ABCDEF9S1", BTC), OrderAbsent)
    assert account.routes()[before:] == ["query", "query", "fills", "open_orders"]


def test_an_order_that_has_ended_is_found_after_the_venue_has_started_again(
    account: BybitAccount,
) -> None:
    enter(account)
    account.send(order(EXIT))
    account.first(OrderReport, client_order_id=EXIT, kind=ReportWord.TRADE)
    account.server.behave(keeps_ended_in_realtime=False)
    found = account.ask(Query(EXIT, BTC), OrderFound)
    assert (found.order.status, len(found.fills)) == (OrderStatus.FILLED, 1)


def test_a_comparison_tells_orders_trades_funding_and_what_is_held(account: BybitAccount) -> None:
    cursor = account.compare().fills_cursor
    enter(account)
    account.server.funding("BTCUSDT", "-0.06")
    foreign = account.server.foreign_order("BTCUSDT", "buy", "0.02", price="55000")
    snapshot = account.compare(cursor)
    assert [trade.client_order_id for trade in snapshot.trades] == [ENTRY]
    assert [str(paid.amount) for paid in snapshot.fundings] == ["-0.06"]
    assert {each.client_order_id for each in snapshot.open_orders} == {STOP, foreign}
    assert [str(holding.quantity) for holding in snapshot.holdings] == ["0.01"]
    streamed = account.first(FundingPaid)
    assert (streamed,) == snapshot.fundings
    again = account.compare(snapshot.fills_cursor)
    assert (again.trades, again.fundings) == ((), ())


@pytest.mark.parametrize("kind", ["liquidation", "deleveraging"])
def test_a_forced_close_is_a_trade_of_nobody_of_ours(account: BybitAccount, kind: str) -> None:
    cursor = account.compare().fills_cursor
    enter(account)
    account.server.liquidate("BTCUSDT", kind=kind)
    snapshot = account.compare(cursor)
    ours, forced = snapshot.trades
    assert (ours.client_order_id, forced.client_order_id) == (ENTRY, "")
    assert snapshot.holdings == ()
    assert account.words(STOP) == ["ACCEPTED"] * account.words(STOP).count("ACCEPTED")


def test_a_comparison_costs_the_same_however_many_symbols_are_held(account: BybitAccount) -> None:
    cursor = account.compare().fills_cursor
    account.server.quote("ETHUSDT", "2000", "2001")
    account.server.quote("XRPUSDT", "1", "1.0001")
    for symbol, quantity in (("BTCUSDT", "0.01"), ("ETHUSDT", "1"), ("XRPUSDT", "100")):
        account.server.foreign_order(symbol, "buy", quantity)
    before = len(account.routes())
    snapshot = account.compare(cursor)
    assert len(snapshot.holdings) == 3
    asked = account.routes()[before:]
    assert asked == 2 * ["fills"] + ["open_orders"] + 2 * ["positions"] + 2 * ["fills"]


def test_more_than_a_page_of_orders_and_executions_is_read_to_its_end(
    account: BybitAccount,
) -> None:
    cursor = account.compare().fills_cursor
    for number in range(120):
        account.server.foreign_order("BTCUSDT", "buy", "0.001", price=50_000 - number)
        account.server.foreign_order("BTCUSDT", "buy", "0.001")
    snapshot = account.compare(cursor)
    assert (len(snapshot.open_orders), len(snapshot.trades)) == (120, 120)
    times = [trade.fill.ts_ns for trade in snapshot.trades]
    assert times == sorted(times)


def test_a_switch_of_the_position_mode_concludes_nothing(account: BybitAccount) -> None:
    enter(account)
    account.server.switch_mode(is_hedging=True)
    account.send(order("ABCDEF2E1", limit="60000"))
    down = account.first(LinkChanged, link=VenueLink.ORDERS)
    assert (down.is_up, "position mode" in down.detail) == (False, True)


def test_what_is_made_of_keys_shows_none(account: BybitAccount) -> None:
    assert "'K'" not in repr(access_to(account.server))


@pytest.mark.parametrize("mode", PositionMode)
def test_the_certificate_finds_every_promise_kept(mode: PositionMode) -> None:
    with bybit_account(position_mode=mode) as account:
        price, size = Decimal(60_000), Decimal(50)
        quote = Quote(BTC, time.time_ns(), price - Decimal("0.1"), size, price, size)
        line = Line(
            venue=account.venue,
            now_ns=time.time_ns,
            pass_time=lambda: time.sleep(0.005),
            newest_quote=lambda: quote,
        )
        verdicts = Walk(line, account.venue.instruments[BTC], "ABCDEF").run()
        assert [(each.promise, each.detail) for each in verdicts if not each.is_kept] == []
        assert [each.promise for each in verdicts] == list(Promise)

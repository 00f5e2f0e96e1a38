"""What the engine relies on from a venue that is elsewhere: over a connection that can be lost, at
an account that has an owner."""

import time
from itertools import pairwise

import pytest

from pointsman.domain.commands import Query
from pointsman.domain.events import NotSent, OrderAbsent, VenueLink
from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import Side
from pointsman.domain.venue_reports import InstrumentsChanged, OrderFound
from pointsman.venues import instrument_watch
from tests.conformance.any_venue import OnServer, held, is_flat, side_of
from tests.conformance.bench import LONG
from tests.conformance.conftest import REAL, opened_at_server

E1, S1, X1 = "ABCDEF1E1", "ABCDEF1S1", "ABCDEF1X1"


def test_at_the_opening_the_venue_says_what_it_trades(remote: OnServer) -> None:
    instrument = remote.venue.instruments[remote.market.symbol]
    rules = remote.server.account.instruments[remote.venue_symbol]
    assert (instrument.tick % rules.tick, instrument.lot % rules.lot) == (0, 0)
    assert instrument.min_qty >= rules.min_quantity
    assert instrument.min_notional == rules.min_notional


def test_a_price_between_ticks_is_refused(remote: OnServer) -> None:
    remote.hold(LONG, 10)
    stop = remote.stop(S1, LONG, 10, "99.000011")
    assert remote.submit(stop, "REJECTED BAD_PRICE") == ["REJECTED BAD_PRICE"]
    assert remote.compare().open_orders == ()


def test_more_than_the_account_can_pay_is_refused(remote: OnServer) -> None:
    assert remote.submit(remote.entry(E1, LONG, 100_000, "100.02"), "REJECTED VENUE_REJECTED")
    assert is_flat(remote.compare())


def test_twenty_executions_at_once_are_told_one_by_one(remote: OnServer) -> None:
    remote.hold(LONG, 20)
    remote.fill_in_pieces(20)
    remote.send(remote.market_exit(X1, LONG, 20))
    remote.until(lambda: len(remote.fills(X1)) == 20)
    fills = remote.fills(X1)
    assert sum(fill.quantity for fill in fills) == remote.quantity(20)
    compared = [each.fill for each in remote.compare().trades if each.client_order_id == X1]
    assert [fill.trade_id for fill in compared] == [fill.trade_id for fill in fills]
    assert all(one.ts_ns <= two.ts_ns for one, two in pairwise(compared))


def test_what_the_owner_does_by_hand_is_in_the_comparison_and_named_as_nobodys(
    remote: OnServer,
) -> None:
    remote.hold(LONG, 10)
    before = remote.compare()
    remote.trade_by_hand("sell", 4, LONG)
    after = remote.compare(before.fills_cursor)
    (trade,) = after.trades
    assert not trade.client_order_id.startswith("ABCDEF")
    assert (trade.side, trade.fill.quantity) == (Side.SELL, remote.quantity(4))
    assert held(after, remote) == {side_of(remote, LONG): 6}


def test_rule_44_an_order_that_the_venue_calls_a_duplicate_is_looked_up(remote: OnServer) -> None:
    remote.hold(LONG, 10)
    stop = remote.stop(S1, LONG, 10, "99.00")
    remote.submit(stop, "ACCEPTED")
    remote.send(stop)
    (found,) = remote.until(lambda: list(remote.replies(OrderFound)))
    assert (found.order.client_order_id, found.order.status) == (S1, OrderStatus.ACCEPTED)
    assert remote.told(S1) == ["ACCEPTED"]


def test_rule_46_a_lost_stream_is_told_and_the_comparison_has_what_it_missed(
    remote: OnServer,
) -> None:
    remote.hold(LONG, 10)
    remote.submit(remote.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    assert remote.links(VenueLink.ACCOUNT_STREAM) == [True]
    remote.server.streams.silence(0.05)
    remote.quote("98.90", "98.95")
    remote.server.streams.close()
    remote.until(lambda: remote.links(VenueLink.ACCOUNT_STREAM) == [True, False, True])
    snapshot = remote.compare()
    assert is_flat(snapshot)
    assert [trade.client_order_id for trade in snapshot.trades] == ["ABCDEF9E1", S1]
    order = remote.found(S1).order
    assert order.status in FINAL
    assert order.filled == remote.quantity(10)


def test_what_happened_while_no_engine_ran_is_in_the_first_comparison(remote: OnServer) -> None:
    remote.hold(LONG, 10)
    remote.submit(remote.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
    remote.close()
    remote.quote("98.90", "98.95")
    remote.reopen()
    snapshot = remote.compare()
    assert is_flat(snapshot)
    assert [trade.client_order_id for trade in snapshot.trades] == ["ABCDEF9E1", S1]


def test_rule_48_other_rules_of_an_instrument_are_told_while_the_account_is_open(
    remote: OnServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instrument_watch, "EVERY_SECONDS", 0.01)
    remote.reopen()
    before = remote.venue.instruments[remote.market.symbol]
    remote.change_rules()
    ((after,),) = remote.until(lambda: [r.instruments for r in remote.replies(InstrumentsChanged)])
    assert after.symbol == before.symbol
    assert after != before
    assert remote.venue.instruments[remote.market.symbol] == after


@pytest.mark.parametrize("name", REAL)
def test_rule_45_with_the_budget_spent_stops_and_exits_leave_and_entries_do_not(name: str) -> None:
    most = 600 if name.startswith("binance") else 120  # there, questions weigh more
    with opened_at_server(name, requests_per_minute=most) as remote:
        remote.hold(LONG, 10)
        for number in range(most):
            remote.send(Query(f"ABCDEF{number + 100}S1", remote.market.symbol))
        remote.until(lambda: remote.venue.budget.left(time.time_ns()) <= most // 3)
        entry = remote.entry(E1, LONG, 10, "100.50")
        remote.send(entry)
        remote.submit(remote.stop(S1, LONG, 10, "99.00"), "ACCEPTED")
        given_back = remote.until(lambda: list(remote.replies(NotSent)))
        assert [(each.client_order_id, each.reason) for each in given_back] == [
            (E1, Reason.VENUE_BUSY)
        ]
        assert len(list(remote.replies(OrderAbsent))) < most, "questions wait still"

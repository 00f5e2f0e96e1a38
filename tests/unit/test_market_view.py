"""The market view: the newest quotes, the levels that they reach, the entries that they put in
doubt."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from pointsman.domain.events import Level
from pointsman.domain.positions import PositionState
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution.market_view import LiveSession, MarketView
from tests import desk_stories as told
from tests.desk_stories import MILLISECOND_NS, SECOND_NS, START_NS

LIMIT_NS = 500 * MILLISECOND_NS


def test_rule_4_an_invalid_quote_is_the_newest_and_the_last_valid_one_stays_for_marks() -> None:
    view = MarketView()
    good, bad = told.quote(1), told.quote(2, bid="0")
    view.on_quote(good, 1)
    view.on_quote(bad, 2)
    assert view.quotes.newest("XXX") is bad
    assert view.mark("XXX") is good
    assert view.mark(None) is None
    assert view.mark("YYY") is None


@pytest.mark.parametrize(
    ("stamp_ns", "acts"),
    [
        (START_NS, True),
        (START_NS - 1, False),
        (START_NS + 39 * SECOND_NS, False),
        (START_NS + 40 * SECOND_NS, True),
        (START_NS + 150 * SECOND_NS, True),
    ],
)
def test_rule_60_a_live_quote_that_is_too_old_is_judged_on_and_reaches_no_stop(
    stamp_ns: int, *, acts: bool
) -> None:
    desk = told.ready_desk()
    view, ahead_ns = MarketView(), 3600 * SECOND_NS
    view.begin_live(LiveSession(START_NS, ahead_ns, 60 * SECOND_NS))
    view.watch(told.enter(desk, told.signal("a")))
    # The quote of another symbol leaves an offset that makes each stamp look a minute older.
    now_ns = START_NS + (0 if stamp_ns <= START_NS else 100 * SECOND_NS) + ahead_ns
    view.on_quote(told.quote(now_ns + 50 * SECOND_NS, symbol="YYY"), now_ns)
    crash = told.quote(stamp_ns, "50", "50.02")
    assert view.on_quote(crash, now_ns) is acts
    assert view.quotes.newest("XXX") is crash
    assert view.mark("XXX") is (crash if acts else None)
    assert bool(view.take_crossed()) is acts
    news = [each for each in view.take_news() if each.endswith("; stops ignore it")]
    assert bool(news) is not acts
    if stamp_ns < START_NS:
        assert news == [
            "XXX: quote from 2018-01-02T14:29:59Z is older than this run; stops ignore it"
        ]
    view.on_quote(crash, now_ns)
    assert not list(view.take_news())


def test_levels_that_are_reached_are_told_once_in_the_order_of_the_quotes() -> None:
    desk = told.ready_desk(accounts=("VA001", "VA002"))
    first = told.enter(desk, told.signal("a", take_profit=Decimal(101)))
    second = told.enter(desk, told.signal("b", va_id="VA002", take_profit=Decimal(102)))
    view = MarketView()
    view.watch(first)
    view.watch(second)
    low, high = told.quote(1, "97", "97.02"), told.quote(2, "102", "102.02")
    view.on_quote(low, 1)
    view.on_quote(high, 2)
    assert view.take_crossed() == [
        (first.position_id, Level.STOP, low),
        (second.position_id, Level.STOP, low),
        (first.position_id, Level.TAKE_PROFIT, high),
        (second.position_id, Level.TAKE_PROFIT, high),
    ]
    view.on_quote(high, 3)
    assert view.take_crossed() == []


def test_what_was_reached_or_is_closing_or_gone_is_not_watched_again() -> None:
    desk = told.ready_desk()
    position = told.enter(desk, told.signal("a", take_profit=Decimal(101)))
    low, high = told.quote(1, "97", "97.02"), told.quote(2, "102", "102.02")
    view = MarketView()
    view.watch(replace(position, crossed_at_ns=1))
    view.on_quote(low, 1)
    assert view.take_crossed() == []
    view.watch(replace(position, closing_all=True))
    view.on_quote(high, 2)
    assert view.take_crossed() == []
    view.watch(position)
    view.watch(replace(position, state=PositionState.CLOSED))
    view.on_quote(low, 3)
    assert view.take_crossed() == []


def test_entries_are_in_doubt_when_their_quote_is_renewed_or_too_old() -> None:
    """The limit that is tightest counts, and an entry that is being withdrawn asks for nothing."""
    tight = told.limits(max_latency_ns=LIMIT_NS // 2)
    rules = told.policy(limits_by_va={"VA002": tight})
    desk = told.ready_desk(rules, accounts=("VA001", "VA002"))
    view = MarketView()
    view.on_quote(told.quote(START_NS), START_NS)
    assert view.take_doubtful(desk.books, START_NS) == []
    for va_id in ("VA001", "VA002"):
        told.send(desk, told.signal(va_id, va_id=va_id))
    view.note_entry("XXX")
    assert view.take_doubtful(desk.books, START_NS) == []

    view.on_quote(told.quote(START_NS), START_NS)
    assert view.take_doubtful(desk.books, START_NS) == ["XXX"]
    due_ns = view.next_stale_ns(desk.books, START_NS)
    assert due_ns == START_NS + LIMIT_NS // 2 + 1
    assert view.take_doubtful(desk.books, due_ns - 1) == []
    assert view.take_doubtful(desk.books, due_ns) == ["XXX"]
    for order in list(desk.books.orders.values()):
        desk.books.put_order(replace(order, is_cancel_pending=True))
    view.note_entry("XXX")
    assert view.next_stale_ns(desk.books, START_NS) is None


def test_i21_entries_that_were_judged_for_their_age_do_not_make_the_loop_spin() -> None:
    """Even if nothing came of it: a moment that is past is due once."""
    desk, view = told.ready_desk(), MarketView()
    view.on_quote(told.quote(START_NS), START_NS)
    told.send(desk, told.signal("in"))
    view.note_entry("XXX")
    due_ns = START_NS + LIMIT_NS + 1
    assert view.take_doubtful(desk.books, due_ns - 1) == ["XXX"], "its quote is new"
    assert view.take_doubtful(desk.books, due_ns) == ["XXX"]
    assert view.take_doubtful(desk.books, due_ns) == []
    assert view.next_stale_ns(desk.books, due_ns) is None
    view.on_quote(told.quote(due_ns), due_ns)
    assert view.next_stale_ns(desk.books, due_ns) == due_ns + LIMIT_NS + 1


def test_rule_12_a_clock_that_is_ahead_makes_its_quotes_stale_no_later() -> None:
    desk = told.ready_desk()
    told.send(desk, told.signal("in"))
    view = MarketView()
    view.on_quote(told.quote(START_NS + 7 * SECOND_NS), START_NS)
    view.note_entry("XXX")
    assert view.next_stale_ns(desk.books, START_NS) == START_NS + LIMIT_NS + 1


def test_a_wake_up_brings_the_mark_of_what_it_is_about() -> None:
    desk = told.ready_desk()
    position = told.enter(desk, told.signal("a"))
    (stop,) = list(desk.books.orders)
    view, seen = MarketView(), told.quote(1)
    view.on_quote(seen, 1)
    marks = [
        view.mark_for(desk.books, Timer(1, TimerKind.QUERY_RETRY, key, 1))
        for key in (stop, str(position.position_id), "99", told.VA)
    ]
    assert marks == [seen, seen, None, None]
    assert view.marks_of(desk.books) == (seen,)


def test_rule_12_a_heartbeat_renews_the_age_of_a_quote_and_nothing_else() -> None:
    desk = told.ready_desk()
    view = MarketView()
    view.watch(told.enter(desk, told.signal("a")))
    crash = told.quote(START_NS, "50", "50.02")
    view.on_quote(crash, START_NS)
    view.take_crossed()
    view.confirm("XXX", START_NS + SECOND_NS)
    view.confirm("YYY", START_NS + SECOND_NS)
    newest = view.quotes.newest("XXX")
    assert newest == replace(crash, confirmed_ns=START_NS + SECOND_NS)
    assert newest.fresh_ns == START_NS + SECOND_NS
    assert view.take_crossed() == [], "a stop was told of this quote already"
    assert view.mark("XXX") is crash
    assert view.quotes.newest("YYY") is None
    view.confirm("XXX", START_NS + SECOND_NS // 2)
    assert view.quotes.newest("XXX") is newest, "what is known already is no news"


def test_rule_12_an_entry_is_judged_again_only_once_its_quote_is_no_longer_confirmed() -> None:
    desk, view = told.ready_desk(), MarketView()
    view.on_quote(told.quote(START_NS), START_NS)
    told.send(desk, told.signal("a"))
    view.note_entry("XXX")
    view.take_doubtful(desk.books, START_NS)
    assert view.next_stale_ns(desk.books, START_NS) == START_NS + LIMIT_NS + 1
    view.confirm("XXX", START_NS + SECOND_NS)
    assert view.next_stale_ns(desk.books, START_NS) == START_NS + SECOND_NS + LIMIT_NS + 1

"""The filters at, below and above each limit, all on one quote; and quotes that are none."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.market import Instrument, Quote
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, Outcome, Window
from pointsman.execution.filters import breaches
from tests.desk_stories import (
    DEFAULT_LIMITS,
    MILLISECOND_NS,
    START_NS,
    WINDOW,
    XXX,
    check,
    decide,
    limits,
    policy,
    quote,
    ready_desk,
    signal,
)


def decided(newest: Quote | None = None, **fields: Any) -> Decision:
    """The decision on a buy of 10 at START_NS, by default on a fresh quote of 99.99 to 100.01."""
    event = {name: fields.pop(name) for name in ("window", "clock_offset_ns") if name in fields}
    general = {name: fields.pop(name) for name in list(fields) if name.startswith("max_")}
    side = fields.pop("side", "buy")
    newest = fields.pop("quote", newest or quote(START_NS))
    desk = ready_desk(policy(limits(**general)))
    return decide(desk, signal("a", side, **fields), quote=newest, **event)


def price_of(ask: str) -> Quote:
    return quote(START_NS, bid="100", ask=ask)


# -- spread, latency, slippage, deviation ----------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "passed", "shown"),
    [
        pytest.param("100.00", True, "0.0000", id="none"),
        pytest.param("100.10", True, "9.9950", id="below"),
        pytest.param("100.10005002501250625312656", True, "10.0000", id="a hair below the limit"),
        pytest.param(
            "100.10005002501250625312657", False, "10.0000", id="a hair above, shown equal"
        ),
        pytest.param("100.11", False, "10.9940", id="above"),
    ],
)
def test_rule_11_spread_is_compared_exactly_and_stored_with_four_places(
    ask: str, passed: bool, shown: str
) -> None:
    decision = decided(price_of(ask))
    found = check(decision, Reason.SPREAD)
    assert (found.passed, found.value, found.limit, found.unit) == (passed, shown, "10", "bps")
    assert decision.reason is (None if passed else Reason.SPREAD)


def test_rule_11_a_spread_equal_to_its_limit_passes() -> None:
    even = quote(START_NS, bid="99.95", ask="100.05")
    assert check(decided(even), Reason.SPREAD).passed
    assert even.spread_bps == 10


@pytest.mark.parametrize(
    ("age_ns", "passed", "shown"),
    [
        pytest.param(0, True, "0", id="fresh"),
        pytest.param(500 * MILLISECOND_NS, True, "500", id="at the limit"),
        pytest.param(500 * MILLISECOND_NS + 1, False, "500.000001", id="one nanosecond more"),
    ],
)
def test_rule_12_latency_is_the_age_of_the_newest_quote(
    age_ns: int, passed: bool, shown: str
) -> None:
    found = check(decided(quote(START_NS - age_ns)), Reason.LATENCY)
    assert (found.passed, found.value, found.limit, found.note) == (passed, shown, "500", "")


def test_rule_12_a_negative_clock_offset_makes_the_quote_older_and_the_raw_age_is_kept() -> None:
    newest = quote(START_NS - 300 * MILLISECOND_NS)
    found = check(decided(newest, clock_offset_ns=-200 * MILLISECOND_NS), Reason.LATENCY)
    assert (found.passed, found.value, found.note) == (True, "500", "raw 300 ms")
    found = check(decided(newest, clock_offset_ns=-200 * MILLISECOND_NS - 1), Reason.LATENCY)
    assert (found.passed, found.value) == (False, "500.000001")


@pytest.mark.parametrize(
    ("side", "price", "passed", "shown"),
    [
        pytest.param("buy", "100.01", True, "0.0000", id="the ask as expected"),
        pytest.param("buy", "100.50", True, "0.0000", id="better than expected is none"),
        pytest.param("buy", "99.97", True, "4.0012", id="buy below the limit"),
        pytest.param("buy", "99.96001999000499750124938", True, "5.0000", id="a hair below"),
        pytest.param("buy", "99.96001999000499750124937", False, "5.0000", id="a hair above"),
        pytest.param("sell", "99.99", True, "0.0000", id="the bid as expected"),
        pytest.param("sell", "99.50", True, "0.0000", id="sell, better than expected"),
        pytest.param(
            "sell", "100.04002001000500250125062", True, "5.0000", id="sell, a hair below"
        ),
        pytest.param(
            "sell", "100.04002001000500250125063", False, "5.0000", id="sell, a hair above"
        ),
    ],
)
def test_rule_7_slippage_is_how_much_worse_the_touch_is_than_the_price(
    side: str, price: str, passed: bool, shown: str
) -> None:
    decision = decided(side=side, price=Decimal(price))
    found = check(decision, Reason.SLIPPAGE)
    assert (found.passed, found.value, found.note) == (passed, shown, "")
    assert decision.reason is (None if passed else Reason.SLIPPAGE)


def test_rule_11_slippage_equal_to_its_limit_passes() -> None:
    even = quote(START_NS, bid="100.04", ask="100.05")
    assert check(decided(even, price=Decimal(100)), Reason.SLIPPAGE).value == "5.0000"
    assert decided(even, price=Decimal(100)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_rule_7_without_a_price_there_is_no_slippage_and_it_says_so(side: str) -> None:
    decision = decided(side=side)
    for rule in (Reason.SLIPPAGE, Reason.PRICE_DEVIATION):
        found = check(decision, rule)
        assert (found.passed, found.value, found.note) == (True, "0.0000", "no price")


@pytest.mark.parametrize(
    ("side", "price", "passed"),
    [
        pytest.param("buy", "105", True, id="500 bps above the mid, at the limit"),
        pytest.param("buy", "105.0000000001", False, id="a hair above"),
        pytest.param("sell", "95", True, id="500 bps below, at the limit"),
        pytest.param("sell", "94.9999999999", False, id="a hair below"),
        pytest.param("buy", "94.99", False, id="too low, though a buy would pay more"),
        pytest.param("sell", "105.01", False, id="too high, though a sell would get less"),
    ],
)
def test_rule_7_a_price_too_far_from_the_mid_is_refused_on_either_side(
    side: str, price: str, passed: bool
) -> None:
    decision = decided(side=side, price=Decimal(price), max_slippage_bps=Decimal(9000))
    assert check(decision, Reason.PRICE_DEVIATION).passed is passed
    assert decision.reason is (None if passed else Reason.PRICE_DEVIATION)


def test_rule_11_without_a_price_a_slippage_limit_of_zero_passes() -> None:
    decision = decided(max_slippage_bps=Decimal(0))
    assert decision.reason is None
    assert decision.limit_price == Decimal("100.01")


def test_rule_8_the_limit_price_of_the_decision_is_from_the_tighter_price() -> None:
    assert decided().limit_price == Decimal("100.06")
    assert decided(price=Decimal("99.99")).limit_price == Decimal("100.03")
    assert decided(price=Decimal("100.50")).limit_price == Decimal("100.06")
    assert decided(side="sell", price=Decimal("100")).limit_price == Decimal("99.95")


# -- quotes that are none --------------------------------------------------------------------------

BAD_QUOTES = {
    "bid not a number": quote(START_NS, bid="NaN"),
    "ask a signalling nan": quote(START_NS, ask="sNaN"),
    "ask infinite": quote(START_NS, ask="Infinity"),
    "bid minus infinite": quote(START_NS, bid="-Infinity"),
    "ask zero": quote(START_NS, ask="0"),
    "one-sided: no bid": quote(START_NS, bid="0"),
    "both zero": quote(START_NS, bid="0", ask="0"),
    "negative": quote(START_NS, bid="-100.01", ask="-99.99"),
    "crossed": quote(START_NS, bid="100.02"),
    "negative size": quote(START_NS, size="-1"),
    "size not a number": quote(START_NS, size="NaN"),
    "size infinite": quote(START_NS, size="Infinity"),
}


@pytest.mark.parametrize("newest", BAD_QUOTES.values(), ids=BAD_QUOTES)
def test_rule_4_no_entry_is_judged_on_an_invalid_quote(newest: Quote) -> None:
    decision = decided(newest)
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.INVALID_QUOTE)
    assert decision.quantity is None
    assert check(decision, Reason.LATENCY).passed, "measured all the same"


def test_rule_4_a_last_valid_quote_does_not_stand_in_for_an_invalid_newest() -> None:
    desk = ready_desk()
    bad = quote(START_NS, bid="NaN")
    decision = decide(desk, signal("a"), quote=bad, mark=quote(START_NS))
    assert decision.reason is Reason.INVALID_QUOTE


def test_rule_11_no_quote_is_its_own_reason_and_nothing_else_is_measured() -> None:
    decision = decided(quote=None)
    assert (decision.reason, decision.value, decision.limit) == (Reason.NO_QUOTE, "none", "seen")
    assert decision.checks[-1].rule is Reason.NO_QUOTE


any_price = st.one_of(
    st.sampled_from(["NaN", "sNaN", "Infinity", "-Infinity", "0", "-0", "-100", "1E+300"]),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.decimals("99.9", "100.1", places=3).map(str),
)
any_quote = st.builds(
    Quote,
    st.just("XXX"),
    st.integers(START_NS - 600 * MILLISECOND_NS, START_NS),
    *(any_price.map(Decimal) for _ in range(4)),
)


@given(any_quote, st.sampled_from(["buy", "sell"]))
def test_i14_no_accepted_decision_ever_has_an_invalid_quote(newest: Quote, side: str) -> None:
    decision = decided(newest, side=side)
    assert decision.quote is newest
    if not newest.is_valid:
        assert decision.outcome is Outcome.REFUSED
    if decision.outcome is Outcome.ACCEPTED:
        assert newest.spread_bps <= 10
        assert START_NS - newest.ts_ns <= 500 * MILLISECOND_NS


# -- stop and target -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "stop", "passed"),
    [
        pytest.param("buy", "100.00", True, id="long, a tick below the ask"),
        pytest.param("buy", "100.0099", True, id="long, less than a tick below the ask"),
        pytest.param("buy", "100.01", False, id="long, at the ask"),
        pytest.param("buy", "101", False, id="long, above"),
        pytest.param("buy", "90.009", True, id="long, ten percent away, at the limit"),
        pytest.param("buy", "90.0089", False, id="long, further than ten percent"),
        pytest.param("sell", "100.00", True, id="short, a tick above the bid"),
        pytest.param("sell", "99.99", False, id="short, at the bid"),
        pytest.param("sell", "99", False, id="short, below"),
        pytest.param("sell", "109.989", True, id="short, ten percent away, at the limit"),
        pytest.param("sell", "109.9891", False, id="short, further than ten percent"),
    ],
)
def test_rule_9_a_stop_stands_on_its_side_of_the_touch_and_not_too_far(
    side: str, stop: str, passed: bool
) -> None:
    decision = decided(side=side, stop_loss=Decimal(stop))
    assert check(decision, Reason.STOP_INVALID).passed is passed
    assert decision.reason is (None if passed else Reason.STOP_INVALID)


def test_rule_9_how_far_a_stop_stands_is_measured_from_the_reference() -> None:
    stop = Decimal("89.9")
    assert decided(stop_loss=stop).reason is Reason.STOP_INVALID
    assert decided(stop_loss=stop, price=Decimal("99.80"), max_slippage_bps=Decimal(50)).reason is (
        None
    )


@pytest.mark.parametrize(
    ("percentage", "passed"),
    [("0.001", True), ("2", True), ("10", True), ("10.01", False), ("100", False)],
)
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_rule_9_a_stop_percentage_is_compared_as_it_was_given(
    side: str, percentage: str, passed: bool
) -> None:
    decision = decided(side=side, stop_loss_percentage=Decimal(percentage))
    assert check(decision, Reason.STOP_INVALID).passed is passed


def test_rule_9_a_wide_slippage_does_not_put_the_default_stop_on_the_wrong_side() -> None:
    assert decided(max_slippage_bps=Decimal(400)).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("side", "fields", "passed"),
    [
        pytest.param("buy", {"take_profit": "100.02"}, True, id="long, above the ask"),
        pytest.param("buy", {"take_profit": "100.01"}, False, id="long, at the ask"),
        pytest.param("buy", {"take_profit_percentage": "1"}, True, id="long, a percentage"),
        pytest.param("sell", {"take_profit": "99.98"}, True, id="short, below the bid"),
        pytest.param("sell", {"take_profit": "99.99"}, False, id="short, at the bid"),
        pytest.param("sell", {"take_profit_percentage": "100"}, False, id="short, at zero"),
    ],
)
def test_rule_9_a_target_stands_on_its_side_of_the_touch(
    side: str, fields: dict[str, str], passed: bool
) -> None:
    levels: dict[str, Any] = {name: Decimal(text) for name, text in fields.items()}
    decision = decided(side=side, **levels)
    assert decision.reason is (None if passed else Reason.STOP_INVALID)


# -- window and minimum ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "is_open"),
    [
        pytest.param(WINDOW, True, id="the first moment is inside"),
        pytest.param(Window(START_NS - 1, START_NS + 1), True, id="the last moment too"),
        pytest.param(Window(START_NS - 1, START_NS), False, id="the end is outside"),
        pytest.param(Window(START_NS + 1, START_NS + 2), False, id="before it opens"),
        pytest.param(None, False, id="no window will open"),
    ],
)
def test_rule_1_a_window_opens_at_its_start_and_is_closed_at_its_end(
    window: Window | None, is_open: bool
) -> None:
    decision = decided(window=window)
    assert check(decision, Reason.OUTSIDE_WINDOW).passed is is_open
    assert decision.reason is (None if is_open else Reason.OUTSIDE_WINDOW)


def share(lot: str, min_qty: str, min_notional: str) -> Instrument:
    sizes = (Decimal(lot), Decimal(min_qty), Decimal(min_notional))
    return Instrument("XXX", XXX.tick, *sizes, "USD")


@pytest.mark.parametrize(
    ("quantity", "instrument", "reason"),
    [
        pytest.param("9.99", share("1", "10", "0"), Reason.BELOW_MINIMUM, id="below the quantity"),
        pytest.param("10", share("1", "10", "0"), None, id="the least quantity"),
        pytest.param("14.9", share("5", "10", "0"), None, id="rounded down to what trades"),
        pytest.param("0.9", share("1", "1", "0"), Reason.BELOW_MINIMUM, id="less than a lot"),
        pytest.param("10", share("1", "1", "980.60"), None, id="the least notional, at its stop"),
        pytest.param("10", share("1", "1", "980.61"), Reason.BELOW_MINIMUM, id="less at its stop"),
    ],
)
def test_rule_11_less_than_the_venue_will_trade_is_below_minimum(
    quantity: str, instrument: Instrument, reason: Reason | None
) -> None:
    desk = ready_desk(policy(instruments={"XXX": instrument}))
    decision = decide(desk, signal("a", quantity=quantity))
    assert decision.reason is reason


def test_a_size_that_cannot_be_computed_refuses() -> None:
    decision = decided(quote(START_NS, bid="0.004", ask="0.004"))
    assert decision.reason is Reason.TICK_TOO_COARSE
    assert decision.checks[-1].note == "no size can be computed"


# -- while an entry works --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("newest", "age_ms", "is_breach"),
    [
        pytest.param(quote(START_NS), 500, False, id="at the limit of latency"),
        pytest.param(quote(START_NS - 1), 500, True, id="older than that"),
        pytest.param(
            quote(START_NS, bid="99.95", ask="100.05"), 0, False, id="spread at its limit"
        ),
        pytest.param(quote(START_NS, bid="99.94", ask="100.05"), 0, True, id="spread too wide"),
        pytest.param(BAD_QUOTES["crossed"], 0, True, id="crossed"),
        pytest.param(BAD_QUOTES["bid not a number"], 0, True, id="not a number"),
        pytest.param(None, 0, True, id="no quote"),
    ],
)
def test_a_working_entry_is_withdrawn_on_spread_or_latency(
    newest: Quote | None, age_ms: int, is_breach: bool
) -> None:
    now_ns = START_NS + age_ms * MILLISECOND_NS
    assert breaches(newest, DEFAULT_LIMITS, now_ns, 0) is is_breach


@pytest.mark.parametrize(
    ("quoted", "asked", "reason"),
    [
        (None, "NSE", None),
        ("NYSE", None, None),
        ("NYSE", "NYSE", None),
        ("NYSE", "NSE", Reason.NO_QUOTE),
    ],
)
def test_an_entry_is_not_judged_on_the_quotes_of_another_exchange(
    quoted: str | None, asked: str | None, reason: Reason | None
) -> None:
    newest = msgspec.structs.replace(quote(START_NS), exchange=quoted)
    assert decided(newest, exchange=asked).reason is reason

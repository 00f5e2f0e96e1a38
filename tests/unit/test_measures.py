"""A measured rule in words: value, limit, and what is remarkable."""

import pytest

from pointsman.domain.reasons import REFUSALS, Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Check
from pointsman.domain.timestamps import parse_ts
from pointsman.terminal.measures import allowed, measured, remark

ZONE = "America/New_York"
NOW_NS = parse_ts("2018-01-02T14:15:28.885880Z")
OPENS_NS, CLOSES_NS = parse_ts("2018-01-02T14:30:00Z"), parse_ts("2018-01-02T21:00:00Z")
WINDOW = Check(Reason.OUTSIDE_WINDOW, False, str(NOW_NS), f"{OPENS_NS}..{CLOSES_NS}", "ns UTC")
NEVER = Check(Reason.OUTSIDE_WINDOW, False, str(NOW_NS), "never open", "ns UTC")

WORDS = [
    (Check(Reason.UNKNOWN_ACCOUNT, True, "VA001"), "VA001", "a known account"),
    (Check(Reason.EXPIRED, False, "7.5", "5", "s"), "7.5 s", "at most 5 s"),
    (Check(Reason.SYMBOL_LOCKED, True, "XXX"), "XXX", "any, none is held"),
    (Check(Reason.SYMBOL_LOCKED, False, "XXX", "YYY"), "XXX", "only YYY"),
    (Check(Reason.OPPOSING_EXPOSURE, True, "long", "hedge"), "long", "unopposed (hedge)"),
    (Check(Reason.NOTHING_TO_CLOSE, False, "0", "0"), "0", "more than 0"),
    (Check(Reason.KILLED, False, "halt", "off"), "halt", "off"),
    (Check(Reason.UNKNOWN_ORDER, False, "1", "0", "orders"), "1 order", "none"),
    (Check(Reason.COOLDOWN, False, "271.607145", "0", "s left"), "271.6071 s", "none"),
    (
        Check(Reason.MAX_OPEN_POSITIONS, True, "2", "5", "positions"),
        "2 positions",
        "at most 5 positions",
    ),
    (Check(Reason.MAX_POSITION_SIZE, False, "15846.00", "10000.0"), "15,846", "at most 10,000"),
    (Check(Reason.INSUFFICIENT_EQUITY, False), "not known", ""),
    (WINDOW, "2018-01-02 09:15:28.885", "09:30:00 to 16:00:00"),
    (NEVER, "2018-01-02 09:15:28.885", "never open"),
    (Check(Reason.LATENCY, False, "1806.9735", "500.0", "ms"), "1,806.9735 ms", "at most 500 ms"),
    (Check(Reason.SPREAD, True, "6.2972", "10.0", "bps"), "6.2972 bps", "at most 10 bps"),
    (Check(Reason.BELOW_MINIMUM, True, "20", "1"), "20", "at least 1"),
    (Check(Reason.STOP_INVALID, False, "20.008", "10", "%"), "20.008 %", "at most 10 %"),
]


@pytest.mark.parametrize(("check", "value", "limit"), WORDS, ids=lambda v: getattr(v, "rule", None))
def test_a_check_in_words(check: Check, value: str, limit: str) -> None:
    assert measured(check, ZONE) == value
    assert allowed(check, SignalSide.BUY, ZONE) == limit


@pytest.mark.parametrize(
    ("side", "unit", "words"),
    [
        (SignalSide.BUY, "price", "below 158.4"),
        (SignalSide.SELL, "price", "above 158.4"),
        (SignalSide.BUY, "take-profit", "above 158.4"),
        (SignalSide.SELL, "take-profit", "below 158.4"),
    ],
)
def test_rule_9_a_stop_and_a_target_stand_on_their_sides_of_the_touch(
    side: SignalSide, unit: str, words: str
) -> None:
    assert allowed(Check(Reason.STOP_INVALID, True, "1", "158.40", unit), side, ZONE) == words


def test_a_price_is_never_cut() -> None:
    check = Check(Reason.STOP_INVALID, True, "1.173127", "1.172531", "price")
    assert measured(check, ZONE) == "1.173127"
    assert allowed(check, SignalSide.BUY, ZONE) == "below 1.172531"


def test_an_overnight_window_names_the_other_day() -> None:
    closes_ns = CLOSES_NS + 12 * 3600 * 10**9
    check = Check(Reason.OUTSIDE_WINDOW, True, str(OPENS_NS), f"{OPENS_NS}..{closes_ns}", "ns UTC")
    assert allowed(check, SignalSide.BUY, ZONE) == "09:30:00 to 2018-01-03 04:00:00"
    yesterday = Check(check.rule, False, str(OPENS_NS - 86_400 * 10**9), WINDOW.limit, "ns UTC")
    assert allowed(yesterday, SignalSide.BUY, ZONE) == "2018-01-02 09:30:00 to 16:00:00"


def test_rule_11_a_value_shown_equal_to_its_limit_may_still_have_failed() -> None:
    failed = Check(Reason.SPREAD, False, "10.0000", "10.0", "bps")
    passed = Check(Reason.SPREAD, True, "10.0000", "10.0", "bps", "no price")
    assert remark(failed) == "above it by less than is shown"
    assert remark(passed) == "no price"


@pytest.mark.parametrize("rule", REFUSALS)
def test_no_rule_is_at_a_loss_for_words(rule: Reason) -> None:
    for value, limit in ((None, None), ("1", "2"), ("\x1b", "\x1b")):
        if rule is not Reason.OUTSIDE_WINDOW or value != "\x1b":
            check = Check(rule, False, value, limit, "bps", "\x1b")
            words = (measured(check, ZONE), allowed(check, SignalSide.BUY, ZONE), remark(check))
            assert "\x1b" not in "".join(words)

"""What refused entries would have brought."""

from decimal import Decimal
from typing import Any

from pointsman.domain.events import SignalReceived
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, Outcome
from pointsman.looking_back.shadows import Shadows
from tests import desk_stories as told
from tests.desk_stories import SECOND_NS, START_NS


def begun() -> Shadows:
    shadows = Shadows(Decimal(0))
    shadows.begin(told.policy())
    return shadows


def refuse(shadows: Shadows, signal_id: str, side: str = "buy", **fields: Any) -> None:
    signal = told.signal(signal_id, side, **fields)
    quote = told.quote(START_NS)
    event = SignalReceived(signal, quote, quote, None, told.MIDNIGHT_NS)
    decision = Decision(
        signal_id=signal_id,
        va_id=signal.va_id,
        symbol=signal.symbol,
        outcome=Outcome.REFUSED,
        decided_at_ns=START_NS,
        reason=Reason.COOLDOWN,
    )
    shadows.refuse(event, decision, Decimal(100_000))


def come(shadows: Shadows, side: str, quantity: str | None, bid: str) -> None:
    at_ns = START_NS + int(Decimal(bid))
    quote = told.quote(at_ns, bid, str(Decimal(bid) + Decimal("0.02")))
    shadows.see(quote)
    signal = told.signal(f"{side}-{bid}", side, quantity)
    shadows.signal(SignalReceived(signal, quote, quote, None, told.MIDNIGHT_NS), quote.ts_ns)


def earned(shadows: Shadows, *signal_ids: str) -> Decimal:
    pairs = [(each, Reason.COOLDOWN) for each in signal_ids]
    return shadows.by_rule(pairs)[Reason.COOLDOWN].would_have_earned


def test_a_refused_entry_ends_with_the_next_signal_the_other_way_by_as_much_as_it_says() -> None:
    shadows = begun()
    refuse(shadows, "in")
    come(shadows, "buy", "5", "100.50")
    come(shadows, "sell", "4", "101.01")
    assert earned(shadows, "in") == 10 * Decimal("1.00")
    shadows.see(told.quote(START_NS + 2 * SECOND_NS, "102.01", "102.03"))
    assert earned(shadows, "in") == 4 * Decimal("1.00") + 6 * Decimal("2.00")


def test_its_stop_ends_it_and_each_stands_alone() -> None:
    shadows = begun()
    refuse(shadows, "one")
    refuse(shadows, "two", stop_loss=Decimal("90"))
    shadows.see(told.quote(START_NS + SECOND_NS, "97.01", "97.03"))
    shadows.see(told.quote(START_NS + 2 * SECOND_NS, "100.01", "100.03"))
    assert earned(shadows, "one") == -30
    assert earned(shadows, "two") == 0
    assert shadows.by_rule([("one", Reason.SPREAD), ("two", Reason.COOLDOWN)]).keys() == {
        Reason.COOLDOWN,
        Reason.SPREAD,
    }


def test_an_exit_that_was_refused_brings_nothing_and_is_counted() -> None:
    shadows = begun()
    refuse(shadows, "out", "close")
    (rule,) = shadows.by_rule([("out", Reason.NOTHING_TO_CLOSE)]).values()
    assert (rule.refused, rule.would_have_earned) == (1, 0)


def test_quotes_pass_by_whole_and_are_seen_where_something_is_held() -> None:
    shadows = begun()
    refuse(shadows, "in")
    quotes = [told.quote(START_NS + SECOND_NS, "101.01", "101.03"), told.quote(1, symbol="YYY")]
    assert list(shadows.seen(iter(quotes))) == quotes
    assert earned(shadows, "in") == 10

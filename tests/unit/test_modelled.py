"""The model of a venue for orders that never were."""

from decimal import Decimal

from pointsman.domain.events import Compared, SignalReceived, Started
from pointsman.domain.market import Quote
from pointsman.domain.signals import Signal
from pointsman.execution.desk import Desk
from pointsman.looking_back.modelled import Modelled
from tests import desk_stories as told
from tests.desk_stories import SECOND_NS, START_NS, VA


def played() -> Modelled:
    rules = told.policy()
    model = Modelled(Desk(rules, "ABCDEF"), Decimal(10))
    model.turn(Started("test", "ABCDEF", rules, ((VA, Decimal(100_000)),)), START_NS)
    model.turn(Compared(True, START_NS, 0, ""), START_NS)
    return model


def ask(model: Modelled, signal: Signal, quote: Quote) -> None:
    model.see(quote)
    event = SignalReceived(signal, quote, quote, told.WINDOW, told.MIDNIGHT_NS)
    model.turn(event, max(quote.ts_ns, model.desk.now_ns))


def test_an_entry_fills_at_the_touch_up_to_the_displayed_size_and_its_stop_trades_there() -> None:
    model = played()
    ask(model, told.signal("in", quantity="10"), told.quote(START_NS, size="7"))
    (position,) = model.desk.books.positions.values()
    assert (position.quantity, position.lots[0].price) == (7, Decimal("100.01"))
    assert model.held == {"XXX": {position.position_id: None}}
    model.see(told.quote(START_NS + SECOND_NS, "98.03", "98.05"))
    assert model.desk.books.positions
    model.see(told.quote(START_NS + 2 * SECOND_NS, "97.50", "97.52"))
    account = model.desk.books.accounts[VA]
    assert not model.desk.books.positions
    assert (account.trades, model.held) == (1, {})
    traded = 7 * (Decimal("97.50") - Decimal("100.01"))
    assert account.realized == traded - 7 * (Decimal("97.50") + Decimal("100.01")) / 1000


def test_a_target_is_met_and_an_exit_takes_what_there_is() -> None:
    for close in (False, True):
        model = played()
        ask(model, told.signal("in", take_profit=Decimal("101")), told.quote(START_NS))
        later = told.quote(START_NS + SECOND_NS, "101.00", "101.02")
        if close:
            ask(model, told.signal("out", "close", "99"), later)
        else:
            model.see(later)
        assert model.desk.books.accounts[VA].wins == 1
        assert model.is_used


def test_an_older_or_invalid_quote_changes_nothing() -> None:
    model = played()
    model.see(told.quote(START_NS + 1))
    model.see(told.quote(START_NS, "50", "50.01"))
    model.see(told.quote(START_NS + 2, "101", "100"))
    assert model.quotes["XXX"].bid == Decimal("99.99")

"""The watch on what a venue forbids: a check that has never been seen to fail is no evidence."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from pointsman.domain.events import OrderReport, ReportWord
from pointsman.domain.orders import Order, Role
from pointsman.domain.policy import Abilities
from pointsman.domain.reasons import Reason
from pointsman.execution.books import Books
from pointsman.simulator.broken import Broken
from pointsman.simulator.forbidden_watch import REFUSED_MAX, ForbiddenWatch, is_forbidden
from tests.desk_stories import XXX, acknowledge, decide, enter, policy, send, signal, trade
from tests.order_stories import kept_desk

replace = msgspec.structs.replace
BOTH = ("VA001", "VA002")
NO_ENTRY = policy(abilities=Abilities(entry_beside_stop=False))
NO_STOP = policy(abilities=Abilities(stop_beside_entry=False))


def breaks(deed: Callable[..., None], *given: object) -> bool:
    try:
        deed(*given)
    except Broken as broken:
        return broken.invariant == "I24"
    return False


@pytest.mark.parametrize(
    ("va_id", "symbol", "is_wrong"),
    [("VA001", "XXX", True), ("VA002", "XXX", True), ("VA002", "YYY", False)],
)
def test_an_entry_beside_what_is_held_or_works_in_its_symbol_breaks_it(
    va_id: str, symbol: str, is_wrong: bool
) -> None:
    desk = kept_desk(accounts=BOTH)
    enter(desk, signal("a"))
    accepted = decide(desk, signal("b", va_id=va_id, symbol=symbol))
    assert breaks(ForbiddenWatch(NO_ENTRY).decided, accepted, desk.books) is is_wrong
    assert not breaks(ForbiddenWatch(policy()).decided, accepted, desk.books)


def stop_beside(is_unknown: bool) -> tuple[Order, Books]:
    """A stop, and the entry of its position, which works."""
    desk = kept_desk()
    acknowledge(desk, send(desk, signal("a")))
    trade(desk, "ABCDEF1E1", "4")
    entry = desk.books.orders["ABCDEF1E1"]
    desk.books.put_order(replace(entry, is_unknown=is_unknown))
    return desk.books.orders["ABCDEF1S1"], desk.books


@pytest.mark.parametrize(("is_unknown", "is_wrong"), [(False, True), (True, False)])
@pytest.mark.parametrize("role", [Role.STOP, Role.EXIT])
def test_a_stop_or_an_exit_beside_an_entry_that_is_known_to_work_breaks_it(
    role: Role, is_unknown: bool, is_wrong: bool
) -> None:
    stop, books = stop_beside(is_unknown)
    order = replace(stop, role=role)
    assert breaks(ForbiddenWatch(NO_STOP).commanded, order, books) is is_wrong
    assert not breaks(ForbiddenWatch(policy()).commanded, order, books)


@pytest.mark.parametrize(("largest", "is_wrong"), [("3", True), ("4", False)])
def test_rule_48_an_order_too_large_for_the_market_breaks_it(largest: str, is_wrong: bool) -> None:
    stop, books = stop_beside(is_unknown=False)
    rules = policy(instruments={"XXX": replace(XXX, max_market_quantity=Decimal(largest))})
    assert breaks(ForbiddenWatch(rules).commanded, stop, books) is is_wrong


def test_a_refusal_without_cause_or_over_and_over_breaks_it() -> None:
    stop, _ = stop_beside(is_unknown=False)
    with pytest.raises(Broken, match="without cause"):
        ForbiddenWatch(NO_STOP).refused(stop, has_cause=False)
    watch = ForbiddenWatch(NO_STOP)
    for _ in range(REFUSED_MAX):
        watch.refused(stop, has_cause=True)
    with pytest.raises(Broken, match="over and over"):
        watch.refused(stop, has_cause=True)


@pytest.mark.parametrize(
    ("word", "reason", "expected"),
    [
        (ReportWord.REJECTED, Reason.VENUE_FORBIDS, True),
        (ReportWord.REJECTED, Reason.BAD_PRICE, False),
        (ReportWord.EXPIRED, Reason.VENUE_FORBIDS, False),
    ],
)
def test_what_counts_as_forbidden(word: ReportWord, reason: Reason, expected: bool) -> None:
    assert is_forbidden(OrderReport("ABCDEF1S1", word, 0, reason=reason)) is expected

"""Soundness: each broken rule of ours is noticed, and sound books are not accused."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from pointsman.domain.commands import Cancel, Submit
from pointsman.domain.events import Killed
from pointsman.domain.orders import Order, OrderType, Role
from pointsman.domain.policy import ReduceOnlyMode
from pointsman.domain.sides import PositionSide, Side
from pointsman.execution.books import Books
from pointsman.execution.desk import Desk
from pointsman.execution.soundness import assert_fits, assert_may_open, assert_sound
from tests.desk_stories import VA, enter, policy, ready_desk, send, signal, tell
from tests.order_stories import replace


def desk_at_work(mode: ReduceOnlyMode = ReduceOnlyMode.CLIP) -> Desk:
    """A position of 10 behind its stop, and a further entry on its way."""
    desk = ready_desk(policy(reduce_only_mode=mode))
    enter(desk, signal("a"))
    send(desk, signal("b"))
    return desk


def change_account(**changes: object) -> Callable[[Books], None]:
    def break_it(books: Books) -> None:
        books.accounts[VA] = replace(books.accounts[VA], **changes)

    return break_it


def turn_one_entry(books: Books) -> None:
    """A second entry, in the other direction."""
    entry = books.orders["ABCDEF2E1"]
    other = replace(entry, client_order_id="ABCDEF3E1", position_side=PositionSide.SHORT)
    books.put_order(other)


def move_an_entry(books: Books) -> None:
    books.put_order(replace(books.orders["ABCDEF2E1"], symbol="YYY"))


@pytest.mark.parametrize(
    ("break_it", "what"),
    [
        (change_account(cash=Decimal("98999.99")), "cash and cost"),
        (change_account(realized=Decimal("0.000001")), "cash and cost"),
        (change_account(deposits=Decimal(1)), "cash and cost"),
        (change_account(exposure=Decimal("-0.01")), "exposure"),
        (change_account(leased_symbol=None), "no lease"),
        (change_account(leased_symbol="YYY"), "lease"),
        (move_an_entry, "lease"),
        (turn_one_entry, "two directions"),
    ],
)
def test_rule_14_what_does_not_add_up_in_an_account_is_noticed(
    break_it: Callable[[Books], None], what: str
) -> None:
    books = desk_at_work().books
    assert_sound(books, VA)
    break_it(books)
    with pytest.raises(AssertionError, match=what):
        assert_sound(books, VA)


def test_a_broken_account_stops_the_very_event_that_touches_it() -> None:
    desk = desk_at_work()
    change_account(cash=Decimal(0))(desk.books)
    with pytest.raises(AssertionError, match="cash and cost"):
        tell(desk, Killed(False, "a person", "test"))


@pytest.mark.parametrize(
    ("symbol", "side", "what"),
    [
        ("XXX", PositionSide.LONG, None),
        ("YYY", PositionSide.LONG, "lease"),
        ("XXX", PositionSide.SHORT, "against a position"),
    ],
)
def test_rule_11_an_entry_must_neither_cross_symbols_nor_stand_against_a_position(
    symbol: str, side: PositionSide, what: str | None
) -> None:
    books = desk_at_work().books
    entry = replace(books.orders["ABCDEF2E1"], symbol=symbol, position_side=side)
    if what is None:
        assert_may_open(books, entry)
    else:
        with pytest.raises(AssertionError, match=what):
            assert_may_open(books, entry)


def exit_of(quantity: str) -> Order:
    return Order(
        "ABCDEF1X1", VA, "XXX", 1, Role.EXIT, OrderType.MARKET, Side.SELL, PositionSide.LONG,
        Decimal(quantity), 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "is_submitted", "is_accused"),
    [
        (ReduceOnlyMode.REFUSE, True, True),
        (ReduceOnlyMode.CLIP, True, False),
        (ReduceOnlyMode.REFUSE, False, False),
    ],
    ids=["the venue refuses", "it clips and nobody else holds", "nothing is sent"],
)
def test_rule_21_stops_and_exits_together_never_exceed_a_position_that_is_not_clipped(
    mode: ReduceOnlyMode, is_submitted: bool, is_accused: bool
) -> None:
    books = desk_at_work(mode).books
    leaving = exit_of("0.01")
    books.put_order(leaving)
    commands = [Submit(leaving) if is_submitted else Cancel(leaving.client_order_id, "XXX")]
    if is_accused:
        with pytest.raises(AssertionError, match="ABCDEF1X1"):
            assert_fits(books, 1, list(commands))
    else:
        assert_fits(books, 1, list(commands))


def test_rule_21_what_fits_exactly_is_not_accused() -> None:
    books = desk_at_work(ReduceOnlyMode.REFUSE).books
    stop = books.orders["ABCDEF1S1"]
    books.put_order(replace(stop, filled=Decimal(4)))
    leaving = exit_of("4")
    books.put_order(leaving)
    assert_fits(books, 1, [Submit(leaving)])

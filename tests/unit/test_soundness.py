"""Soundness: a broken rule of ours stops the process at once; each check is seen to fail here."""

from decimal import Decimal
from typing import Any

import pytest

from pointsman.domain.commands import Submit
from pointsman.domain.events import ReportWord
from pointsman.domain.money import exact
from pointsman.domain.orders import Role
from pointsman.domain.policy import ReduceOnlyMode
from pointsman.domain.sides import PositionSide
from pointsman.execution.soundness import assert_fits, assert_may_open, assert_sound
from tests.desk_stories import VA, account, acknowledge, enter, policy, report, send, signal
from tests.order_stories import KeptDesk, kept_desk, replace


def holding() -> KeptDesk:
    desk = kept_desk(policy(reduce_only_mode=ReduceOnlyMode.REFUSE))
    enter(desk, signal("a"))
    acknowledge(desk, send(desk, signal("b")))
    return desk


def test_books_that_are_right_are_sound() -> None:
    assert_sound(holding().books, VA)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"cash": Decimal(1)}, "cash and cost"),
        ({"realized": Decimal("0.000000000001")}, "cash and cost"),
        ({"exposure": Decimal(-1)}, "exposure"),
        ({"leased_symbol": None}, "no lease"),
        ({"leased_symbol": "YYY"}, "lease"),
    ],
)
def test_an_account_that_does_not_add_up_is_noticed(changes: dict[str, Any], what: str) -> None:
    desk = holding()
    desk.books.put_account(replace(account(desk), **changes))
    with pytest.raises(AssertionError, match=what), exact():
        assert_sound(desk.books, VA)


def test_entries_both_ways_are_noticed() -> None:
    desk = holding()
    (entry,) = desk.books.orders_of(2, Role.ENTRY)
    other = {"client_order_id": "ABCDEF9E1", "position_id": 9, "position_side": PositionSide.SHORT}
    desk.books.put_order(replace(entry, **other))
    with pytest.raises(AssertionError, match="two directions"), exact():
        assert_sound(desk.books, VA)


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"symbol": "YYY"}, "lease"), ({"position_side": PositionSide.SHORT}, "against a position")],
)
def test_an_entry_that_the_router_should_not_have_let_through_is_noticed(
    changes: dict[str, Any], what: str
) -> None:
    desk = holding()
    (entry,) = desk.books.orders_of(2, Role.ENTRY)
    with pytest.raises(AssertionError, match=what):
        assert_may_open(desk.books, replace(entry, **changes))


def test_i7_more_leaving_than_is_held_is_noticed_where_it_may_not_overlap() -> None:
    desk = holding()
    (stop,) = desk.books.orders_of(1, Role.STOP)
    second = replace(stop, client_order_id="ABCDEF1S9", quantity=Decimal(1))
    desk.books.put_order(second)
    with pytest.raises(AssertionError):
        assert_fits(desk.books, 1, [Submit(second)])
    assert_fits(desk.books, 1, [])
    desk.books.policy = policy()
    with pytest.raises(AssertionError):
        assert_fits(desk.books, 1, [Submit(second)])
    (entry,) = desk.books.orders_of(2, Role.ENTRY)
    report(desk, entry.client_order_id, ReportWord.CANCELED)
    assert_fits(desk.books, 1, [Submit(second)])

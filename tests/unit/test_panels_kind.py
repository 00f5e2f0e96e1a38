"""What of the lists beside a picture may still change though a picture counts nothing anew."""

import pytest

from pointsman.dashboard.lists import made_lists
from tests.dashboard_pictures import LISTS, order


@pytest.mark.parametrize(
    ("status", "is_settled"),
    [("ACCEPTED", True), ("PARTIALLY_FILLED", True), ("SUBMITTED", False), ("UNKNOWN", False)],
)
def test_an_order_that_the_venue_has_confirmed_waits_for_no_answer(
    status: str, is_settled: bool
) -> None:
    assert made_lists([order("x", status=status)], [], [], [], 0).is_settled is is_settled


def test_orders_that_have_ended_and_lists_of_nothing_wait_for_nothing() -> None:
    assert made_lists([], [order("x", status="REJECTED")], [], [], 0).is_settled
    assert not LISTS.is_settled, "one of them is unknown"

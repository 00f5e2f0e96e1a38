"""Under which id an order is reported."""

import pytest

from pointsman.venues.binance import order_ids
from pointsman.venues.binance.order_ids import OrderIds, actual_id


@pytest.mark.parametrize(
    ("said", "expected"), [("", None), ("0", None), (0, None), (None, None), ("77", 77), (77, 77)]
)
def test_a_child_is_named_by_text_or_number(said: str | int | None, expected: int | None) -> None:
    assert actual_id(said) == expected


def test_a_child_is_reported_under_its_stop_whatever_it_says_of_itself() -> None:
    ids = OrderIds()
    assert ids.note(77, "x-child") == "x-child"
    ids.link(77, "ABCDEF1S1")
    assert (ids.name_of(77), ids.child_of("ABCDEF1S1")) == ("ABCDEF1S1", 77)
    assert ids.note(77, "x-child") == "ABCDEF1S1"


def test_only_while_a_stop_of_ours_rests_may_an_unknown_order_be_its_child() -> None:
    ids = OrderIds()
    ids.stop_rests("ABCDEF1S1", "BTCUSDT")
    assert ids.may_have_child("BTCUSDT")
    assert not ids.may_have_child("ETHUSDT")
    ids.has_ended("ABCDEF1S1")
    assert not ids.may_have_child("BTCUSDT")


def test_a_stop_that_two_lists_of_all_do_not_show_is_over() -> None:
    """One whose end nobody has told, such as of a request that never arrived."""
    ids = OrderIds()
    ids.stop_rests("ABCDEF1S1", "BTCUSDT")
    ids.stop_rests("ABCDEF2S1", "ETHUSDT")
    for is_over in (False, True):
        rested = ids.resting()
        ids.stop_rests("ABCDEF3S1", "SOLUSDT")  # after the list was asked for
        ids.saw_all(rested, {"ABCDEF2S1"})
        assert ids.may_have_child("BTCUSDT") is not is_over
        assert ids.may_have_child("ETHUSDT")
        assert ids.may_have_child("SOLUSDT")
    assert ids.resting() == {"ABCDEF2S1", "ABCDEF3S1"}


def test_a_stop_that_is_listed_again_rests() -> None:
    ids = OrderIds()
    ids.stop_rests("ABCDEF1S1", "BTCUSDT")
    for listed in ((), ("ABCDEF1S1",), ()):
        ids.saw_all(ids.resting(), listed)
    assert ids.may_have_child("BTCUSDT")


def test_the_oldest_ids_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_ids, "IDS_MAX", 2)
    ids = OrderIds()
    for number in (1, 2, 3):
        ids.link(number, f"ABCDEF{number}S1")
        ids.stop_rests(f"ABCDEF{number}S1", "BTCUSDT")
    assert [ids.name_of(number) for number in (1, 2, 3)] == [None, "ABCDEF2S1", "ABCDEF3S1"]
    assert ids.child_of("ABCDEF1S1") is None
    assert ids.resting() == {"ABCDEF2S1", "ABCDEF3S1"}

"""Ordered sets: members in the order in which they came, and no set that is empty."""

from pointsman.execution.ordered_set import discard, keep


def test_a_member_is_kept_once_in_its_place_until_it_is_none_any_more() -> None:
    members = dict.fromkeys(("a", "b"))
    for member, is_member in (("c", True), ("a", True), ("b", False), ("b", False)):
        keep(members, member, is_member)
    assert list(members) == ["a", "c"]


def test_the_last_member_takes_its_set_with_it() -> None:
    sets = {1: {"a": None, "b": None}, 2: {"c": None}}
    for key, member in ((1, "a"), (1, "unknown"), (2, "c"), (3, "d")):
        discard(sets, key, member)
    assert sets == {1: {"b": None}}

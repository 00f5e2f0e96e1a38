"""Ordered sets: a dict without values has the members in the order in which they came. However many
of texts or numbers there are, the collector of garbage looks into none.
"""

from typing import TypeVar

_Key = TypeVar("_Key")


def keep(members: dict[_Key, None], member: _Key, is_member: bool) -> None:
    """Have a member in a set, or not."""
    if is_member:
        members[member] = None
    else:
        members.pop(member, None)


def discard(sets: dict[_Key, dict[str, None]], key: _Key, member: str) -> None:
    """Take a member out of a dict of sets, and the set with it when it is empty."""
    members = sets.get(key)
    if members is not None:
        members.pop(member, None)
        if not members:
            del sets[key]

"""Links that flap: a part of the connection that goes down and comes up over and over (RULES 46).

Each change that the desk hears is an event and an incident, and entries may leave as soon as a link
is up. So one that goes down again soon after it came up counts as up only once it has held for a
while, longer each time that it did not. Until then it stays down: no entry leaves, and what it does
meanwhile is no event. It goes down at once, always. Pure: time comes in.
"""

import msgspec

from pointsman.domain.events import LinkChanged, VenueLink
from pointsman.domain.timestamps import SECOND_NS, in_seconds

FLAPS_WITHIN_NS = 30 * SECOND_NS
"""A link that goes down so soon after it came up flaps."""

HOLD_NS = 5 * SECOND_NS
"""For how long a link that flaps has to hold; twice as long each time that it flaps again."""

HOLD_NS_MAX = 60 * SECOND_NS


class _Link(msgspec.Struct):
    """One link: what the desk knows of it, and a return that it does not know of yet."""

    is_down: bool = False
    up_at_ns: int | None = None
    hold_ns: int = 0
    returned: LinkChanged | None = None
    due_ns: int = 0


class LinkDamping:
    """All links of one run. `due_ns` is when one that has come back will have held for long
    enough."""

    def __init__(self) -> None:
        self._links = {link: _Link() for link in VenueLink}
        self.due_ns: int | None = None

    def heard(self, change: LinkChanged, now_ns: int) -> LinkChanged | None:
        """A link has changed at `now_ns`; what the desk is to hear of it now."""
        told = self._take(self._links[change.link], change, now_ns)
        self._look_when_due()
        return told

    def take_due(self, now_ns: int) -> list[LinkChanged]:
        """The returns that have held for long enough."""
        if self.due_ns is None or now_ns < self.due_ns:
            return []
        due: list[LinkChanged] = []
        for link in self._links.values():
            if link.returned is not None and now_ns >= link.due_ns:
                due.append(link.returned)
                link.is_down, link.up_at_ns, link.returned = False, now_ns, None
        self._look_when_due()
        return due

    def _look_when_due(self) -> None:
        held = (link.due_ns for link in self._links.values() if link.returned is not None)
        self.due_ns = min(held, default=None)

    def _take(self, link: _Link, change: LinkChanged, now_ns: int) -> LinkChanged | None:
        if not change.is_up:
            return self._went_down(link, change, now_ns)
        if not link.is_down:
            return change
        if link.hold_ns:
            link.returned, link.due_ns = change, now_ns + link.hold_ns
            return None
        link.is_down, link.up_at_ns = False, now_ns
        return change

    def _went_down(self, link: _Link, change: LinkChanged, now_ns: int) -> LinkChanged | None:
        if link.is_down:
            link.returned = None
            return None
        link.is_down = True
        if link.up_at_ns is None or now_ns - link.up_at_ns >= FLAPS_WITHIN_NS:
            link.hold_ns = 0
            return change
        link.hold_ns = min(max(HOLD_NS, 2 * link.hold_ns), HOLD_NS_MAX)
        told = f"it flaps, and counts as up once it has held for {in_seconds(link.hold_ns)} s"
        detail = f"{change.detail}; {told}" if change.detail else told
        return msgspec.structs.replace(change, detail=detail)

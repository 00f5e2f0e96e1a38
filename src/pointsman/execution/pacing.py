"""How soon something that certainly did not reach the venue, or that it forbids beside what works
there, may be asked for again.

At once after the first time; after further ones in a row it waits, longer each time, so that
nothing is sent and given back at the speed of the wire. What is counted together has one key: all
stops of a position, all its exits, the cancel of one order. Whether a key has to wait follows from
the time alone, so a wake-up that changes nothing need not be stored.
"""

import msgspec

from pointsman.domain.orders import Order, Role
from pointsman.domain.timestamps import MS_NS, SECOND_NS

FIRST_WAIT_NS = 250 * MS_NS
WAIT_NS_MAX = 2 * SECOND_NS

Key = tuple[int, str]
"""A position's number, and what of it is counted together."""


class NotSentRun(msgspec.Struct, frozen=True, gc=False):
    """How often in a row something did not reach the venue, and when it may be asked for again."""

    count: int
    again_at_ns: int


def sending(position_id: int, role: Role) -> Key:
    """The stops, or the exits, of a position."""
    return position_id, role.value


def forbidden(position_id: int) -> Key:
    """The stops of a position that the venue took for a forbidden order."""
    return position_id, f"forbidden {position_id}"


def of_position(position_id: int) -> tuple[Key, ...]:
    """All that is counted for a position but for the cancels of single orders."""
    roles = (Role.STOP, Role.EXIT)
    return forbidden(position_id), *(sending(position_id, role) for role in roles)


def cancelling(order: Order) -> Key:
    """The cancel of one order."""
    return order.position_id, order.client_order_id


class Pacing:
    """What has not reached the venue of late, by its key."""

    def __init__(self) -> None:
        self._runs: dict[Key, NotSentRun] = {}

    def note(self, key: Key, now_ns: int) -> NotSentRun:
        """It did not reach the venue, once more."""
        known = self._runs.get(key)
        count = 1 if known is None else known.count + 1
        wait_ns = 0 if count == 1 else min(FIRST_WAIT_NS << (count - 2), WAIT_NS_MAX)
        self._runs[key] = run = NotSentRun(count, now_ns + wait_ns)
        return run

    def forget(self, *keys: Key) -> None:
        """The venue has it, or it is not wanted any more."""
        for key in keys:
            self._runs.pop(key, None)

    def end_waits(self, now_ns: int) -> list[int]:
        """Nothing has to wait any longer; gives the positions for which something did."""
        waiting = [key for key, run in self._runs.items() if run.again_at_ns > now_ns]
        self._runs.update(dict.fromkeys(waiting, NotSentRun(1, now_ns)))
        return list(dict.fromkeys(position_id for position_id, _ in waiting))

    def is_counted(self, key: Key) -> bool:
        """Whether it did not reach the venue when it was asked for last."""
        return key in self._runs

    def may_ask(self, key: Key, now_ns: int) -> bool:
        """Whether it may be asked for at `now_ns`."""
        run = self._runs.get(key)
        return run is None or now_ns >= run.again_at_ns

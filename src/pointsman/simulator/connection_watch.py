"""The watch on the connection: what must hold while a part of it is down, and after it (I23).

What the engine knows of its connection is the venue's to say: `Connection` keeps what it has
reported. Nothing here looks at the engine's own opinion.
"""

from collections import deque

from pointsman.domain.orders import Order, Role
from pointsman.domain.signals import Action, Decision, Outcome
from pointsman.domain.timestamps import SECOND_NS
from pointsman.simulator.broken import expect
from pointsman.simulator.connection import Connection

SENDS_A_SECOND_MAX = 20
"""At most this many stops, or exits, of one position leave within a second: one for each fill."""


class ConnectionWatch:
    """Watches one run, over all lives of the engine."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._left_ns: dict[tuple[int, Role], deque[int]] = {}

    def decided(self, decision: Decision) -> None:
        """A signal was decided."""
        if decision.action is Action.ENTRY and decision.outcome is Outcome.ACCEPTED:
            self.entry(decision, decision.va_id)

    def entry(self, what: object, va_id: str) -> None:
        """No entry is accepted, and none leaves, while the engine knows that a part of the
        connection is down."""
        down = list(self._connection.reported_down)
        expect(not down, "I23", ("an entry while the connection is down", down, what), va_id)

    def closing(self, order: Order, now_ns: int) -> None:
        """What does not reach the venue is tried again, but not over and over."""
        times = self._left_ns.setdefault(
            (order.position_id, order.role), deque(maxlen=SENDS_A_SECOND_MAX + 1)
        )
        times.append(now_ns)
        while times[0] <= now_ns - SECOND_NS:
            times.popleft()
        expect(len(times) <= SENDS_A_SECOND_MAX, "I23", ("sent over and over", order))

    def at_instant(self) -> None:
        """After the account stream is back the venue has been asked for everything."""
        is_owed = self._connection.owes_comparison
        expect(not is_owed, "I23", "not compared after the account stream came back")

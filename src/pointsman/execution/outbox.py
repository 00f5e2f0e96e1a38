"""The outbox: what waits for its turn to be durable, and then leaves.

Invariants (RULES 29, 30):

* nothing leaves before its turn is durable, but for commands that cannot raise exposure while
  storage fails;
* what leaves, leaves in the order in which it was asked for;
* entries that wait when storage fails can be taken out, and with them those who wait to hear of
  them: they are never sent.
"""

from collections import deque
from collections.abc import Callable
from typing import TypeGuard

from pointsman.domain.commands import Command, MoveCash, Step, Submit
from pointsman.errors import PointsmanError

OUTBOX_LEN_MAX = 100_000


class StorageHeld(PointsmanError):
    """Storage does not work at present: nothing is decided, and nobody is answered yes (RULES 29).
    The same signal may be sent again."""


Callback = Callable[[Step | StorageHeld], None]
"""Answers a caller, once: with the step of a signal when it is durable, or with why its entry will
never be sent."""


class Outbox:
    """What waits, oldest first."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Command | Callback, Step]] = deque(maxlen=OUTBOX_LEN_MAX)

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, ticket: int, item: Command | Callback, step: Step) -> None:
        """Add what may leave once `ticket` is durable; `step` is the turn that it belongs to."""
        assert len(self._waiting) < OUTBOX_LEN_MAX, "more waits to leave than may ever happen"
        self._waiting.append((ticket, item, step))

    def may_leave(self, durable: int) -> bool:
        """Whether the oldest may leave now, so that `take` gives something."""
        return bool(self._waiting) and self._waiting[0][0] <= durable

    def take(
        self, durable: int, is_failing: bool, most: int = OUTBOX_LEN_MAX
    ) -> list[tuple[Command | Callback, Step]]:
        """What may leave now, in order; while storage works at most `most`. Tickets rise, so
        nothing behind one that waits is looked at."""
        leaving: list[tuple[Command | Callback, Step]] = []
        waiting = self._waiting
        while len(leaving) < most and waiting and waiting[0][0] <= durable:
            _, item, step = waiting.popleft()
            leaving.append((item, step))
        if is_failing:
            for _ in range(len(waiting)):
                ticket, item, step = waiting.popleft()
                if ticket <= durable or _reduces_risk(item):
                    leaving.append((item, step))
                else:
                    waiting.append((ticket, item, step))
        return leaving

    def take_entries(self) -> tuple[list[str], list[Callback]]:
        """The ids of all entries that wait, and the answers that would have reported them."""
        waiting = list(self._waiting)
        self._waiting.clear()
        entries = [item.order.client_order_id for _, item, _ in waiting if _is_entry(item)]
        answers: list[Callback] = []
        for ticket, item, step in waiting:
            if isinstance(item, Command):
                if not _is_entry(item):
                    self._waiting.append((ticket, item, step))
            elif step.decision is not None and step.decision.client_order_id in entries:
                answers.append(item)
            else:
                self._waiting.append((ticket, item, step))
        return entries, answers


def _is_entry(item: Command | Callback) -> TypeGuard[Submit]:
    return isinstance(item, Submit) and item.may_raise_exposure


def _reduces_risk(item: Command | Callback) -> bool:
    """Whether a command may leave before it is durable while storage fails. An answer never may."""
    return isinstance(item, Command) and not _is_entry(item) and not isinstance(item, MoveCash)

"""The outbox: what waits for its turn to be durable, and then leaves.

What always holds (RULES 29, 30):

* nothing leaves before its turn is durable, but for commands that cannot raise exposure while
  storage fails;
* what leaves, leaves in the order in which it was asked for;
* entries that wait when storage fails can be taken out, and with them whoever waits to hear of
  them: they are never sent.
"""

from collections.abc import Callable
from typing import TypeGuard

from pointsman.domain.commands import Command, MoveCash, Step, Submit

OUTBOX_LEN_MAX = 100_000


class StorageHeld(Exception):
    """Storage does not work at present: nothing is decided, and nobody is told yes (RULES 29). The
    same signal may be sent again."""


Answer = Callable[[Step | StorageHeld], None]
"""Called once: with the step of a signal when it is durable, or with why its entry will never be
sent."""


class Outbox:
    """What waits, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, Command | Answer, Step]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, ticket: int, item: Command | Answer, step: Step) -> None:
        """Add what may leave once `ticket` is durable; `step` is the turn that it belongs to."""
        assert len(self._waiting) < OUTBOX_LEN_MAX, "more waits to leave than may ever happen"
        self._waiting.append((ticket, item, step))

    def take(self, durable: int, is_failing: bool) -> list[tuple[Command | Answer, Step]]:
        """All that may leave now, in order."""
        waiting, self._waiting = self._waiting, []
        leaving: list[tuple[Command | Answer, Step]] = []
        for ticket, item, step in waiting:
            if ticket <= durable or (is_failing and _reduces_risk(item)):
                leaving.append((item, step))
            else:
                self._waiting.append((ticket, item, step))
        return leaving

    def take_entries(self) -> tuple[list[str], list[Answer]]:
        """The ids of all entries that wait, and the answers that would have told of them."""
        waiting, self._waiting = self._waiting, []
        entries = [item.order.client_order_id for _, item, _ in waiting if _is_entry(item)]
        answers: list[Answer] = []
        for ticket, item, step in waiting:
            if isinstance(item, Command):
                if not _is_entry(item):
                    self._waiting.append((ticket, item, step))
            elif step.decision is not None and step.decision.client_order_id in entries:
                answers.append(item)
            else:
                self._waiting.append((ticket, item, step))
        return entries, answers


def _is_entry(item: Command | Answer) -> TypeGuard[Submit]:
    return isinstance(item, Submit) and item.may_raise_exposure


def _reduces_risk(item: Command | Answer) -> bool:
    """Whether a command may leave before it is durable while storage fails. An answer never may."""
    return isinstance(item, Command) and not _is_entry(item) and not isinstance(item, MoveCash)

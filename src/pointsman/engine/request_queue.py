"""The way in for what other threads ask of the loop.

A request waits here until the loop takes it, and the caller waits for the answer. Invariants: no
more wait than `ASKED_LEN_MAX`; a request that was not begun in time is withdrawn and never happens
later; one that was begun says so.
"""

import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

R = TypeVar("R")

ASKED_LEN_MAX = 64
ANSWER_SECONDS = 5.0  # not money: seconds
"""How long an answer is waited for."""


class Refusal(Exception):
    """The request was refused. The text says why and how to fix it; `exit_code` is what a
    command ends with (docs/contract.md)."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Unanswered(Refusal):
    """The engine did not take it, or could not store it, in time. It may be asked again."""


Answer = Future[dict[str, Any]]
"""What a request led to, or Refusal."""


class ControlQueue(Generic[R]):
    """Requests on their way to the loop. `wake` makes the loop look; it is called on the asker's
    thread."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._asked: queue.Queue[tuple[R, Answer]] = queue.Queue(maxsize=ASKED_LEN_MAX)

    def ask(self, request: R) -> dict[str, Any]:
        """Have the loop do something, and wait until it is durable. For any thread but the loop's.

        Raises Refusal, also when no answer comes in time.
        """
        answer: Answer = Future()
        try:
            self._asked.put_nowait((request, answer))
        except queue.Full:
            raise Unanswered(
                f"{ASKED_LEN_MAX} commands wait for the engine; try again later"
            ) from None
        self._wake()
        try:
            return answer.result(ANSWER_SECONDS)
        except TimeoutError:
            if answer.cancel():
                raise Unanswered(
                    "the engine did not take the command within 5 s, so it is withdrawn; "
                    "`pointsman kill` works also while the loop is stuck"
                ) from None
            raise Unanswered(
                "the command is not durable within 5 s; it may still take effect: "
                "`pointsman status` shows whether it did"
            ) from None

    def take(self) -> Iterator[tuple[R, Answer]]:
        """What waits, oldest first, without what was withdrawn. For the loop's thread."""
        while not self._asked.empty():
            request, answer = self._asked.get_nowait()
            if answer.set_running_or_notify_cancel():
                yield request, answer

"""The controls: what any thread outside the loop may have the engine do.

The kill switch is pressed at once, on the caller's thread: the latch holds although the loop is
stuck, and the loop is only woken. Everything else waits in a queue for the loop (RULES 34). Socket,
HTTP and process signals all come through here, so that every kill works in the same way.
Invariants: no more than `QUEUE_LEN_MAX` requests wait; one that was not begun in time is withdrawn
and never happens later; one that was begun says so.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import Full, Queue

from pointsman.domain.accounts import KillState
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.kill_latch import KillLatch, LatchState, latched_by
from pointsman.engine.requests import Answer, Kill, Rearm, Refusal, Request, Unanswered

QUEUE_LEN_MAX = 64
ANSWER_SECONDS = 5.0  # not money: seconds
"""How long an answer is waited for."""

PendingAnswer = Future[Answer]
"""The answer to a request that waits, or Refusal."""


class RequestQueue:
    """Requests on their way to the loop. `wake` makes the loop look; it is called on the caller's
    thread."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._waiting: Queue[tuple[Request, PendingAnswer]] = Queue(QUEUE_LEN_MAX)

    def ask(self, request: Request) -> Answer:
        """Have the loop carry out a request, and wait until it is durable. For any thread but the
        loop's.

        Raises Refusal, also when no answer comes in time.
        """
        answer: PendingAnswer = Future()
        try:
            self._waiting.put_nowait((request, answer))
        except Full:
            raise Unanswered(
                f"{QUEUE_LEN_MAX} commands wait for the engine; try again later"
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

    def take(self) -> Iterator[tuple[Request, PendingAnswer]]:
        """What waits, oldest first, without what was withdrawn. For the loop's thread."""
        while not self._waiting.empty():
            request, answer = self._waiting.get_nowait()
            if answer.set_running_or_notify_cancel():
                yield request, answer


class Controls:
    """The controls of one engine. `queue` is its loop's, `now_ns` gives event time on any thread,
    `wake` makes the loop look, and `why_killed` says why a rearm would be of no use now, or gives
    an empty text."""

    def __init__(
        self,
        queue: RequestQueue,
        latch: KillLatch,
        now_ns: Callable[[], int],
        wake: Callable[[], None],
        why_killed: Callable[[], str],
    ) -> None:
        self._queue = queue
        self._latch = latch
        self._now_ns = now_ns
        self._wake = wake
        self._why_killed = why_killed

    def carry_out(self, request: Request) -> Answer:
        """Carry out a request, and wait until that is durable. For any thread but the loop's.

        Raises Refusal, whose text says how to fix it.
        """
        if isinstance(request, Kill):
            return self._kill(request)
        if isinstance(request, Rearm):
            return self._rearm(request)
        return self._queue.ask(request)

    def _kill(self, request: Kill) -> Answer:
        is_durable = self._latch.press(latched_by(request, self._now_ns()))
        self._wake()
        return {"durable": is_durable, "state": self._latch.latched.state.value}

    def _rearm(self, request: Rearm) -> Answer:
        why = self._why_killed()
        if why:
            raise Refusal(why, ExitCode.REFUSED)
        answer = self._queue.ask(request)
        cleared = LatchState(
            state=KillState.OFF, by=request.by, note=request.reason, at_ns=self._now_ns()
        )
        is_open = self._latch.release(cleared, answer["press"])
        self._wake()
        if not is_open:
            raise Refusal(
                "it is killed again: it was pressed meanwhile, or the latch file "
                f"{self._latch.path} cannot be written",
                ExitCode.REFUSED,
            )
        return answer

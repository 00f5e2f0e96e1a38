"""The controls: what any thread outside the loop may have the engine do.

The kill switch is pressed here and now, on the asker's thread: the latch holds although the loop is
stuck, and the loop is only woken. Everything else is queued for the loop (RULES 34). Socket, HTTP
and process signals all come through here, so that every kill works in the same way.
"""

from collections.abc import Callable
from typing import Any

from pointsman.domain.accounts import KillState
from pointsman.engine.kill_latch import KillLatch, Latched
from pointsman.engine.request_queue import Refusal
from pointsman.engine.requests import REFUSED, Kill, Rearm, Request, Steering, pressed


class Controls:
    """The controls of one engine. `now_ns` gives event time on any thread, `wake` makes the loop
    look, and `why_killed` says why a rearm would be of no use now, or gives an empty text."""

    def __init__(
        self,
        steering: Steering,
        latch: KillLatch,
        now_ns: Callable[[], int],
        wake: Callable[[], None],
        why_killed: Callable[[], str],
    ) -> None:
        self._steering = steering
        self._latch = latch
        self._now_ns = now_ns
        self._wake = wake
        self._why_killed = why_killed

    def obey(self, request: Request) -> dict[str, Any]:
        """Do what is asked, and wait until it is durable. For any thread but the loop's.

        Raises Refusal, whose text says how to fix it.
        """
        if isinstance(request, Kill):
            return self._kill(request)
        if isinstance(request, Rearm):
            return self._rearm(request)
        return self._steering.asked.ask(request)

    def _kill(self, request: Kill) -> dict[str, Any]:
        is_durable = self._latch.press(pressed(request, self._now_ns()))
        self._wake()
        return {"durable": is_durable, "state": self._latch.latched.state.value}

    def _rearm(self, request: Rearm) -> dict[str, Any]:
        why = self._why_killed()
        if why:
            raise Refusal(why, REFUSED)
        answer = self._steering.asked.ask(request)
        cleared = Latched(KillState.OFF, request.by, request.reason, self._now_ns())
        is_open = self._latch.release(cleared, answer["press"])
        self._wake()
        if not is_open:
            raise Refusal(
                "it is killed again: it was pressed meanwhile, or the latch file "
                f"{self._latch.path} cannot be written",
                REFUSED,
            )
        return answer

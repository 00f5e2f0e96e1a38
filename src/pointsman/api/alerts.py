"""Alerts of chart services: which of them are one and the same (RULES 37).

Senders repeat alerts that they think were lost, and few give them an id. An alert without one gets
the hash of its VA, its body and its time as its id, so that storage knows it for ever. Without a
time too, equal bodies within 60 seconds are one signal: then the second in which the first of them
came stands in for the time. What always holds: an alert that was decided shortly before a restart
is still known after it, for its id can be found again from the body and the last 60 seconds.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Collection
from hashlib import sha256
from http import HTTPStatus

import msgspec

from pointsman.api.problems import Problem
from pointsman.domain.signal_text import SignalProblem
from pointsman.domain.signals import Signal
from pointsman.domain.timestamps import SECOND_NS

SAME_SECONDS = 60
"""Equal alerts without a time are one signal for so long after the first of them."""

REMEMBERED_MAX = 10_000
_PREFIX = "alert-"
_DIGITS = 32


class Alerts:
    """The alerts without a time of the last minute. `began_ns` is when this memory began; before
    it, `known` gives those of some ids that were decided."""

    def __init__(self, began_ns: int, known: Callable[[Collection[str]], Collection[str]]) -> None:
        self._began_s = began_ns // SECOND_NS
        self._known = known
        self._first_s: OrderedDict[str, int] = OrderedDict()

    def named(self, signal: Signal, body: bytes, signed_at: str, now_ns: int) -> Signal:
        """A signal with an id: its own, or the one that follows from its alert. `signed_at` is the
        time of a signed one, else empty.

        Raises Problem 429 where too many different ones came within a minute.
        """
        if signal.signal_id:
            return signal
        said = f"{signal.va_id}\n{canonical(body)}\n"
        if signal.ts_ns is not None:
            signal_id = _hash(said)  # The time is part of the body.
        elif signed_at:
            signal_id = _hash(said + signed_at)
        else:
            signal_id = _at(said, self._first(said, now_ns // SECOND_NS))
        return msgspec.structs.replace(signal, signal_id=signal_id)

    def _first(self, said: str, now_s: int) -> int:
        """The second in which the first of the equal alerts came."""
        while self._first_s and now_s - next(iter(self._first_s.values())) >= SAME_SECONDS:
            self._first_s.popitem(last=False)
        first_s = self._first_s.get(said)
        if first_s is not None and now_s - first_s < SAME_SECONDS:
            return first_s
        if len(self._first_s) >= REMEMBERED_MAX:
            text = f"{REMEMBERED_MAX} different alerts within {SAME_SECONDS} s; send them a time"
            retry = {"Retry-After": str(SAME_SECONDS)}
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, text, retry)
        first_s = self._before_start(said, now_s)
        self._first_s[said] = first_s
        return first_s

    def _before_start(self, said: str, now_s: int) -> int:
        """The second in which the same came before this memory began; `now_s` if it did not."""
        seconds = range(now_s - SAME_SECONDS + 1, self._began_s + 1)
        by_id = {_at(said, second): second for second in seconds}
        found = self._known(by_id.keys()) if by_id else ()
        return max((by_id[signal_id] for signal_id in found), default=now_s)


def _at(said: str, second: int) -> str:
    return _hash(f"{said}{second}")


def _hash(said: str) -> str:
    return _PREFIX + sha256(said.encode()).hexdigest()[:_DIGITS]


def canonical(body: bytes) -> str:
    """A JSON body without what means nothing: spaces, the order of keys, whether a number is text.

    Raises SignalProblem for one that is nested too deeply.
    """
    try:
        fields = json.loads(
            body.decode("utf-8-sig"), parse_float=str, parse_int=str, parse_constant=str
        )
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))
    except RecursionError as problem:
        raise SignalProblem("body", "", "send a flat JSON object") from problem

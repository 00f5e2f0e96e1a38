"""Alerts of chart services: which of them are one and the same (RULES 37, 56).

Senders repeat alerts that they think were lost, and few give them an id. An alert without one gets
the hash of its VA, its body and its time as its id, so that storage knows it for ever. Without a
time too, equal bodies within 60 seconds are one signal, unless anything of that VA and symbol was
decided in between (RULES 56): then the second in which the first of them came stands in for the
time, with the id that was the newest of that VA and symbol. Invariants: an alert that was
decided shortly before a restart is still known after it, for its id can be found again from the
body, the last 60 seconds and the ids before it.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from pointsman.api.problems import HttpProblem
from pointsman.domain.signal_text import SignalProblem
from pointsman.domain.signals import Signal
from pointsman.domain.timestamps import SECOND_NS

SAME_SECONDS = 60
"""Equal alerts without a time are one signal for so long after the first of them."""

REMEMBERED_MAX = 10_000
_PREFIX = "alert-"
_DIGITS = 32


class _First(NamedTuple):
    """The first of some equal alerts: its id, and the second in which it came."""

    signal_id: str
    at_s: int


class Alerts:
    """The alerts without a time of the last minute. `began_ns` is when this memory began; `decided`
    gives the newest ids that were decided of a VA and symbol, newest first."""

    def __init__(self, began_ns: int, decided: Callable[[str, str], Sequence[str]]) -> None:
        self._began_s = began_ns // SECOND_NS
        self._decided = decided
        self._first: OrderedDict[str, _First] = OrderedDict()

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
            signal_id = self._id_of(said, signal, now_ns // SECOND_NS)
        return msgspec.structs.replace(signal, signal_id=signal_id)

    def _id_of(self, said: str, signal: Signal, now_s: int) -> str:
        """The id of the first of the equal alerts, or that of a new one."""
        while self._first and now_s - next(iter(self._first.values())).at_s >= SAME_SECONDS:
            self._first.popitem(last=False)
        decided = self._decided(signal.va_id, signal.symbol)
        first = self._first.get(said)
        if first is None or now_s - first.at_s >= SAME_SECONDS:
            first = self._before_start(said, decided, now_s)
        # One that is not among them waits to be decided: nothing came in between.
        if first is None or first.signal_id in decided[1:]:
            before = decided[0] if decided else ""
            first = _First(_at(said, now_s, before), now_s)
        if said not in self._first and len(self._first) >= REMEMBERED_MAX:
            text = (
                f"{REMEMBERED_MAX} different alerts within {SAME_SECONDS} s; send a time with each"
            )
            retry = {"Retry-After": str(SAME_SECONDS)}
            raise HttpProblem(HTTPStatus.TOO_MANY_REQUESTS, text, retry)
        if self._first.get(said) != first:
            self._first[said] = first
            self._first.move_to_end(said)
        return first.signal_id

    def _before_start(self, said: str, decided: Sequence[str], now_s: int) -> _First | None:
        """The same alert where it was decided before this memory began, and nothing since."""
        if not decided:
            return None
        for second in range(now_s - SAME_SECONDS + 1, self._began_s + 1):
            for before in (*decided[1:], ""):
                if _at(said, second, before) == decided[0]:
                    return _First(decided[0], second)
        return None


def _at(said: str, second: int, before: str) -> str:
    return _hash(f"{said}{second}\n{before}")


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

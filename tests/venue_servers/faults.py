"""What can go wrong between a client and a venue, put in on purpose: requests that are refused,
lost, late or half answered (`Faults`), and messages that a stream loses, repeats or swaps
(`Channel`). Nothing here knows a venue.
"""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What happens to a request."""

    ANSWER = "answer"
    """Answered with what the fault says; not done."""
    ANSWER_AFTER_DOING = "answer_after_doing"
    DROP_BEFORE = "drop_before"
    """The connection is closed without an answer; not done. On a connection that was used before,
    aiohttp's client then sends a GET, PUT or DELETE once more by itself: two requests arrive."""
    DROP_AFTER_DOING = "drop_after_doing"
    DELAY = "delay"
    """Done and answered `seconds` later; not done if the client has gone by then."""
    LATE = "late"
    """Done `seconds` later even if the client has gone."""
    SILENCE = "silence"
    """Never answered and not done; the connection stays open."""
    SILENCE_AFTER_DOING = "silence_after_doing"
    EMPTY_LIST = "empty_list"
    CUT_LIST = "cut_list"
    """Only the first `keep` entries, without a word about the rest."""
    STALE_LIST = "stale_list"
    """The answer that the same question got the time before, if there was one."""
    HIDE_NEW_ORDERS = "hide_new_orders"
    """Questions do not find an order until it is `seconds` old. Not counted by `times`."""


@dataclass(kw_only=True)
class Fault:
    route: str
    """The name of a route ("create", "cancel", "query", "open_orders", "positions", "fills",
    "account", "stop", ...), a path, or "*"."""
    kind: Kind
    times: int = 1
    skip: int = 0
    """This many requests pass before the first is hit."""
    seconds: float = 0
    status: int = 200
    body: Any = None
    """Text or bytes as they are, anything else as JSON; None keeps the true answer."""
    headers: dict[str, str] = field(default_factory=dict)
    half: bool = False
    """The connection breaks in the middle of the body."""
    keep: int = 1

    def __post_init__(self) -> None:
        self.kind = Kind(self.kind)
        self.seconds = float(self.seconds)


class Faults:
    """The faults that wait for their requests, in the order in which they were added."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, route: str, path: str) -> Fault | None:
        """The fault that hits this request."""
        for fault in self.waiting:
            if fault.route not in (route, path, "*") or fault.kind is Kind.HIDE_NEW_ORDERS:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
            return fault
        return None

    def hides(self, route: str, age_seconds: float) -> bool:
        """Whether an order of this age is not found by this route."""
        return any(
            fault.kind is Kind.HIDE_NEW_ORDERS
            and fault.route in (route, "*")
            and age_seconds < fault.seconds
            for fault in self.waiting
        )


class Channel:
    """What a stream does to its messages on their way out."""

    def __init__(self) -> None:
        self.drops = 0
        self.repeats = 0
        self.swaps = False
        self.held: list[Any] = []
        self.delay_seconds = 0.0
        self.silent_until = 0.0

    def leaving(self, message: Any) -> list[Any]:
        """The messages that leave when this one is due to leave."""
        if time.monotonic() < self.silent_until:
            return []
        if self.drops:
            self.drops -= 1
            return []
        if self.swaps and not self.held:
            self.held.append(message)
            return []
        if self.swaps:
            self.swaps = False
            message_before = self.held.pop()
            return [message, message_before]
        if self.repeats:
            self.repeats -= 1
            return [message, message]
        return [message]

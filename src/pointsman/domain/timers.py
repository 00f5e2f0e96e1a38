"""Wake-ups: what the desk asks to be woken for, and when.

A wake-up that was overtaken by what happened since is recognised by what it was armed for.
"""

from enum import StrEnum

import msgspec


class TimerKind(StrEnum):
    """What the desk wants to be woken for. The key is a position id or a client order id as
    text, or a VA."""

    COVER_QUERY = "cover_query"
    COVER_DEADLINE = "cover_deadline"
    CROSSED_DEADLINE = "crossed_deadline"
    EXIT_RETRY = "exit_retry"
    SUBMIT_TIMEOUT = "submit_timeout"
    """No answer about a sent order or cancel in time: silence, which proves nothing."""

    QUERY_RETRY = "query_retry"
    SEND_RETRY = "send_retry"
    """What certainly did not reach the venue may be sent again. The key is the position id."""

    EXIT_UNFILLED = "exit_unfilled"
    """An exit at work ceases to count as cover."""

    COOLDOWN_END = "cooldown_end"
    OPENING_DEADLINE = "opening_deadline"
    """An entry has waited too long for its VA to be flat. The key is the VA."""


class Timer(msgspec.Struct, frozen=True, gc=False, order=True):
    """A wake-up: due at `due_ns`, for `key`. `armed_ns` says since when, so that a stale one is
    recognised."""

    due_ns: int
    kind: TimerKind
    key: str
    armed_ns: int

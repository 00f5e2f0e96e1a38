"""Signals and the decisions on them.

A signal is what a strategy asks for; a decision is our one answer to it, kept for good: the same
signal id is answered with the first decision for ever (RULES 13). A decision carries every rule
that was measured, with the value beside its limit, so that "why" is answered from the record alone.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from pointsman.domain.market import Quote
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import MarketPosition, SignalSide


class Remarks(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What the reading of a signal left out or changed: keys that are not used, keys of an exit
    whose values could not be read or are not done here, numbers that were rounded. For people; no
    part of what the signal asks for."""

    ignored: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    rounded: tuple[str, ...] = ()


class Signal(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A well-formed signal. Exactly one of `quantity`, `notional`, `risk_percentage` sizes an
    entry; a `close` may have none, which means everything. Prices are per unit; percentages are of
    100; `ts_ns` is the sender's stamp and `ttl_ns` how long after it the signal may still be acted
    on. `market_position` and its size are what the strategy holds after the order (RULES 55);
    `exchange` is the one that the symbol was named with."""

    signal_id: str
    va_id: str
    symbol: str
    side: SignalSide
    quantity: Decimal | None = None
    notional: Decimal | None = None
    risk_percentage: Decimal | None = None
    price: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_loss_percentage: Decimal | None = None
    take_profit: Decimal | None = None
    take_profit_percentage: Decimal | None = None
    reduce_only: bool = False
    ts_ns: int | None = None
    ttl_ns: int | None = None
    market_position: MarketPosition | None = None
    market_position_size: Decimal | None = None
    exchange: str | None = None
    remarks: Remarks | None = None

    def asks_the_same(self, first: "Signal") -> bool:
        """Whether this signal asks for what the one recorded under its id asked for, whatever was
        remarked when they were read. What a record of an earlier version does not hold is not
        compared: the sender of a repetition must not be told that it is another signal."""
        unknown = {name: None for name in _ADDED_LATER if getattr(first, name) is None}
        alike = msgspec.structs.replace(self, remarks=None, **unknown)
        return alike == msgspec.structs.replace(first, remarks=None)


_ADDED_LATER = ("market_position", "market_position_size", "exchange")
"""Fields that version 0.1.0 did not record."""


class Window(msgspec.Struct, frozen=True, gc=False):
    """The trading window that contains the present, or the next one: [opens_ns, closes_ns).
    Computed by config from time zone and calendar (RULES 1). None stands for "no window will
    open"."""

    opens_ns: int
    closes_ns: int


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Action(StrEnum):
    """What an accepted signal leads to."""

    ENTRY = "entry"
    EXIT = "exit"
    WAIT = "wait"
    """An entry against a position that is being exited: it is judged once that is done."""


class Check(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One rule as it was measured. `value` and `limit` are plain decimals or words, `unit` says of
    what; a value that could not be measured is None and the check has failed."""

    rule: Reason
    passed: bool
    value: str | None = None
    limit: str | None = None
    unit: str = ""
    note: str = ""


class Rounding(msgspec.Struct, frozen=True, gc=False):
    """A number of a signal that could not be used as it was sent: which field, what it asked for,
    what is used, and the lot or tick that it was rounded to (RULES 59)."""

    field: str
    asked: Decimal
    used: Decimal
    step: Decimal


class Decision(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """The answer to one signal. `quantity` is what will be traded; `clipped_quantity` is set where
    that is less than was asked, because more would have flipped the position (RULES 10) or is more
    than the strategy holds (RULES 55). Of a reversal `opening_quantity` is what is left to open
    after the closing, None where its signal names no units: by the signal `opening_id`, which is
    judged once the VA is flat, or not at all where that is None. `rounded` is what rounding to
    lot and tick changed of what was sent."""

    signal_id: str
    va_id: str
    symbol: str
    outcome: Outcome
    decided_at_ns: int
    reason: Reason | None = None
    value: str | None = None
    limit: str | None = None
    action: Action | None = None
    quantity: Decimal | None = None
    clipped_quantity: Decimal | None = None
    limit_price: Decimal | None = None
    client_order_id: str | None = None
    position_ids: tuple[int, ...] = ()
    quote: Quote | None = None
    checks: tuple[Check, ...] = ()
    opening_id: str | None = None
    opening_quantity: Decimal | None = None
    rounded: tuple[Rounding, ...] = ()


class SignalRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """A signal as remembered for good. `repeats` counts how often its id came again with the same
    content, and `reuses` how often with other content."""

    signal: Signal
    received_at_ns: int
    source: str
    line: int
    repeats: int = 0
    reuses: int = 0


class FirstDecision(msgspec.Struct, frozen=True, gc=False):
    """What is remembered of a signal id that comes again: looked up by the shell (RULES 32)."""

    record: SignalRecord
    decision: Decision

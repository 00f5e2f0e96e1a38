"""What an event shows of the market: the newest valid quote that it brings, and the venue's stamp.

A stop is held against the quote before it is sent, and what is held is valued at it. An event with
a new field of this kind has a row in one of these tables.
"""

from pointsman.domain import events as ev
from pointsman.domain.events import Event
from pointsman.domain.market import Quote

BRINGS_MARK = (
    ev.SignalReceived,
    ev.OrderReport,
    ev.CancelRefused,
    ev.OrderAbsent,
    ev.TimerFired,
    ev.CashMoved,
    ev.ForeignFill,
    ev.FundingPaid,
    ev.ChargePaid,
    ev.NotSent,
    ev.HoldingDiffers,
    ev.Assigned,
)
"""Events with the last valid quote of their symbol."""

BRINGS_QUOTE = (ev.SignalReceived, ev.LevelReached, ev.EntryBreach)
"""Events with the quote that they are judged on."""

BRINGS_STAMP = (
    ev.OrderReport,
    ev.CancelRefused,
    ev.FundingPaid,
    ev.ChargePaid,
    ev.NotSent,
    ev.LinkChanged,
    ev.UnlistedCode,
)
"""Events with the venue's stamp of what they report."""

_WITHOUT = frozenset(Event.__subclasses__()).difference(BRINGS_MARK, BRINGS_QUOTE, BRINGS_STAMP)
"""Events that bring none of these."""


def mark_and_stamp(event: Event, now_ns: int) -> tuple[Quote | None, int]:
    """The last valid quote that an event brings, and the venue's stamp of what it reports."""
    kind, mark = type(event), None
    if kind in _WITHOUT:
        return None, now_ns
    if isinstance(event, BRINGS_MARK):
        mark = event.mark
    if mark is None and isinstance(event, BRINGS_QUOTE):
        mark = event.quote
    if mark is not None and not mark.is_valid:
        mark = None
    return mark, event.ts_ns if isinstance(event, BRINGS_STAMP) else now_ns

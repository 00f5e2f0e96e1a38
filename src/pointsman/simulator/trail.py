"""The trail of a run: its last turns, a line each, for the person who reads a failure."""

import msgspec

from pointsman.domain.commands import Step
from pointsman.domain.events import Event, OrderReport

TRAIL_LEN_MAX = 4_000


class TrailLine(msgspec.Struct, frozen=True):
    """When, what, and which VAs it concerned."""

    at_ns: int
    what: str
    va_ids: tuple[str, ...]


def describe(event: Event, step: Step) -> str:
    """One line on a turn."""
    what = type(event).__name__
    if isinstance(event, OrderReport):
        what += f" {event.client_order_id} {event.kind}"
        if event.fill is not None:
            what += f" {event.fill.quantity} at {event.fill.price}"
    elif step.decision is not None:
        decision = step.decision
        what += f" {decision.signal_id} {decision.outcome} {decision.reason or ''}"
    else:
        for name in ("client_order_id", "position_id", "timer", "symbol", "va_id", "note"):
            if hasattr(event, name):
                what += f" {getattr(event, name)}"
    for command in step.commands:
        order = getattr(command, "order", None)
        name = order.client_order_id if order else getattr(command, "client_order_id", "")
        what += f" => {type(command).__name__} {name}".rstrip()
    return what

"""The order life cycle: one table, and nothing else assigns a status.

House rules:

* everything that moves an order from one status to another is a row of `TRANSITIONS`;
* a (status, report) pair without a row is impossible by our own doing, or nonsense from a venue:
  the caller freezes the account and asks for a comparison;
* the result does not depend on the order in which venue reports arrive, nor on how often: a status
  only rises in rank, and among final ones the more informative wins (FILLED > CANCELED > EXPIRED >
  REJECTED). A fill that arrives after the end is booked and may still complete the order (a cancel
  and a fill racing, a rejection with fills inside): these rows are real, seen at real venues.

`UNKNOWN` and `PENDING_CANCEL` are not in the table: they are marks of our knowledge on top of the
rank, shown in its place while set, and cleared by any report of the venue (RULES 27). `DENIED` is
ours and can only follow `INITIALIZED` and `SUBMITTED`: an order that was never handed to the venue,
or certainly did not reach it (RULES 44).
"""

from enum import StrEnum


class OrderStatus(StrEnum):
    """What an order is. The last two are shown in place of the rank while the mark is set."""

    INITIALIZED = "INITIALIZED"
    DENIED = "DENIED"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"
    PENDING_CANCEL = "PENDING_CANCEL"


class ReportKind(StrEnum):
    """What we learn of an order. The first two are our own doing, the rest come from the venue."""

    SENT = "SENT"
    DENIED = "DENIED"
    ACCEPTED = "ACCEPTED"
    TRIGGERED = "TRIGGERED"
    PARTIAL_FILL = "PARTIAL_FILL"
    LAST_FILL = "LAST_FILL"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


_S = OrderStatus
_K = ReportKind

_FIRST_REPORTS: dict[ReportKind, OrderStatus] = {
    _K.SENT: _S.SUBMITTED,
    _K.ACCEPTED: _S.ACCEPTED,
    _K.TRIGGERED: _S.ACCEPTED,
    _K.PARTIAL_FILL: _S.PARTIALLY_FILLED,
    _K.LAST_FILL: _S.FILLED,
    _K.CANCELED: _S.CANCELED,
    _K.EXPIRED: _S.EXPIRED,
    _K.REJECTED: _S.REJECTED,
}

TRANSITIONS: dict[OrderStatus, dict[ReportKind, OrderStatus]] = {
    _S.INITIALIZED: {**_FIRST_REPORTS, _K.DENIED: _S.DENIED},
    _S.SUBMITTED: {**_FIRST_REPORTS, _K.DENIED: _S.DENIED},
    _S.ACCEPTED: {**_FIRST_REPORTS, _K.SENT: _S.ACCEPTED},
    _S.PARTIALLY_FILLED: {
        **_FIRST_REPORTS,
        _K.SENT: _S.PARTIALLY_FILLED,
        _K.ACCEPTED: _S.PARTIALLY_FILLED,
        _K.TRIGGERED: _S.PARTIALLY_FILLED,
    },
    _S.FILLED: dict.fromkeys(_FIRST_REPORTS, _S.FILLED),
    _S.CANCELED: {**dict.fromkeys(_FIRST_REPORTS, _S.CANCELED), _K.LAST_FILL: _S.FILLED},
    _S.EXPIRED: {
        **dict.fromkeys(_FIRST_REPORTS, _S.EXPIRED),
        _K.LAST_FILL: _S.FILLED,
        _K.CANCELED: _S.CANCELED,
    },
    _S.REJECTED: {
        **dict.fromkeys(_FIRST_REPORTS, _S.REJECTED),
        _K.LAST_FILL: _S.FILLED,
        _K.CANCELED: _S.CANCELED,
        _K.EXPIRED: _S.EXPIRED,
    },
    _S.DENIED: {},
}
"""(status, report) -> status. `DENIED` takes nothing: the venue cannot know an order that never
reached it."""

FINAL: frozenset[OrderStatus] = frozenset(
    {_S.DENIED, _S.FILLED, _S.CANCELED, _S.REJECTED, _S.EXPIRED}
)
"""The statuses after which an order can no longer trade, but for reports that were already under
way."""


class ImpossibleReport(Exception):
    """A report that the table has no row for."""

    def __init__(self, status: OrderStatus, kind: ReportKind) -> None:
        super().__init__(f"an order that is {status} cannot be reported {kind}")
        self.status = status
        self.kind = kind


def next_status(status: OrderStatus, kind: ReportKind) -> OrderStatus:
    """The status after a report. Raises ImpossibleReport where the table has no row."""
    following = TRANSITIONS[status].get(kind)
    if following is None:
        raise ImpossibleReport(status, kind)
    return following

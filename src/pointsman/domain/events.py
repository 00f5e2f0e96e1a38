"""Events: every input of the desk.

Each input of the program — a signal, a venue's report, silence past a deadline, a crossed level, a
timer, an operator's command, a restart — is one of these, and goes through `Desk.handle`.
An event carries all that is needed to decide it (the quote it is judged on, the window, what was
looked up of finished orders), so that the journal can be decided again without anything else.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from pointsman.domain.accounts import Mark, VenueAccount
from pointsman.domain.life_cycle import ReportKind
from pointsman.domain.market import Quote
from pointsman.domain.orders import ForeignOrder, KnownOrder, Order
from pointsman.domain.policy import Policy
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide, Side
from pointsman.domain.signals import FirstDecision, Signal, Window
from pointsman.domain.timers import Timer


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """The base of all events."""


class Started(Event, frozen=True):
    """The program started or started again; every order that is not final is in doubt from here on.
    `accounts` are the VAs with their start balances, `code` is that of the installation, `epoch`
    the number of the desk's owner, 0 where it is bound to one machine."""

    version: str
    code: str
    policy: Policy
    accounts: tuple[tuple[str, Decimal], ...]
    settings_digest: str = ""
    traded_on: VenueAccount = VenueAccount()
    epoch: int = 0


class SignalReceived(Event, frozen=True):
    """A well-formed signal. `quote` is the newest row of its symbol, valid or not; `mark` the last
    valid one; `quoted_as` a symbol that has quotes where this one has none, and which it is another
    spelling or a misspelling of; `first` what is remembered of an id seen before; `clock_offset_ns`
    the correction applied to the quote's stamp, never positive (RULES 12); `is_opening` marks the
    opening part of a reversal, which waited for its VA to be flat (RULES 55); `is_clock_doubtful`
    says that the stamps of late contradict the correction (RULES 68); `entries_held` is what holds
    all entries back, such as a lost file (RULES 60), and empty where nothing does."""

    signal: Signal
    quote: Quote | None
    mark: Quote | None
    window: Window | None
    day_start_ns: int
    clock_offset_ns: int = 0
    first: FirstDecision | None = None
    source: str = ""
    line: int = 0
    is_opening: bool = False
    is_clock_doubtful: bool = False
    quoted_as: str = ""
    entries_held: str = ""


class InstrumentLearned(Event, frozen=True):
    """Quotes have shown finer steps of a symbol than were known, of which no instrument was given:
    its derived tick and lot from here on (RULES 59)."""

    symbol: str
    tick: Decimal
    lot: Decimal


class SignalMalformed(Event, frozen=True):
    """What should have been a signal and was none: which field, its value, and how to fix it."""

    source: str
    line: int
    field: str
    value: str
    remedy: str


class OrderSent(Event, frozen=True):
    """The last gate let an order through and it was handed to the venue."""

    client_order_id: str


class SendRefused(Event, frozen=True):
    """The last gate refused an order: it never left (RULES 31)."""

    client_order_id: str
    reason: Reason


class NotSent(Event, frozen=True):
    """An order or, with `is_cancel`, its cancel certainly never reached the venue (RULES 44)."""

    client_order_id: str
    is_cancel: bool
    reason: Reason
    ts_ns: int
    detail: str = ""
    mark: Quote | None = None


class VenueLink(StrEnum):
    """The parts of the connection to a venue."""

    ORDERS = "orders"
    ACCOUNT_STREAM = "account_stream"
    QUOTES = "quotes"
    BUDGET = "budget"
    """The requests that the venue allows; down while it has said "slow down"."""


class LinkChanged(Event, frozen=True):
    """A part of the connection to the venue went down or came up again (RULES 46)."""

    link: VenueLink
    is_up: bool
    ts_ns: int
    detail: str = ""


class UnlistedCode(Event, frozen=True):
    """The venue answered with a status or code that is in no table: nothing is concluded from it
    (RULES 44). `client_order_id` is empty where the answer was not about one order."""

    code: str
    text: str
    ts_ns: int
    client_order_id: str = ""


class VenueFill(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An execution as the venue tells it. `quantity` is what traded, whatever the fee was taken
    from; `fee_currency` None is the currency of the price. `cumulative` is the order's total filled
    quantity after it, where the venue says so."""

    trade_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    ts_ns: int
    cumulative: Decimal | None = None
    fee_currency: str | None = None


class ReportWord(StrEnum):
    """What a venue can say of an order; a TRADE carries a fill."""

    ACCEPTED = "ACCEPTED"
    TRIGGERED = "TRIGGERED"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def report_kind(self) -> ReportKind:
        """The row of the life-cycle table; a TRADE becomes PARTIAL_FILL or LAST_FILL by the
        quantities."""
        return ReportKind(self.value)


class OrderReport(Event, frozen=True):
    """The venue's word on one order. `fill` is set exactly where `kind` is TRADE; `mark` is the
    last valid quote of the symbol; `known` what storage remembers if the order is final by our
    record. `is_queued`, of an accepted one: the venue keeps it until its session (RULES 52)."""

    client_order_id: str
    kind: ReportWord
    ts_ns: int
    venue_order_id: str | None = None
    fill: VenueFill | None = None
    reason: Reason | None = None
    mark: Quote | None = None
    known: KnownOrder | None = None
    is_queued: bool = False


class OrderAdopted(Event, frozen=True):
    """The venue knows an order of ours that we do not: it left while storage failed, and the
    program ended before the record was kept (RULES 30). The order is rebuilt from its id, its
    position and the venue's word."""

    order: Order


class CancelRefused(Event, frozen=True):
    """The venue would not cancel: most often because nothing is left to cancel."""

    client_order_id: str
    reason: Reason
    ts_ns: int
    mark: Quote | None = None


class OrderAbsent(Event, frozen=True):
    """The venue, asked at `asked_at_ns` by client id, finds no such order in any of its lists."""

    client_order_id: str
    asked_at_ns: int
    mark: Quote | None = None


class Level(StrEnum):
    STOP = "stop"
    TAKE_PROFIT = "take_profit"


class LevelReached(Event, frozen=True):
    """The watch saw a valid quote at or through a level of a position."""

    position_id: int
    level: Level
    quote: Quote


class EntryBreach(Event, frozen=True):
    """While entries of a symbol work, its quote breaks a limit: the desk judges them on it."""

    symbol: str
    quote: Quote | None
    clock_offset_ns: int = 0


class TimerFired(Event, frozen=True):
    """A wake-up that the desk asked for is due."""

    timer: Timer
    mark: Quote | None = None


class Marked(Event, frozen=True):
    """A whole second of event time passed while something is held: the last valid quotes of what is
    held, and the start of the trading day."""

    marks: tuple[Quote, ...]
    day_start_ns: int


class Killed(Event, frozen=True):
    flatten: bool
    by: str
    note: str


class Rearmed(Event, frozen=True):
    by: str
    note: str


class Paused(Event, frozen=True):
    """No new entries; of one VA, or of all where `va_id` is None."""

    va_id: str | None
    by: str
    note: str


class Resumed(Event, frozen=True):
    va_id: str | None
    by: str
    note: str


class FlattenRequested(Event, frozen=True):
    """Close everything a VA holds; every VA where `va_id` is None."""

    va_id: str | None
    by: str
    note: str


class AccountOpened(Event, frozen=True):
    va_id: str
    balance: Decimal


class CashMoved(Event, frozen=True):
    """Money into (> 0) or out of (< 0) a VA; `ref` makes it happen once."""

    va_id: str
    amount: Decimal
    ref: str
    day_start_ns: int
    mark: Quote | None = None


class CashConfirmed(Event, frozen=True):
    """The venue's ledger moved the same money."""

    ref: str


class ForeignFill(Event, frozen=True):
    """An execution at the venue under an id that is not ours (RULES 28). `position_side` is the
    holding that it changed: in hedge mode as the venue says, in net mode LONG stands for the one
    signed holding."""

    symbol: str
    position_side: PositionSide
    side: Side
    fill: VenueFill
    order_id: str
    mark: Quote | None = None


class FundingPaid(Event, frozen=True):
    """The venue settled funding for the account's whole holding of a symbol and side: `amount` > 0
    was received, < 0 paid, in the currency of the price. It is no execution: nothing of the holding
    changes. `funding_id` is the same however often and wherever it is reported."""

    funding_id: str
    symbol: str
    position_side: PositionSide
    amount: Decimal
    ts_ns: int
    mark: Quote | None = None


class ChargePaid(Event, frozen=True):
    """The venue charged the account later than at an execution, or gave something back: a
    regulatory fee, a rebate, insurance (RULES 51). Else as `FundingPaid`; no `charge_id` is a
    `funding_id`. No `symbol`: for nothing that is traded. No `position_side`: for either side."""

    charge_id: str
    amount: Decimal
    ts_ns: int
    symbol: str = ""
    position_side: PositionSide | None = None
    mark: Quote | None = None


class HoldingDiffers(Event, frozen=True):
    """After all fills are booked the venue still holds another quantity of a symbol than our VAs
    and EXTERNAL together: `venue_quantity`, signed."""

    symbol: str
    position_side: PositionSide
    venue_quantity: Decimal
    mark: Quote | None = None


class Assigned(Event, frozen=True):
    """A person gives a VA `quantity` of EXTERNAL's of a symbol (RULES 28): what it lacks, since a
    foreign execution closed the VA's positions; else what it holds. `mark` prices it."""

    va_id: str
    symbol: str
    quantity: Decimal
    by: str
    note: str
    mark: Quote | None = None


class Compared(Event, frozen=True):
    """A comparison with the venue ended. `differences` counts the reports that it had to supply;
    `unseen_orders` are ours that it did not show and that must be asked about; `foreign_orders` are
    at work, sorted, where that may forbid one of ours. Only a complete answer counts."""

    is_complete: bool
    taken_at_ns: int
    differences: int
    fills_cursor: str
    unseen_orders: tuple[str, ...] = ()
    foreign_orders: tuple[ForeignOrder, ...] = ()


class StorageHealed(Event, frozen=True):
    """Storage works again; the entries of the group that waited are withdrawn (RULES 29)."""

    withdrawn: tuple[str, ...]


class FileLost(Event, frozen=True):
    """A file that the engine holds open was removed or replaced: `fault` says which, and how."""

    path: str
    fault: str


class TaskDied(Event, frozen=True):
    """A part of the engine ended by an internal error: which, and what is known of it."""

    task: str
    fault: str


class RunEnded(Event, frozen=True):
    """A recorded run came to the end of its data."""

    quotes: int
    bad_quotes: int
    marks: tuple[Mark, ...]

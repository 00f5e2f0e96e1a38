"""Virtual accounts, and the desk's own standing record.

A VA owns its money, its limits and at most one symbol at a time. Its cash and its realized result
are kept apart and must agree, exactly (RULES 14):

    cash    = start + net deposits - sum of signed quantity x price - fees + funding
    balance = start + net deposits + realized
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from pointsman.domain.money import ZERO
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.signals import Signal

EXTERNAL = "EXTERNAL"
"""The reserved account of what is held at the venue and is no VA's (RULES 28)."""


class Opening(msgspec.Struct, frozen=True, gc=False):
    """An entry that waits until its VA is flat (RULES 55): the opening part of the signal
    `asked_by`. It is judged then, at the latest at `until_ns`."""

    signal: Signal
    asked_by: str
    since_ns: int
    until_ns: int


class Account(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """One VA.

    `exposure` is the notional it holds and works, at entry limit prices (RULES 18). `peak_equity`
    is the highest equity since the drawdown was last restarted, moved with money in and out so that
    units of the account are compared (RULES 17). `stopped_by` is the loss limit that stopped its
    entries until a person resumes it. `loss_streak` counts consecutive losses. `day_*` belong to
    the trading day that began at `day_start_ns`. `strategy_quantity` (signed) is what the strategy
    of the VA holds of `strategy_symbol` by its own alerts; None where they do not say.
    """

    va_id: str
    start_balance: Decimal
    opened_at_ns: int
    deposits: Decimal = ZERO
    cash: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    exposure: Decimal = ZERO
    equity: Decimal = ZERO
    peak_equity: Decimal = ZERO
    max_drawdown: Decimal = ZERO
    trades: int = 0
    wins: int = 0
    losses: int = 0
    loss_streak: int = 0
    cooldown_until_ns: int | None = None
    is_paused: bool = False
    frozen_for: Reason | None = None
    frozen_at_ns: int | None = None
    stopped_by: Reason | None = None
    leased_symbol: str | None = None
    day_start_ns: int = 0
    day_start_equity: Decimal = ZERO
    day_deposits: Decimal = ZERO
    day_entries: int = 0
    naked_max_ns: int = 0
    naked_total_ns: int = 0
    venue_naked_max_ns: int = 0
    venue_naked_total_ns: int = 0
    opening: Opening | None = None
    strategy_symbol: str | None = None
    strategy_quantity: Decimal | None = None
    stopless_max_ns: int = 0
    stopless_total_ns: int = 0

    @property
    def balance(self) -> Decimal:
        return self.start_balance + self.deposits + self.realized

    def is_cooling(self, now_ns: int) -> bool:
        return self.cooldown_until_ns is not None and now_ns < self.cooldown_until_ns

    def streak_at(self, now_ns: int) -> int:
        """Consecutive losses; zero once a cooldown has ended (RULES 16)."""
        if self.cooldown_until_ns is not None and now_ns >= self.cooldown_until_ns:
            return 0
        return self.loss_streak


class KillState(StrEnum):
    """The kill switch: off, no new risk, or no new risk and close everything."""

    OFF = "off"
    HALT = "halt"
    FLATTEN = "flatten"


class TradingState(StrEnum):
    """What the desk as a whole will do (RULES 19)."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"


class KillSwitch(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """The latch, and who set or cleared it last and why. `flat_at_ns` is when, after a flatten, the
    venue had confirmed no position and no order of ours that can fill."""

    state: KillState = KillState.OFF
    is_paused: bool = False
    changed_at_ns: int = 0
    changed_by: str = ""
    note: str = ""
    flat_at_ns: int | None = None

    @property
    def trading_state(self) -> TradingState:
        if self.state is not KillState.OFF:
            return TradingState.HALTED
        return TradingState.REDUCING if self.is_paused else TradingState.ACTIVE


class VenueAccount(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The account that a desk trades on, for a person to recognise it, and so that its records are
    never used for another one. No decision depends on it. `name` is how the venue calls it. In
    shadow the account is only read, and orders are filled on paper."""

    venue: str = "paper"
    name: str = ""
    is_sandbox: bool = True
    is_shadow: bool = False

    @property
    def is_paper(self) -> bool:
        return self.venue == "paper"

    @property
    def is_real_money(self) -> bool:
        return not self.is_paper and not self.is_sandbox and not self.is_shadow

    @property
    def label(self) -> str:
        """In words, wherever the venue is named (RULES 49)."""
        if self.is_paper:
            return self.venue
        if self.is_shadow:
            kind = "sandbox" if self.is_sandbox else "live"
            return f"{self.venue} shadow of the {kind} account {self.name}".rstrip()
        kind = "sandbox" if self.is_sandbox else "REAL MONEY"
        return f"{self.venue} {kind} {self.name}".rstrip()


class DeskRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """What the desk remembers of itself: the installation code in every client order id, the number
    that the next entry gets, the comparison with the venue (`compared_at_ns` is empty from each
    start until the first complete one), and the totals over all VAs for the global limits.
    `breach_readings` and `naked_readings` count consecutive readings beyond a limit that may trip
    the kill switch. `traded_on` is the account at the venue, the same for as long as there are
    records. `epoch` is that of the newest start."""

    code: str
    next_number: int = 1
    next_incident: int = 1
    fills_cursor: str = ""
    compared_at_ns: int | None = None
    mismatch_cycles: int = 0
    breach_readings: int = 0
    naked_readings: int = 0
    peak_equity: Decimal = ZERO
    day_start_ns: int = 0
    day_start_equity: Decimal = ZERO
    day_deposits: Decimal = ZERO
    quotes: int = 0
    bad_quotes: int = 0
    ended_at_ns: int | None = None
    traded_on: VenueAccount = VenueAccount()
    epoch: int = 0


class Cursor(msgspec.Struct, frozen=True, gc=False, tag=True):
    """How far a file of signals has been read: the last line taken in."""

    source: str
    line: int


class CashMove(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """Money put into or taken out of a VA, and whether the venue's ledger has confirmed the
    same."""

    ref: str
    va_id: str
    amount: Decimal
    moved_at_ns: int
    is_confirmed: bool = False


class ExternalHolding(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """What the venue holds of a symbol beyond our VAs: the reserved account EXTERNAL (RULES 28).
    `quantity` is signed; on a netting account `side` is LONG for the one signed holding. `value` is
    what it came to at the prices of the foreign executions, signed alike; None where a part of it
    has no known price."""

    symbol: str
    side: PositionSide
    quantity: Decimal
    value: Decimal | None = ZERO


class AccountReading(msgspec.Struct, frozen=True, gc=False, tag=True):
    """What the account at the venue was found to hold, and how many orders rest there, where an
    engine in shadow reads it: no part of the books. `holdings` are signed (short < 0), in hedge
    mode one a side. One is kept for each change."""

    read_at_ns: int
    holdings: tuple[tuple[str, Decimal], ...]
    open_orders: int


class EquityPoint(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """What a VA, or all VAs together (an empty `va_id`), were worth at one moment (RULES 53). No
    decision depends on it. `drawdown` is the ratio that the limits see, None for all together:
    theirs follows from the points and from money moved in or out."""

    va_id: str
    at_ns: int
    equity: Decimal
    drawdown: Decimal | None = None


class Incident(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, tag=True):
    """Something that a person should know. `value` and `limit` as in a check; `detail` is for
    reading only."""

    incident_id: str
    at_ns: int
    kind: Reason
    va_id: str | None = None
    symbol: str | None = None
    client_order_id: str | None = None
    value: str | None = None
    limit: str | None = None
    detail: str = ""


class Mark(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The last valid quote of a symbol that the books were marked at."""

    symbol: str
    ts_ns: int
    bid: Decimal
    ask: Decimal

    def closing_touch(self, side: PositionSide) -> Decimal:
        """The price that a holding of `side` would close against."""
        return self.bid if side is PositionSide.LONG else self.ask

"""Faults: what can go wrong, which of it does in one run, and a log of all that did.

Each seed switches every kind on or off and gives it a rate of its own (swarm testing): runs with
few kinds reach states that runs with all of them never do. Some runs have no fault at all.

The log is also what naked time is measured against: RULES 25 allows a further wait for each request
or answer that went wrong, and no more.
"""

from collections import Counter
from collections.abc import Collection
from enum import StrEnum
from random import Random

import msgspec

from pointsman.domain.timestamps import SECOND_NS


class Fault(StrEnum):
    """One kind of trouble."""

    REQUEST_LOST = "request_lost"
    REQUEST_LATE = "request_late"
    """It arrives long after it was sent, perhaps when it counts as lost already."""
    ANSWER_LOST = "answer_lost"
    """Accepted, but the answer never comes: dropped, a 5xx, or nothing that can be read. To the
    engine these are one: an adapter makes no report of what it cannot read."""
    ANSWER_LATE = "answer_late"
    BAN = "ban"
    """Rate limited: nothing that is sent is taken or answered for a while."""
    REPORT_DUPLICATED = "report_duplicated"
    REPORT_DELAYED = "report_delayed"
    REPORT_REORDERED = "report_reordered"
    REPORT_LOST = "report_lost"
    FILL_BEFORE_ACK = "fill_before_ack"
    FILL_AFTER_CANCEL = "fill_after_cancel"
    REJECTED_WITH_FILLS = "rejected_with_fills"
    EXPIRED_WITH_FILLS = "expired_with_fills"
    DISCONNECT = "disconnect"
    """Nothing arrives for a while; then the newest reports are said again."""
    CANCEL_REFUSED = "cancel_refused"
    """A cancel is refused although the order is open."""
    QUERY_FAILED = "query_failed"
    QUERY_EMPTY = "query_empty"
    """"No such order", of one that has only just arrived."""
    QUERY_CUT = "query_cut"
    """The answer is cut off: the last of an order's executions are missing."""
    COMPARE_FAILED = "compare_failed"
    COMPARE_STALE = "compare_stale"
    COMPARE_PARTIAL = "compare_partial"
    NO_TRADE_ID = "no_trade_id"
    STOP_RESTS = "stop_rests"
    """A stop triggers and then rests unfilled for a while."""
    STOP_DROPPED = "stop_dropped"
    """The venue cancels a resting stop by itself."""
    CHILD_ORDER = "child_order"
    """A triggered stop ends, and what it sends trades under an id that is not ours."""
    PRICE_BAND = "price_band"
    HALT = "halt"
    DELISTED = "delisted"
    """A symbol is closed out by the venue, and never trades or is quoted again."""
    PERSON_CLOSES = "person_closes"
    FOREIGN_ORDER = "foreign_order"
    LIQUIDATION = "liquidation"
    HOLDING_MOVED = "holding_moved"
    """The account holds more or less of a symbol, and no trade says why."""
    FEED_FREEZE = "feed_freeze"
    BAD_QUOTES = "bad_quotes"
    CLOCK_STEP = "clock_step"
    CLOCK_DRIFT = "clock_drift"
    CLOCK_BACK = "clock_back"
    """The process dies, and when it starts again the machine's clock has gone back."""
    DISK_FULL = "disk_full"
    STORE_SLOW = "store_slow"
    CRASH_BEFORE_COMMIT = "crash_before_commit"
    CRASH_AFTER_COMMIT = "crash_after_commit"
    CRASH_AFTER_SEND = "crash_after_send"
    CRASH_IN_RECOVERY = "crash_in_recovery"
    SECOND_START = "second_start"
    FEE_IN_BASE = "fee_in_base"
    """What is bought of a coin is less by the fee."""
    FEE_IN_THIRD_COIN = "fee_in_third_coin"
    FUNDING = "funding"
    """Funding is settled on all that is held; some of it is not told, or late, or again."""
    FUNDING_LOST = "funding_lost"
    FUNDING_LATE = "funding_late"
    FUNDING_REPEATED = "funding_repeated"
    BROKEN_LOT = "broken_lot"
    """An execution is for no whole number of lots."""
    NOT_SENT = "not_sent"
    """An order or a cancel certainly does not leave, and its sender hears so."""
    ORDERS_DOWN = "orders_down"
    """No request leaves for a while; orders and cancels are given back."""
    ACCOUNT_STREAM_DOWN = "account_stream_down"
    """What happens to orders meanwhile is not reported, ever."""
    QUOTES_DOWN = "quotes_down"
    """No quotes arrive, and it is known why."""
    SLOW_DOWN = "slow_down"
    """The venue says to slow down: nothing is sent for a while."""
    CHARGE = "charge"
    """A fee of another day, or a rebate; reported as badly as funding is."""
    STOP_RENAMED = "stop_renamed"
    """A stop that triggers gets another id at the venue, and its fill is reported before the
    trigger, where that is reported at all."""
    TRIGGER_REJECTED = "trigger_rejected"
    """A stop that rested is rejected, or ends, at the moment when it triggers."""
    FORBIDDEN = "forbidden"
    """A stop or an exit is refused for what others have at work, where the venue forbids that."""


CRASHES = (
    Fault.CRASH_BEFORE_COMMIT,
    Fault.CRASH_AFTER_COMMIT,
    Fault.CRASH_AFTER_SEND,
    Fault.CRASH_IN_RECOVERY,
)

TIMED = (
    Fault.BAN,
    Fault.DISCONNECT,
    Fault.STOP_DROPPED,
    Fault.HALT,
    Fault.DELISTED,
    Fault.PERSON_CLOSES,
    Fault.FOREIGN_ORDER,
    Fault.LIQUIDATION,
    Fault.HOLDING_MOVED,
    Fault.FEED_FREEZE,
    Fault.BAD_QUOTES,
    Fault.CLOCK_STEP,
    Fault.CLOCK_DRIFT,
    Fault.CLOCK_BACK,
    Fault.DISK_FULL,
    Fault.STORE_SLOW,
    *CRASHES,
    Fault.SECOND_START,
    Fault.FUNDING,
    Fault.ORDERS_DOWN,
    Fault.ACCOUNT_STREAM_DOWN,
    Fault.QUOTES_DOWN,
    Fault.SLOW_DOWN,
    Fault.CHARGE,
)
"""These happen at moments of their own; the others strike messages and orders by chance."""

LOSING = (Fault.REQUEST_LOST, Fault.REQUEST_LATE, Fault.BAN, Fault.CLOCK_BACK, *CRASHES)
"""After these it takes ORDER_SETTLE_SECONDS until an order is known not to have arrived (RULES
26)."""

LOSING_IN_SESSION = tuple(fault for fault in LOSING if fault not in (Fault.CLOCK_BACK, *CRASHES))
"""Those of them that are left where requests end with a session: there the first answer after a
start says what never arrived."""

HARMLESS = (
    Fault.REPORT_DUPLICATED,
    Fault.NO_TRADE_ID,
    Fault.BROKEN_LOT,
    Fault.FOREIGN_ORDER,
    Fault.FEED_FREEZE,
    Fault.BAD_QUOTES,
    Fault.CLOCK_STEP,
    Fault.CLOCK_DRIFT,
    Fault.SECOND_START,
    Fault.FEE_IN_BASE,
    Fault.FEE_IN_THIRD_COIN,
    Fault.FUNDING,
    Fault.FUNDING_LOST,
    Fault.FUNDING_LATE,
    Fault.FUNDING_REPEATED,
    Fault.QUOTES_DOWN,
    Fault.CHARGE,
    Fault.STOP_RENAMED,
)
"""These are no excuse for a position without cover."""

RARE = (
    Fault.REJECTED_WITH_FILLS,
    Fault.EXPIRED_WITH_FILLS,
    Fault.QUERY_EMPTY,
    Fault.QUERY_CUT,
    Fault.STOP_RESTS,
    Fault.CHILD_ORDER,
    Fault.FUNDING_LOST,
    Fault.FUNDING_LATE,
    Fault.FUNDING_REPEATED,
    Fault.NOT_SENT,
    Fault.STOP_RENAMED,
    Fault.TRIGGER_REJECTED,
    Fault.FORBIDDEN,
)
"""These have few occasions, and take them more often."""

_ON_PER_CENT = 35
_CALM_PER_CENT = 8
_RATES = (0.01, 0.03, 0.1, 0.3)
_RARE_RATE = 0.3
_EVENTS_AN_HOUR = (1, 2, 4, 8)


class FaultPlan(msgspec.Struct, frozen=True):
    """What may go wrong in one run: `rates` by which messages and orders are struck, `times` (from
    the start, in order) of what happens by itself."""

    rates: dict[Fault, float]
    times: tuple[tuple[int, Fault], ...]


def draw_plan(random: Random, allowed: Collection[Fault], lasting_ns: int) -> FaultPlan:
    """Draw the faults of one run from those allowed, for its first `lasting_ns`."""
    rates: dict[Fault, float] = {}
    times: list[tuple[int, Fault]] = []
    is_calm = random.randrange(100) < _CALM_PER_CENT
    for fault in Fault:
        # Drawn for all, so that leaving some out does not change the others.
        is_on = random.randrange(100) < _ON_PER_CENT
        rate, often = random.choice(_RATES), random.choice(_EVENTS_AN_HOUR)
        shares = [random.random() for _ in range(often)]
        if is_calm or not is_on or fault not in allowed:
            continue
        if fault in TIMED:
            times += [(int(share * lasting_ns), fault) for share in shares]
        else:
            rates[fault] = max(rate, _RARE_RATE) if fault in RARE else rate
    return FaultPlan(rates, tuple(sorted(times)))


class PastFault(msgspec.Struct, frozen=True, gc=False):
    """One fault that happened, until when it lasted, and which symbol it was about, if not all."""

    fault: Fault
    at_ns: int
    until_ns: int
    symbol: str | None = None


class Faults:
    """The faults of one run. Nothing strikes any more once `are_off`."""

    def __init__(self, random: Random, plan: FaultPlan) -> None:
        self.are_off = False
        self.counts: Counter[Fault] = Counter()
        self.log: list[PastFault] = []
        self._random = random
        self._rates = plan.rates

    def strikes(
        self, fault: Fault, now_ns: int, symbol: str | None = None, *, logged: Fault | None = None
    ) -> bool:
        """Whether a fault of this kind strikes now; if so it is in the log, where it may count as
        another one."""
        rate = self._rates.get(fault)
        if rate is None or self.are_off or self._random.random() >= rate:
            return False
        self.counts[fault] += 1
        self.excuse(fault if logged is None else logged, now_ns, now_ns, symbol)
        return True

    def note(self, fault: Fault, at_ns: int, until_ns: int) -> None:
        """Put a fault that happens at a moment of its own into the log."""
        self.counts[fault] += 1
        self.excuse(fault, at_ns, until_ns)

    def excuse(self, fault: Fault, at_ns: int, until_ns: int, symbol: str | None = None) -> None:
        """Let a fault that is counted already last longer, or strike once more."""
        self.log.append(PastFault(fault, at_ns, until_ns, symbol))

    def allowance_ns(
        self,
        symbol: str,
        from_ns: int,
        to_ns: int,
        each_ns: int,
        lost_ns: int,
        losing: Collection[Fault] = LOSING,
    ) -> int:
        """How much longer than the deadline a position that is naked from `from_ns` on may be so:
        `each_ns` for each fault about its symbol or about all that fell into it, `lost_ns` where an
        order may have been lost by it (`losing`), and as long as each lasted."""
        allowed = 0
        for trouble in reversed(self.log):
            extra_ns = lost_ns if trouble.fault in losing else each_ns
            if trouble.fault in HARMLESS or trouble.at_ns > to_ns:
                continue
            if trouble.symbol not in (None, symbol):
                continue
            if trouble.until_ns >= from_ns - extra_ns:
                allowed += extra_ns + trouble.until_ns - trouble.at_ns
            elif trouble.at_ns < from_ns - _LONGEST_NS:
                break
        return allowed


_LONGEST_NS = 300 * SECOND_NS
"""No fault lasts longer."""

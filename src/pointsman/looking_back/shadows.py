"""What refused entries would have brought: each alone, in an account of its own without limits.

It fills at the touch of the quote that it was refused on, has the stop and the target that it asked
for, or the stop of the settings, and ends there, or with the later signals of its account and
symbol that close it or go the other way, each by as much as it says. What is still held at the end
counts at the last known quote. All of it is modelled (RULES 54); a refusal for want of a quote, or
of something to close, brings nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from pointsman.domain.accounts import Account
from pointsman.domain.commands import Record
from pointsman.domain.events import AccountOpened, Compared, Event, SignalReceived, Started
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, exact
from pointsman.domain.policy import Abilities, Limits, Policy, PositionMode, ReduceOnlyMode
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import EntrySides, SignalSide
from pointsman.domain.signals import Action, Decision, Outcome, Signal, Window
from pointsman.execution.desk import Desk
from pointsman.looking_back.modelled import Modelled

_CODE = "SHADOW"
_NEVER_NS = 2**62
_HUGE = Decimal(10**12)
_NO_LIMITS = Limits(
    max_loss_cooldown=0,
    cooldown_ns=1,
    max_spread_bps=_HUGE,
    max_slippage_bps=Decimal(9_999),
    max_latency_ns=_NEVER_NS,
    max_price_deviation_bps=_HUGE,
    max_position_size=_HUGE,
    max_open_positions=10**9,
    max_leverage=_HUGE,
    stop_loss_percentage=Decimal(2),
    max_stop_loss_percentage=_HUGE,
    entry_sides=EntrySides.BOTH,
)

replace = msgspec.structs.replace


class ByRule(msgspec.Struct, frozen=True):
    """What one rule refused, and what that would have brought."""

    refused: int
    would_have_earned: Decimal


class _Shadow(msgspec.Struct, frozen=True):
    va_id: str
    symbol: str
    side: SignalSide
    balance: Decimal


class Shadows:
    """One for each entry that was refused, in the recorded run or under any of the settings that
    are tried: what it would have brought depends on neither."""

    def __init__(self, fee_bps: Decimal) -> None:
        self._fee_bps = fee_bps
        self._played: Modelled | None = None
        self._rules: Policy | None = None
        self._by_signal: dict[str, _Shadow | None] = {}
        self._live: dict[tuple[str, str], list[_Shadow]] = {}
        self._balances: dict[str, Decimal] = {}

    def follow(self, event: Event, changes: Sequence[Record]) -> None:
        """Live through a turn of the run. A signal that came again has no new decision, and closes
        nothing here either."""
        if isinstance(event, Started):
            self.begin(event.policy)
        for record in changes:
            if isinstance(record, Account):
                self._balances[record.va_id] = record.balance
        if not isinstance(event, SignalReceived):
            return
        for record in changes:
            if isinstance(record, Decision) and record.signal_id == event.signal.signal_id:
                self.signal(event, record.decided_at_ns)
                balance = self._balances.get(record.va_id)
                if record.reason is not None and balance is not None:
                    self.refuse(event, record, balance)

    def begin(self, policy: Policy) -> None:
        """A start of the engine under this policy."""
        self._rules = policy
        if self._played is not None:
            return
        own = replace(
            policy,
            limits=_NO_LIMITS,
            limits_by_va={},
            position_mode=PositionMode.HEDGE,
            reduce_only_mode=ReduceOnlyMode.CLIP,
            abilities=Abilities(),
            global_max_daily_loss=None,
            global_max_drawdown_percentage=None,
            global_max_orders_per_minute=None,
            kill_on_mismatch_cycles=None,
            kill_on_naked_ns=None,
            kill_on_storage_ns=None,
            kill_switch_enabled=False,
        )
        self._played = Modelled(Desk(own, _CODE), self._fee_bps)
        self._played.turn(Started("", _CODE, own, ()), 0)
        self._played.turn(Compared(True, 0, 0, ""), 0)

    def see(self, quote: Quote) -> None:
        """A quote has become known."""
        if self._played is not None:
            self._played.see(quote)

    def seen(self, quotes: Iterator[Quote]) -> Iterator[Quote]:
        """Look on while quotes pass by: only at those of symbols that are held."""
        for quote in quotes:
            if self._played is not None and quote.symbol in self._played.held:
                self._played.see(quote)
            yield quote

    def refuse(self, event: SignalReceived, decision: Decision, balance: Decimal) -> None:
        """A signal was refused, of an account with this balance."""
        signal, played = event.signal, self._played
        if played is None or signal.signal_id in self._by_signal:
            return
        self._by_signal[signal.signal_id] = None
        is_exit = signal.side is SignalSide.CLOSE or signal.reduce_only
        if is_exit or decision.action is Action.EXIT or event.mark is None:
            return
        shadow = _Shadow(str(len(self._by_signal)), signal.symbol, signal.side, balance)
        now_ns = max(decision.decided_at_ns, played.desk.now_ns)
        played.see(event.mark)
        played.turn(AccountOpened(shadow.va_id, balance), now_ns)
        answer = self._ask(played, replace(event, signal=self._alone(signal, shadow)), now_ns)
        if answer is not None and answer.outcome is Outcome.ACCEPTED:
            self._by_signal[signal.signal_id] = shadow
            self._live.setdefault((signal.va_id, signal.symbol), []).append(shadow)

    def _alone(self, signal: Signal, shadow: _Shadow) -> Signal:
        stop = signal.stop_loss_percentage
        if signal.stop_loss is None and stop is None and self._rules is not None:
            stop = self._rules.limits_of(signal.va_id).stop_loss_percentage
        return replace(
            signal,
            signal_id=shadow.va_id,
            va_id=shadow.va_id,
            stop_loss_percentage=stop,
            market_position=None,
            market_position_size=None,
            ttl_ns=None,
        )

    def signal(self, event: SignalReceived, now_ns: int) -> None:
        """A further signal has come: it closes what it would have closed."""
        signal, played = event.signal, self._played
        live = self._live.get((signal.va_id, signal.symbol))
        if not live or played is None:
            return
        for shadow in [each for each in live if each.side is not signal.side]:
            own = replace(
                signal,
                signal_id=f"{signal.signal_id}/{shadow.va_id}",
                va_id=shadow.va_id,
                reduce_only=True,
                market_position=None,
                market_position_size=None,
                ttl_ns=None,
            )
            self._ask(played, replace(event, signal=own), now_ns)
        self._live[signal.va_id, signal.symbol] = [
            each for each in live if played.desk.books.open_positions(each.va_id)
        ]

    @staticmethod
    def _ask(played: Modelled, event: SignalReceived, now_ns: int) -> Decision | None:
        alone = replace(
            event,
            window=Window(0, _NEVER_NS),
            first=None,
            source="",
            line=0,
            is_opening=False,
            is_clock_doubtful=False,
            entries_held="",
        )
        return played.turn(alone, max(now_ns, played.desk.now_ns)).decision

    def by_rule(self, refused: Iterable[tuple[str, Reason]]) -> dict[Reason, ByRule]:
        """What each rule refused among these signals, and what that would have brought, in the
        order of the rules."""
        counts: Counter[Reason] = Counter()
        earned: dict[Reason, Decimal] = {}
        with exact():
            for signal_id, reason in refused:
                counts[reason] += 1
                earned[reason] = earned.get(reason, ZERO) + self._earned(signal_id)
        return {
            reason: ByRule(counts[reason], earned[reason]) for reason in Reason if counts[reason]
        }

    def _earned(self, signal_id: str) -> Decimal:
        shadow, played = self._by_signal.get(signal_id), self._played
        if shadow is None or played is None:
            return ZERO
        equity = played.desk.books.equity(shadow.va_id, played.quotes.get(shadow.symbol))
        return ZERO if equity is None else equity - shadow.balance

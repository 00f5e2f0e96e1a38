"""The whole run again, event by event, from the input files (RULES 2, 3, 14-17, 21-23).

Readings taken where the text leaves two. The first word is the name under which `Replay.notes`
counts how often the other reading could have changed something:

* unpriced: an entry that nobody could price (no valid quote) is not measured for size and leverage;
* other_symbol: `close` of another symbol than the leased one is refused SYMBOL_LOCKED, the first
  breach;
* exiting: what is already being exited cannot be asked for again: NOTHING_TO_CLOSE;
* working: `close` and opposite signals act on what is filled, not on an entry that is still on its
  way; against nothing but an entry of the other direction a signal is refused OPPOSING_EXPOSURE;
* partial_overlap: the overlap of RULES 21 also covers an exit smaller than the stop; afterwards the
  stop is cancelled and a stop for the rest placed when that is confirmed;
* more_exits: a second exit of a position waits for the first to end;
* stop_late, exit_late: a triggered stop or an exit that waits for displayed size beyond the
  protection deadline is left to fill, each fill after the deadline counted.

RULES 16 cancels entries that work when a cooldown starts, and RULES 8 those whose quote breaks a
limit. Here a cancel always reaches the venue after the immediate-or-cancel order that it is for:
neither can change anything.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.audit.books import ZERO, Account, Fill, Position, Trade
from tests.audit.cover import Cover
from tests.audit.inputs import SECOND_NS, Quote, Settings, Signal, Unmodelled
from tests.audit.paper import ENTRY, EXIT, STOP, Order, Paper, Report
from tests.audit.rules import Decision, Standing, is_through, judge_entry, stop_trigger

SIDE_OPENED = {"buy": "long", "sell": "short"}


@dataclass
class Replay:
    """The run so far. `newest` is the newest quote of a symbol, `marks` the last valid one."""

    settings: Settings
    paper: Paper
    accounts: dict[str, Account]
    newest: dict[str, Quote] = field(default_factory=dict)
    marks: dict[str, Quote] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    duplicates: int = 0
    fills: list[Fill] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    cover: Cover = field(default_factory=lambda: Cover(0))
    quotes: int = 0
    now_ns: int = 0
    _signals: dict[int, Signal] = field(default_factory=dict)
    _positions: dict[int, Position] = field(default_factory=dict)
    _first_fill_ns: dict[Order, int] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings) -> "Replay":
        accounts = {
            va_id: Account.of(va_id, start, settings)
            for va_id, start in settings.accounts().items()
        }
        deadline_ns = settings.nanoseconds("PROTECTION_DEADLINE_SECONDS", SECOND_NS)
        return cls(settings, Paper(settings), accounts, cover=Cover(deadline_ns))

    def run(self, quotes: Iterable[Quote], signals: Iterable[Signal]) -> None:
        """RULES 2: at one instant quotes in file order, arrivals at the venue, timers, then
        signals."""
        rows = iter(quotes)
        waiting = iter(signals)
        quote, signal = next(rows, None), next(waiting, None)
        while True:
            times = [item.ts_ns for item in (quote, signal) if item is not None]
            arrival_ns = self.paper.next_arrival_ns()
            if arrival_ns is not None:
                times.append(arrival_ns)
            if not times:
                self.cover.go_on(self.now_ns + 1)
                return
            self._advance(min(times))
            reports = []
            while quote is not None and quote.ts_ns == self.now_ns:
                reports += self._take_quote(quote)
                quote = next(rows, None)
            self._take([*reports, *self.paper.arrive(self.now_ns)])
            if self.now_ns % SECOND_NS == 0:
                self._sample_holders()
            while signal is not None and signal.ts_ns <= self.now_ns:
                self._take_signal(signal)
                signal = next(waiting, None)

    def _advance(self, now_ns: int) -> None:
        """Go on to `now_ns`. Nothing happens in the whole seconds between: one sample stands for
        all of them."""
        if (self.now_ns // SECOND_NS + 1) * SECOND_NS < now_ns:
            self._sample_holders()
        self.now_ns = now_ns
        self.cover.go_on(now_ns)

    def _sample_holders(self) -> None:
        for account in self.accounts.values():
            if account.positions:
                account.sample(self.marks)

    def _take_quote(self, quote: Quote) -> list[Report]:
        """What a row does at the venue; it is reported once all rows of the instant are in."""
        self.quotes += 1
        self.newest[quote.symbol] = quote
        if quote.is_valid:
            self.marks[quote.symbol] = quote
        return list(self.paper.on_quote(quote))

    # --- signals ---

    def _take_signal(self, signal: Signal) -> None:
        first = self.decisions.get(signal.signal_id)
        if first is not None:
            if replace(signal, line=first.signal.line) != first.signal:
                raise Unmodelled(f"signal id {signal.signal_id} reused on line {signal.line}")
            self.duplicates += 1
            return
        self.decisions[signal.signal_id] = self._decide(signal)

    def _decide(self, signal: Signal) -> Decision:
        account = self.accounts.get(signal.va_id)
        if account is None:
            return Decision(signal, "refused", "UNKNOWN_ACCOUNT")
        if account.symbol not in (None, signal.symbol):
            self.notes["other_symbol"] += signal.side == "close"
            return Decision(signal, "refused", "SYMBOL_LOCKED")
        wanted = SIDE_OPENED.get(signal.side)
        held = account.positions[0].side if account.positions else None
        if wanted is None or (held is not None and held != wanted):
            return self._decide_exit(signal, account)
        if any(order.position_side != wanted for order in account.working):
            self.notes["working"] += 1
            return Decision(signal, "refused", "OPPOSING_EXPOSURE")
        if not self.settings.is_hedged and self._is_opposed(account, signal.symbol, wanted):
            return Decision(signal, "refused", "OPPOSING_EXPOSURE")
        return self._decide_entry(signal, account)

    def _is_opposed(self, account: Account, symbol: str, wanted: str) -> bool:
        """Whether another VA holds, or works an entry in, the other side of a symbol: in net mode
        the venue would set the two off (RULES 11)."""
        others = [other for other in self.accounts.values() if other is not account]
        held = (item.entry for other in others for item in other.positions)
        working = (order for other in others for order in other.working)
        return any(
            order.symbol == symbol and order.position_side != wanted for order in (*held, *working)
        )

    def _decide_exit(self, signal: Signal, account: Account) -> Decision:
        """First in, first out, one exit per position (RULES 15); clipped, never a flip (RULES
        10)."""
        self.notes["working"] += bool(account.working)
        self.notes["exiting"] += any(position.closing for position in account.positions)
        free = sum((position.free for position in account.positions), ZERO)
        if free == 0:
            return Decision(signal, "refused", "NOTHING_TO_CLOSE")
        asked = free if signal.quantity is None else min(signal.quantity, free)
        left = asked
        for position in list(account.positions):
            part = min(left, position.free)
            if part > 0:
                self.notes["more_exits"] += position.closing > 0
                left -= part
                position.closing += part
                position.closing_reason = position.closing_reason or "SIGNAL_EXIT"
                self._settle(account, position)
        return Decision(signal, "accepted", action="exit", quantity=asked)

    def _decide_entry(self, signal: Signal, account: Account) -> Decision:
        standing = Standing(
            exposure=account.exposure(),
            slots=len(account.positions) + len(account.working),
            equity=account.equity(self.marks),
            is_cooling=account.is_cooling(self.now_ns),
        )
        quote = self.newest.get(signal.symbol)
        self.notes["unpriced"] += quote is None or not quote.is_valid
        decision, _ = judge_entry(signal, self.now_ns, standing, quote, self.settings)
        if decision.outcome == "accepted" and decision.quantity is not None:
            self._signals[len(self._signals) + 1] = signal
            order = Order(
                owner=account.va_id,
                position_id=len(self._signals),
                kind=ENTRY,
                symbol=signal.symbol,
                side=signal.side,
                position_side=SIDE_OPENED[signal.side],
                quantity=decision.quantity,
                limit=decision.limit_price,
            )
            account.symbol = signal.symbol
            account.working.append(order)
            self.paper.send(order, self.now_ns)
        return decision

    # --- reports ---

    def _take(self, reports: Iterable[Report]) -> None:
        for report in reports:
            order, quantity = report.order, report.quantity or report.order.quantity
            name = str(order.number)
            self.cover.take(order.position_id, name, order.kind, report.word, quantity)
            account = self.accounts[report.order.owner]
            if report.order.kind == ENTRY:
                self._take_entry(report, account)
            else:
                self._take_reduction(report, account)
            if not (account.positions or account.working or account.resting):
                account.symbol = None

    def _take_entry(self, report: Report, account: Account) -> None:
        order = report.order
        if report.is_last:
            account.working.remove(order)
        if report.word != "TRADE":
            return
        signal = self._signals[order.position_id]
        is_level = signal.stop_loss is not None
        percentage = self.settings.number("STOP_LOSS_PERCENTAGE", account.va_id)
        base = report.price if signal.stop_loss is None else signal.stop_loss
        trigger = stop_trigger(order.position_side, base, is_level, percentage)
        position = account.open_position(report, trigger, signal.signal_id)
        self._positions[order.position_id] = position
        self._booked(report, account)
        self._settle(account, position)

    def _take_reduction(self, report: Report, account: Account) -> None:
        order = report.order
        position = self._positions[order.position_id]
        if report.word == "TRADE":
            self._book_reduction(report, account, position)
        if report.is_last:
            account.resting.remove(order)
            position.stop = None if position.stop is order else position.stop
            position.exit = None if position.exit is order else position.exit
        if report.word == "REJECTED":
            if order.kind == EXIT:
                raise Unmodelled(f"exit {order.number} of {order.owner} rejected")
            self._close_all(position, "STOP_REJECTED")
        self._settle(account, position)

    def _book_reduction(self, report: Report, account: Account, position: Position) -> None:
        order = report.order
        account.reduce(position, report)
        if order.kind == EXIT:
            position.closing -= report.quantity
        else:
            self.notes["stop_filled_while_exiting"] += position.closing > 0
            position.closing = min(position.closing, position.quantity)
        since_ns = self._first_fill_ns.setdefault(order, self.now_ns)
        deadline_ns = self.settings.nanoseconds("PROTECTION_DEADLINE_SECONDS", SECOND_NS)
        self.notes[f"{order.kind}_late"] += self.now_ns - since_ns > deadline_ns
        if position.quantity == 0:
            reason = position.closing_reason if order.kind == EXIT else "STOP_LOSS"
            self.trades.append(account.close(position, self.now_ns, reason))
        self._booked(report, account)

    def _booked(self, report: Report, account: Account) -> None:
        """RULES 17: equity is sampled at each fill."""
        order = report.order
        self.fills.append(
            Fill(
                account.va_id,
                order.kind,
                order.side,
                report.quantity,
                report.price,
                report.fee,
                report.ts_ns,
            )
        )
        account.sample(self.marks)

    # --- what must be true now ---

    def _close_all(self, position: Position, reason: str) -> None:
        position.closing = position.quantity
        position.closing_reason = position.closing_reason or reason

    def _settle(self, account: Account, position: Position) -> None:
        """Send what one position needs: its exit, its stop, or the cancel of a stop in the way."""
        if position.quantity == 0:
            for order in (position.stop, position.exit):
                self._withdraw(order)
            return
        self._exit(account, position)
        stop = position.stop
        uncovered = position.quantity - position.closing
        if stop is None and uncovered > 0:
            self._protect(account, position, uncovered)
        elif stop is not None and not stop.is_triggered and not position.closing:
            self._fit(stop, position)

    def _fit(self, stop: Order, position: Position) -> None:
        """A stop that covers more than is held goes; what is held gets a new one."""
        if stop.leaves != position.quantity:
            self._withdraw(stop)

    def _exit(self, account: Account, position: Position) -> None:
        """RULES 21: past a resting stop only if this VA alone holds the symbol and side; else the
        stop goes first."""
        if position.closing == 0:
            return
        if position.exit is not None:
            return
        if position.stop is not None:
            if position.stop.is_triggered:
                return  # it is trading: it is the exit
            if not (self.settings.clips and self._is_only_holder(account, position)):
                self._withdraw(position.stop)
                return
            self.notes["overlap"] += 1
            self.notes["partial_overlap"] += position.closing < position.stop.leaves
        position.exit = self._reduce_order(position, EXIT, position.closing)
        account.resting.append(position.exit)
        self.paper.send(position.exit, self.now_ns)

    def _protect(self, account: Account, position: Position, quantity: Decimal) -> None:
        """A stop for what is open; an exit at market where the market is already through it (RULES
        23)."""
        if is_through(position.side, self.marks[position.entry.symbol], position.trigger):
            self.notes["stop_crossed"] += 1
            self._close_all(position, "STOP_CROSSED")
            self._exit(account, position)
            return
        position.stop = self._reduce_order(position, STOP, quantity)
        account.resting.append(position.stop)
        self.paper.send(position.stop, self.now_ns)

    def _withdraw(self, order: Order | None) -> None:
        if order is not None and not order.is_cancel_sent:
            self.paper.cancel(order, self.now_ns)

    def _reduce_order(self, position: Position, kind: str, quantity: Decimal) -> Order:
        entry = position.entry
        return Order(
            owner=entry.owner,
            position_id=entry.position_id,
            kind=kind,
            symbol=entry.symbol,
            side=position.closing_side,
            position_side=position.side,
            quantity=quantity,
            trigger=position.trigger if kind == STOP else None,
        )

    def _is_only_holder(self, account: Account, position: Position) -> bool:
        entry = position.entry
        for other in self.accounts.values():
            if other is account or other.symbol != entry.symbol:
                continue
            held = (item.side for item in other.positions)
            working = (order.position_side for order in other.working)
            if position.side in (*held, *working):
                return False
        return True

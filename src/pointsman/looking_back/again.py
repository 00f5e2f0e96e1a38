"""The first level: the recorded events are decided again, under other limits (RULES 54).

The desk is the engine's own, fed with what the journal holds. As long as it does what it did then,
everything that follows is what really followed: so without a change the records come out as they
were, exactly. An order that it makes now and did not make then is played on the quotes that the
journal holds (`modelled.py`); reports of one that it no longer makes are left out.

Invariants: an entry keeps its number, so that its orders are known by the ids that the venue
reported; an order is either real, and the venue's recorded words are all that is heard of it, or
modelled, and none of them is.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from pointsman.domain import events as ev
from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.commands import Cancel, Command, Query, Step, Submit
from pointsman.domain.events import Event, ReportWord
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO
from pointsman.domain.orders import Order
from pointsman.domain.policy import Policy
from pointsman.domain.positions import Funding
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision
from pointsman.domain.timers import Timer, TimerKind
from pointsman.errors import PointsmanError
from pointsman.execution.desk import Desk
from pointsman.execution.loading import govern_by, number_next
from pointsman.looking_back.changes import Changes, Period
from pointsman.looking_back.modelled import Modelled
from pointsman.storage.ahead import Ahead
from pointsman.storage.journal import Turn

NUMBERS_FROM = 10**9
"""Entries that were not made then get numbers from here on: none that was given."""

_OF_ACCOUNTS = (TimerKind.COOLDOWN_END, TimerKind.OPENING_DEADLINE)
_TERMS = (
    "quantity", "side", "position_side", "order_type", "limit_price", "trigger_price", "stop_level",
    "stop_percentage", "take_profit",
)  # fmt: skip
"""What must be alike for an order to be the one that was sent."""
_ABOUT_ORDERS = (
    ev.OrderReport, ev.CancelRefused, ev.NotSent, ev.OrderAbsent, ev.OrderSent, ev.SendRefused,
)  # fmt: skip

replace = msgspec.structs.replace


class CannotDecide(PointsmanError):
    """A row of the journal cannot be decided again."""


class Again:
    """One pass over a journal. `changes` hold within `period`; before and after it all is as it
    was."""

    def __init__(self, changes: Changes, period: Period, fee_bps: Decimal) -> None:
        self.records = Ahead()
        self.decided: dict[str, Decision] = {}
        self.last_ns = 0
        self.changes = changes
        self._hours = changes.hours()
        self._period = period
        self._rules: Policy | None = None
        self._is_changed = False
        self._fee_bps = fee_bps
        self._played: Modelled | None = None
        self._is_apart = False
        self._then = _Then()
        self._known: dict[str, None] = {}
        self._due: list[Timer] = []
        self._number = NUMBERS_FROM

    @property
    def is_modelled(self) -> bool:
        """Whether anything in the result never happened at a venue."""
        return self._played is not None and self._played.is_used

    def take(self, turn: Turn) -> None:
        """Decide the next turn. Raises CannotDecide."""
        event = turn.event
        if event is None:
            raise CannotDecide(
                f"row {turn.sequence} of the journal was written by another version, which this"
                " one cannot read; use the version that wrote it"
            )
        if isinstance(event, ev.Started):
            self._rules = event.policy
            self._is_changed = self._period.has(turn.time_ns)
            event = replace(event, policy=self._policy(event.policy))
            if self._played is None:
                desk = Desk(event.policy, event.code)
                self._played = Modelled(desk, self._fee_bps, self._is_real, self._took)
        if self._played is None:
            raise CannotDecide("the journal does not begin with a start of the engine")
        try:
            self._decide(self._played, turn, event)
        except (ArithmeticError, AssertionError, LookupError, TypeError, ValueError) as error:
            what = f"{type(error).__name__}: {error}"
            raise CannotDecide(
                f"row {turn.sequence} of the journal ({turn.kind}) cannot be decided under these"
                f" settings ({what})"
            ) from error
        self.last_ns = turn.time_ns

    def _policy(self, recorded: Policy) -> Policy:
        return self.changes.policy(recorded) if self._is_changed else recorded

    def _keep_period(self, played: Modelled, now_ns: int) -> None:
        """Change the policy where the period begins, and back where it ends."""
        is_in = self._period.has(now_ns)
        if is_in != self._is_changed and self._rules is not None:
            self._is_changed = is_in
            govern_by(played.desk.books, self._policy(self._rules))

    def _decide(self, played: Modelled, turn: Turn, event: Event) -> None:
        self._keep_period(played, turn.time_ns)
        self._fire(played, turn.time_ns)
        for quote in quotes_of(event):
            played.see(quote)
        self._then.take(turn)
        here = self._in_this_world(played, event)
        if here is None:
            self._is_apart = True
        elif isinstance(here, ev.SignalReceived):
            self._judge(played, here, max(turn.time_ns, played.desk.now_ns))
        else:
            played.turn(here, max(turn.time_ns, played.desk.now_ns))
        self._open(played, turn)
        while (timer := played.desk.due_timer(turn.time_ns)) is not None:
            self._due.append(timer)
        if isinstance(event, ev.TimerFired):
            self._due = [timer for timer in self._due if timer != event.timer]

    def _took(self, step: Step) -> None:
        self.records.take_turn(step.changes)
        for record in step.changes:
            if type(record) is Order:
                self._known[record.client_order_id] = None
            elif type(record) is Decision:
                self.decided[record.signal_id] = record

    def refusals(self) -> Iterator[tuple[str, Reason]]:
        """The signals that were refused within the period, each with its rule."""
        for signal_id, decision in self.decided.items():
            if decision.reason is not None and self._period.has(decision.decided_at_ns):
                yield signal_id, decision.reason

    def balance_of(self, va_id: str) -> Decimal | None:
        """What an account has now; None where there is none."""
        account = None if self._played is None else self._played.desk.books.accounts.get(va_id)
        return None if account is None else account.balance

    def _fire(self, played: Modelled, now_ns: int) -> None:
        """Wake-ups of this world that were not of that one, before what happens at `now_ns`. What
        mattered then stands in the journal."""
        while (timer := played.desk.due_timer(now_ns - 1)) is not None:
            self._due.append(timer)
        waiting = []
        for timer in self._due:
            if timer.due_ns >= now_ns:
                waiting.append(timer)
            elif timer.kind in _OF_ACCOUNTS or timer.key in played.orders:
                fired = ev.TimerFired(timer, self._mark_for(played, timer))
                played.turn(fired, max(timer.due_ns, played.desk.now_ns))
        self._due = waiting

    @staticmethod
    def _mark_for(played: Modelled, timer: Timer) -> Quote | None:
        order = played.desk.books.orders.get(timer.key)
        return None if order is None else played.quotes.get(order.symbol)

    def _open(self, played: Modelled, turn: Turn) -> None:
        """Opening parts of reversals that came due in this world alone."""
        if not self._is_apart:
            return
        for signal in played.desk.due_openings():
            quote = played.quotes.get(signal.symbol)
            like = turn.event
            day_start_ns = getattr(like, "day_start_ns", 0)
            window = getattr(like, "window", None)
            opening = ev.SignalReceived(
                signal=signal, quote=quote, mark=quote, window=window,
                day_start_ns=day_start_ns, is_opening=True,
            )  # fmt: skip
            self._judge(played, opening, max(turn.time_ns, played.desk.now_ns))

    # -- what of that world is true in this one ----------------------------------------------------

    def _in_this_world(self, played: Modelled, event: Event) -> Event | None:
        """The event as it happens here; None where it does not."""
        if isinstance(event, _ABOUT_ORDERS):
            return self._about_order(played, event, event.client_order_id)
        if isinstance(event, ev.SignalReceived):
            return self._signal(played, event)
        if not self._is_apart:
            return event
        if isinstance(event, ev.Marked):
            return self._marked(played, event)
        if isinstance(event, ev.Compared):
            unseen = tuple(
                key
                for key in event.unseen_orders
                if key in self._known and key not in played.orders
            )
            return replace(event, unseen_orders=unseen)
        if isinstance(event, ev.FundingPaid | ev.ChargePaid):
            amount = self._then.paid_on(played.desk.books.positions)
            return replace(event, amount=amount) if amount else None
        if isinstance(event, ev.OrderAdopted):
            return event if event.order.position_id in played.desk.books.positions else None
        return None if isinstance(event, ev.HoldingDiffers) else event

    def _about_order(self, played: Modelled, event: Event, order_id: str) -> Event | None:
        if order_id in played.orders:
            return None
        if order_id in self._known:
            order = played.desk.books.orders.get(order_id)
            if self._was_asked_for(event, order):
                assert order is not None
                played.rest(order)
                return None
            return self._clipped(played, event, order)
        return None if order_id in self._then.orders else event

    def _clipped(self, played: Modelled, event: Event, order: Order | None) -> Event | None:
        """An exit that took more then than its position holds here takes what there is, and
        ends."""
        if not isinstance(event, ev.OrderReport) or event.fill is None or order is None:
            return event
        position = played.desk.books.positions.get(order.position_id)
        held = ZERO if position is None or not position.is_live else position.quantity
        if not self._is_apart or not order.reduce_only or event.fill.quantity <= held:
            return event
        if held > ZERO:
            fee = event.fill.fee * held / event.fill.quantity
            fill = replace(event.fill, quantity=held, fee=fee, cumulative=None)
            played.turn(replace(event, fill=fill), max(event.ts_ns, played.desk.now_ns))
        played.end(order)
        return None

    def _was_asked_for(self, event: Event, order: Order | None) -> bool:
        """Whether an order ended then because the desk cancelled it, and it does not do so now."""
        is_end = isinstance(event, ev.CancelRefused) or (
            isinstance(event, ev.OrderReport) and event.kind is ReportWord.CANCELED
        )
        if not is_end or order is None or order.is_cancel_pending or not order.is_resting_stop:
            return False
        return order.client_order_id in self._then.cancelled

    def _signal(self, played: Modelled, event: ev.SignalReceived) -> Event | None:
        signal, at_ns = event.signal, max(played.desk.now_ns, self._then.now_ns)
        if self._hours is not None and self._is_changed:
            own = self._hours(signal.va_id)
            event = replace(
                event, window=own.window_at(at_ns), day_start_ns=own.day_start_ns(at_ns)
            )
        account = played.desk.books.accounts.get(signal.va_id)
        waits = None if account is None else account.opening
        is_waiting = waits is not None and waits.signal == signal
        return event if is_waiting or not event.is_opening else None

    def _judge(self, played: Modelled, event: ev.SignalReceived, now_ns: int) -> None:
        """Decide a signal. What it opens gets the number that it had, or else one of its own."""
        books, then = played.desk.books, self._then.numbers.get(event.signal.signal_id)
        before = books.desk.next_number
        number = self._number if then is None else then
        if number != before:
            number_next(books, number)
        played.turn(event, now_ns)
        if then is None:
            self._number = max(self._number, books.desk.next_number)
            number_next(books, before)

    @staticmethod
    def _marked(played: Modelled, event: ev.Marked) -> Event:
        books, marks = played.desk.books, {mark.symbol: mark for mark in event.marks}
        for va_id in books.holding_accounts:
            symbol = books.accounts[va_id].leased_symbol or ""
            if symbol in played.quotes:
                marks.setdefault(symbol, played.quotes[symbol])
        return replace(event, marks=tuple(marks.values()))

    def _is_real(self, command: Command) -> bool:
        """Whether the venue was really asked for this, so that its recorded words answer."""
        played = self._played
        assert played is not None
        if isinstance(command, Submit):
            order_id = command.order.client_order_id
            if order_id not in played.orders and self._then.made(command.order):
                return True
        elif isinstance(command, Cancel):
            order_id = command.client_order_id
            if order_id not in played.orders and order_id in self._then.cancelled_now:
                return True
        elif isinstance(command, Query):
            return command.client_order_id not in played.orders
        else:
            return True
        self._is_apart = True
        return False


class _Then:
    """What the journal says of orders: which were made and cancelled so far, which in the turn at
    hand."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.orders: dict[str, Order] = {}
        self.cancelled: dict[str, None] = {}
        self.cancelled_now: dict[str, None] = {}
        self.numbers: dict[str, int] = {}
        self._fundings: list[Funding] = []

    def take(self, turn: Turn) -> None:
        self.now_ns = turn.time_ns
        self.cancelled_now, self._fundings = {}, []
        for record in turn.changes:
            if isinstance(record, Order):
                self._take_order(record)
            elif isinstance(record, Decision):
                self._take_decision(record)
            elif isinstance(record, Funding):
                self._fundings.append(record)

    def _take_order(self, order: Order) -> None:
        self.orders.setdefault(order.client_order_id, order)
        if order.is_cancel_pending:
            self.cancelled[order.client_order_id] = self.cancelled_now[order.client_order_id] = None

    def _take_decision(self, decision: Decision) -> None:
        parts = parse_client_order_id(decision.client_order_id or "")
        if parts is not None:
            self.numbers[decision.signal_id] = parts.number

    def made(self, order: Order) -> bool:
        """Whether this order was made then too, on the same terms."""
        then = self.orders.get(order.client_order_id)
        return then is not None and all(
            getattr(then, name) == getattr(order, name) for name in _TERMS
        )

    def paid_on(self, positions: Mapping[int, object]) -> Decimal:
        """What of a payment was for positions that are held here too."""
        paid = (each.amount for each in self._fundings if each.position_id in positions)
        return sum(paid, ZERO)


def quotes_of(event: Event) -> Iterator[Quote]:
    """The quotes that an event shows, older ones first."""
    if isinstance(event, ev.Marked):
        yield from event.marks
        return
    for name in ("mark", "quote"):
        quote = getattr(event, name, None)
        if quote is not None:
            yield quote

"""Short stories for tests of the pure desk: a policy, a desk that is ready, a market, signals, and
an entry driven through the one door to a position that rests behind its stop.

Every function that tells the desk something goes through `Desk.handle`, at the desk's own time plus
`after_ns`, and gives back what came of it. Amounts are written as text, as in the rules.
"""

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from pointsman.domain.accounts import Account, Incident
from pointsman.domain.commands import Cancel, Command, Record, Step, Submit
from pointsman.domain.events import (
    Compared,
    Event,
    Marked,
    OrderReport,
    OrderSent,
    ReportWord,
    SignalReceived,
    Started,
    TimerFired,
    VenueFill,
)
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.orders import Order, Role
from pointsman.domain.policy import Limits, Policy, PositionMode, ReduceOnlyMode
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import EntrySides, SignalSide
from pointsman.domain.signals import Check, Decision, Signal, Window
from pointsman.execution.desk import Desk

SECOND_NS = 10**9
MILLISECOND_NS = 10**6
DAY_NS = 86_400 * SECOND_NS
MIDNIGHT_NS = 1_514_869_200 * SECOND_NS
"""2018-01-02 00:00 in New York."""

START_NS = 1_514_903_400 * SECOND_NS
"""2018-01-02 09:30 in New York."""

WINDOW = Window(START_NS, START_NS + 23_400 * SECOND_NS)
VA = "VA001"
XXX = Instrument("XXX", Decimal("0.01"), Decimal(1), Decimal(1), Decimal(0), "USD")
YYY = msgspec.structs.replace(XXX, symbol="YYY")

DEFAULT_LIMITS = Limits(
    max_loss_cooldown=3,
    cooldown_ns=300 * SECOND_NS,
    max_spread_bps=Decimal(10),
    max_slippage_bps=Decimal(5),
    max_latency_ns=500 * MILLISECOND_NS,
    max_price_deviation_bps=Decimal(500),
    max_position_size=Decimal(10_000),
    max_open_positions=5,
    max_leverage=Decimal(1),
    stop_loss_percentage=Decimal(2),
    max_stop_loss_percentage=Decimal(10),
    entry_sides=EntrySides.BOTH,
)
"""The defaults of the settings."""

_T = TypeVar("_T")


def limits(**changes: Any) -> Limits:
    """The default limits with changes."""
    return msgspec.structs.replace(DEFAULT_LIMITS, **changes)


OF_NOBODY = msgspec.structs.replace(
    DEFAULT_LIMITS,
    max_loss_cooldown=1,
    cooldown_ns=1,
    max_open_positions=0,
    max_position_size=Decimal(0),
    max_orders_per_minute=0,
    max_spread_bps=Decimal(0),
    max_latency_ns=0,
    max_slippage_bps=Decimal(0),
    max_daily_loss=Decimal(0),
    max_drawdown_percentage=Decimal(0),
    max_leverage=Decimal("0.001"),
    stop_loss_percentage=Decimal("0.1"),
    max_stop_loss_percentage=Decimal("0.1"),
    entry_sides=EntrySides.SHORT,
)
"""Limits under which nothing goes: who takes them for those of a VA is found out."""


def policy(own: Limits = DEFAULT_LIMITS, **changes: Any) -> Policy:
    """The default policy: hedge mode, a venue that clips, and changes. VA001 to VA009 each have
    their `own` limits and the general ones are those of nobody, unless `limits_by_va` says whose
    are others: then `own` are general."""
    default = Policy(
        limits=own if "limits_by_va" in changes else OF_NOBODY,
        limits_by_va={f"VA00{number}": own for number in range(1, 10)},
        instruments={"XXX": XXX, "YYY": YYY},
        position_mode=PositionMode.HEDGE,
        reduce_only_mode=ReduceOnlyMode.CLIP,
        protection_deadline_ns=2 * SECOND_NS,
        submit_timeout_ns=5 * SECOND_NS,
        order_settle_ns=10 * SECOND_NS,
        reconcile_interval_ns=5 * SECOND_NS,
    )
    return msgspec.structs.replace(default, **changes)


def ready_desk(
    rules: Policy | None = None,
    accounts: tuple[str, ...] = (VA,),
    balance: str = "100000",
    now_ns: int = START_NS,
) -> Desk:
    """A desk that has been started and compared, each VA with `balance`."""
    rules = rules or policy()
    desk = Desk(rules, "ABCDEF")
    balances = tuple((va_id, Decimal(balance)) for va_id in accounts)
    desk.handle(Started("test", "ABCDEF", rules, balances), now_ns)
    desk.handle(Compared(True, now_ns, 0, ""), now_ns)
    return desk


# -- the market ------------------------------------------------------------------------------------


def limited(balance: str = "100000", **changes: Any) -> Desk:
    """A ready desk whose limits are changed; positions may be of any size."""
    generous: dict[str, Any] = {"max_position_size": Decimal(10**9)}
    return ready_desk(policy(limits(**(generous | changes))), balance=balance)


def quote(
    ts_ns: int, bid: str = "99.99", ask: str = "100.01", symbol: str = "XXX", size: str = "1000"
) -> Quote:
    """A quote around 100 with a spread of 2 bps, `size` on both sides."""
    return Quote(symbol, ts_ns, Decimal(bid), Decimal(size), Decimal(ask), Decimal(size))


# -- signals ---------------------------------------------------------------------------------------


def signal(signal_id: str, side: str = "buy", quantity: str | None = "10", **fields: Any) -> Signal:
    """A signal for VA001 on XXX; `close` is reduce-only, as the reader of signals makes it."""
    size = None if quantity is None else Decimal(quantity)
    plain: dict[str, Any] = {"va_id": VA, "symbol": "XXX", "reduce_only": side == "close"}
    return Signal(signal_id, side=SignalSide(side), quantity=size, **(plain | fields))


def send(desk: Desk, sent: Signal, after_ns: int = 0, **fields: Any) -> Step:
    """Give the desk a signal with a fresh quote, an open window and the day's start; `fields`
    replace what the event carries."""
    now_ns = desk.now_ns + after_ns
    fresh = fields.pop("quote", quote(now_ns, symbol=sent.symbol))
    mark = fresh if fresh is not None and fresh.is_valid else None
    known: dict[str, Any] = {"mark": mark, "window": WINDOW, "day_start_ns": MIDNIGHT_NS}
    return desk.handle(SignalReceived(sent, fresh, **(known | fields)), now_ns)


def decide(desk: Desk, sent: Signal, after_ns: int = 0, **fields: Any) -> Decision:
    """The decision on a signal given as by `send`."""
    decision = send(desk, sent, after_ns, **fields).decision
    assert decision is not None
    return decision


# -- the venue -------------------------------------------------------------------------------------


def tell(desk: Desk, event: Event, after_ns: int = 0) -> Step:
    """Give the desk any event."""
    return desk.handle(event, desk.now_ns + after_ns)


def order_sent(desk: Desk, order_id: str, after_ns: int = 0) -> Step:
    """The last gate let the order through."""
    return tell(desk, OrderSent(order_id), after_ns)


def report(
    desk: Desk,
    order_id: str,
    word: ReportWord,
    after_ns: int = 0,
    *,
    reason: Reason | None = None,
    mark: Quote | None = None,
) -> Step:
    """The venue says something about an order, but for a trade."""
    ts_ns = desk.now_ns + after_ns
    told = OrderReport(order_id, word, ts_ns, f"V{order_id}", reason=reason, mark=mark)
    return tell(desk, told, after_ns)


def trade(
    desk: Desk,
    order_id: str,
    quantity: str,
    price: str = "100",
    after_ns: int = 0,
    *,
    fee: str = "0",
    mark: Quote | None = None,
) -> Step:
    """The venue executes a part of an order; each call is a further execution."""
    ts_ns = desk.now_ns + after_ns
    known = desk.books.fill_keys.get(order_id, {})
    size, paid = Decimal(quantity), Decimal(fee)
    fill = VenueFill(f"T{order_id}-{len(known)}", size, Decimal(price), paid, ts_ns)
    told = OrderReport(order_id, ReportWord.TRADE, ts_ns, f"V{order_id}", fill, mark=mark)
    return tell(desk, told, after_ns)


def acknowledge(desk: Desk, step: Step) -> None:
    """Send every order of a step, and let the venue accept it."""
    for order in submits(step):
        order_sent(desk, order.client_order_id)
        report(desk, order.client_order_id, ReportWord.ACCEPTED)


def enter(desk: Desk, sent: Signal, price: str = "100", fee: str = "0") -> Position:
    """Drive an entry to a position that is filled at `price` and rests behind its stop."""
    step = send(desk, sent)
    assert step.decision is not None
    assert step.decision.client_order_id is not None, step.decision
    order_id, quantity = step.decision.client_order_id, step.decision.quantity
    acknowledge(desk, step)
    acknowledge(desk, trade(desk, order_id, str(quantity), price, fee=fee))
    return desk.books.positions[step.decision.position_ids[0]]


def stop_out(desk: Desk, position: Position, price: str, after_ns: int = 0, fee: str = "0") -> Step:
    """The venue fills the stop of a position, all of it, at `price`: below the entry of a long one
    that is a loss, above it a win."""
    (stop,) = desk.books.orders_of(position.position_id, Role.STOP)
    return trade(desk, stop.client_order_id, str(stop.leaves), price, after_ns, fee=fee)


def round_trip(desk: Desk, signal_id: str, price: str = "99", va_id: str = VA) -> Step:
    """Buy 10 at 100 and be stopped out at `price`; the step of the closing fill."""
    return stop_out(desk, enter(desk, signal(signal_id, va_id=va_id)), price)


# -- time ------------------------------------------------------------------------------------------


def pass_time(desk: Desk, after_ns: int) -> list[Step]:
    """Let time go by: every wake-up that falls due is fired at its moment, the end included."""
    until_ns, steps = desk.now_ns + after_ns, []
    while (due_ns := desk.next_due_ns()) is not None and due_ns <= until_ns:
        at_ns = max(due_ns, desk.now_ns)
        timer = desk.due_timer(at_ns)
        assert timer is not None
        steps.append(desk.handle(TimerFired(timer), at_ns))
    desk.handle(OrderSent("of nobody"), until_ns)
    return steps


def marked(desk: Desk, *quotes: Quote, after_ns: int = 0, day_start_ns: int = MIDNIGHT_NS) -> Step:
    """A whole second: the last valid quotes of what is held."""
    return tell(desk, Marked(quotes, day_start_ns), after_ns)


# -- what came of it -------------------------------------------------------------------------------


ACCEPTED = (None, None, None)


def refusal(decision: Decision) -> tuple[Reason | None, str | None, str | None]:
    """Which rule refused, its value and its limit; ACCEPTED where none did."""
    return decision.reason, decision.value, decision.limit


def check(decision: Decision, rule: Reason) -> Check:
    """What one rule measured; of a stop and a target that share their rule, the stop's."""
    (found,) = [one for one in decision.checks if one.rule is rule and one.unit != "take-profit"]
    return found


def submits(step: Step) -> list[Order]:
    """The orders that a step sends, in order."""
    return [command.order for command in of_type(step.commands, Submit)]


def cancels(step: Step) -> list[str]:
    """The client order ids that a step cancels, in order."""
    return [command.client_order_id for command in of_type(step.commands, Cancel)]


def incidents_of(step: Step) -> list[Incident]:
    return of_type(step.changes, Incident)


def incidents(step: Step) -> list[Reason]:
    """The kinds of the incidents of a step, in order."""
    return [incident.kind for incident in of_type(step.changes, Incident)]


def account(desk: Desk, va_id: str = VA) -> Account:
    """One VA as it is now."""
    return desk.books.accounts[va_id]


def of_type(found: tuple[Command, ...] | tuple[Record, ...], kind: type[_T]) -> list[_T]:
    """The commands or changed records of one type, in order."""
    return [one for one in found if isinstance(one, kind)]

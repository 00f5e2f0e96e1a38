"""One decision, with many accounts and with few: no rule may look at more than its own account."""

import random
import time
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from bench.table import Row, at_most
from pointsman.config.settings import resolve_settings
from pointsman.domain.events import Compared, SendRefused, SignalReceived, Started
from pointsman.domain.market import Quote
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Outcome, Signal, Window
from pointsman.execution.desk import Desk

FEW, MANY = 10, 100_000
ROUNDS = 15
DECISIONS = 1_000
NOW_NS = 1_800_000_000 * 10**9
QUOTE = Quote("ABC", NOW_NS, Decimal("99.99"), Decimal(500), Decimal("100.01"), Decimal(500))


def measure() -> list[Row]:
    """The rows of the table. Rounds are interleaved, and the best of each counts."""
    rng = random.Random(1)
    desks = {accounts: _desk(accounts) for accounts in (FEW, MANY)}
    best = dict.fromkeys(desks, float("inf"))
    for number in range(ROUNDS):
        for accounts, desk in desks.items():
            va_ids = [f"VA{rng.randrange(accounts)}" for _ in range(DECISIONS)]
            ns = _ns_per_decision(desk, va_ids, f"{number}")
            best[accounts] = min(best[accounts], ns)
    return [
        at_most(
            "CPU of a decision with 100,000 accounts",
            best[MANY] / best[FEW],
            1.1,
            f"{best[MANY] / 1000:.1f} us",
            f"10 accounts: {best[FEW] / 1000:.1f} us",
        )
    ]


def _desk(accounts: int) -> Desk:
    """A desk that is ready to decide."""
    policy = resolve_settings({}, None, {}).settings.policy({})
    desk = Desk(policy, "BENCHX")
    balances = tuple((f"VA{number}", Decimal(100_000)) for number in range(accounts))
    desk.handle(Started("bench", "BENCHX", policy, balances), NOW_NS)
    desk.handle(Compared(True, NOW_NS, 0, ""), NOW_NS)
    return desk


def _ns_per_decision(desk: Desk, va_ids: list[str], name: str) -> float:
    """The mean CPU time of an accepted entry; what ends its order again is not counted."""
    spent_ns = 0
    for event in _events(va_ids, name):
        began_ns = time.thread_time_ns()
        step = desk.handle(event, NOW_NS)
        spent_ns += time.thread_time_ns() - began_ns
        decision = step.decision
        assert decision is not None, event
        assert decision.outcome is Outcome.ACCEPTED, decision
        assert decision.client_order_id is not None, decision
        desk.handle(SendRefused(decision.client_order_id, Reason.ENTRY_WITHDRAWN), NOW_NS)
    return spent_ns / len(va_ids)


def _events(va_ids: list[str], name: str) -> Iterator[SignalReceived]:
    window = Window(NOW_NS, NOW_NS + 10**12)
    buy = Signal("", "", "ABC", SignalSide.BUY, quantity=Decimal(10), price=QUOTE.ask)
    for number, va_id in enumerate(va_ids):
        signal = msgspec.structs.replace(buy, signal_id=f"{name}-{number}", va_id=va_id)
        yield SignalReceived(signal, QUOTE, QUOTE, window, NOW_NS)

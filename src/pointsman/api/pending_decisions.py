"""Decisions on their way back to the sender of the signal.

The engine decides on its own thread. Invariants: a sender gets a decision only when it is
durable (RULES 29); an answer that nothing was decided is true, for the signal was
withdrawn before; and where that was too late, it is said that it may still be decided.
"""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import closing, suppress
from http import HTTPStatus
from urllib.parse import quote

import msgspec

from pointsman.api.ports import EnginePort
from pointsman.api.problems import HttpProblem
from pointsman.domain.commands import Step
from pointsman.domain.money import plain
from pointsman.domain.orders import Order
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision, Remarks, Signal
from pointsman.domain.timestamps import iso
from pointsman.engine.live_loop import InboxFull
from pointsman.execution.outbox import StorageHeld
from pointsman.reading.checks import failed_check, reason_document, rounding_text
from pointsman.reading.documents import Document
from pointsman.storage import queries
from pointsman.storage.reader import open_reader

DECIDE_SECONDS = 5.0  # not money: seconds
"""How long a sender waits at most."""

AGAIN = {"Retry-After": "1"}
ASK = "/api/v1/signals/{signal_id}"
"""Where to ask for a decision that was not told."""


class Pending(msgspec.Struct, frozen=True):
    """A signal that was offered, and what wakes the one who waits for it."""

    signal: Signal
    future: Future[Step]
    woken: asyncio.Future[None]


class Decisions:
    """Offers signals, and brings their decisions over to the server's loop: all that have come
    meanwhile with one wake-up. Used on that loop only; where the server is started again it has a
    new one, and what came for the old one is dropped."""

    def __init__(self, engine: EnginePort) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._came: list[asyncio.Future[None]] = []

    def offer(self, signal: Signal, source: str) -> Pending:
        """Have a signal decided; at once, or after those offered before it. Raises Problem 503."""
        try:
            future = self._engine.offer(signal, source)
        except InboxFull as full:
            raise unavailable(str(full)) from full
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        if loop is not self._loop:
            with self._lock:
                self._loop, self._came = loop, []

        def come(_future: Future[Step]) -> None:
            with self._lock:
                is_first = loop is self._loop and not self._came
                if loop is self._loop:
                    self._came.append(woken)
            if is_first:
                with suppress(RuntimeError):  # the server has ended: nobody waits any more
                    loop.call_soon_threadsafe(self._wake)

        future.add_done_callback(come)
        return Pending(signal, future, woken)

    def _wake(self) -> None:
        with self._lock:
            came, self._came = self._came, []
        for woken in came:
            _set(woken)

    async def decide(self, signal: Signal, source: str) -> Document:
        """The decision on a signal, as it is sent. Raises Problem 409 or 503."""
        pending = self.offer(signal, source)
        try:
            await wait(pending, DECIDE_SECONDS)
        except asyncio.CancelledError:
            pending.future.cancel()
            raise
        return self.told(pending)

    def told(self, pending: Pending) -> Document:
        """The decision as it is sent. Where there is none yet the signal is withdrawn.

        Raises Problem 409 for an id that was decided with other content, and 503 where nothing was
        decided, or nobody knows yet.
        """
        signal, future = pending.signal, pending.future
        if future.cancel():
            raise self._withdrawn()
        if not future.done():
            ask = ASK.format(signal_id=quote(signal.signal_id, safe=""))
            text = "not durable yet: it may still be decided; ask, or send the same signal_id again"
            raise unavailable(f"{text}: GET {ask}", signal_id=signal.signal_id)
        try:
            step = future.result()
        except StorageHeld as held:
            raise unavailable(str(held), signal_id=signal.signal_id) from held
        if step.is_reused_id:
            text = f"signal_id {signal.signal_id} was decided before with other content"
            raise HttpProblem(
                HTTPStatus.CONFLICT,
                f"{text}; nothing was done; send a new signal_id",
                reason="ID_REUSED",
                signal_id=signal.signal_id,
            )
        return decision_document(step, signal.remarks, self._order_of(step))

    def _order_of(self, step: Step) -> Order | None:
        """The entry of a decision that is reported again, as it is now."""
        decision = step.decision
        if not step.is_repeat or decision is None or decision.client_order_id is None:
            return None
        clause, order_id = "WHERE client_order_id = ?", decision.client_order_id
        with closing(open_reader(self._engine.database)) as connection:
            return queries.one(connection, Order, clause, (order_id,))

    def _withdrawn(self) -> HttpProblem:
        causes = dict(self._engine.unready())
        why = "; ".join(f"{name}: {cause}" for name, cause in causes.items())
        text = f"no decision within {DECIDE_SECONDS:g} s" + (f" ({why})" if why else "")
        return unavailable(f"{text}; the signal is withdrawn, send it again")


async def wait(pending: Pending, seconds: float) -> None:  # not money: seconds
    """Until a signal is decided, or the time is over."""
    over = asyncio.get_running_loop().call_later(seconds, _set, pending.woken)
    try:
        await pending.woken
    finally:
        over.cancel()


def _set(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)


def unavailable(detail: str, **extra: object) -> HttpProblem:
    """The answer that says: not now."""
    return HttpProblem(HTTPStatus.SERVICE_UNAVAILABLE, detail, AGAIN, **extra)


def decision_document(
    step: Step, remarks: Remarks | None = None, order: Order | None = None
) -> Document:
    """A decision for the sender of its signal; `duplicate` where the id came before, and then
    `order` is what became of its entry. `remarks` are those on what was sent now."""
    decision = step.decision
    assert decision is not None, "a signal always gets its decision"
    amounts = {
        name: None if amount is None else plain(amount)
        for name, amount in (
            ("quantity", decision.quantity),
            ("clipped_quantity", decision.clipped_quantity),
            ("limit_price", decision.limit_price),
        )
    }
    is_opened = decision.opening_id is not None
    left = None if decision.opening_quantity is None else plain(decision.opening_quantity)
    told = Remarks() if remarks is None else remarks
    return {
        "signal_id": decision.signal_id,
        "va_id": decision.va_id,
        "symbol": decision.symbol,
        "outcome": decision.outcome.value,
        **reason_document(decision),
        "decided_at": iso(decision.decided_at_ns),
        "duplicate": step.is_repeat,
        "action": None if decision.action is None else decision.action.value,
        **amounts,
        "client_order_id": decision.client_order_id,
        "opening_id": decision.opening_id,
        "opening_quantity": left if is_opened else None,
        "unopened_quantity": None if is_opened else left,
        "order_status": None if order is None else order.shown_status.value,
        "detail": _became(order) or _note(decision),
        "ignored": told.ignored,
        "unread": told.unread,
        "rounded": [*told.rounded, *map(rounding_text, decision.rounded)],
    }


def _note(decision: Decision) -> str | None:
    """What a refusal says beside its numbers, such as the spelling of the symbol that has
    quotes."""
    failed = None if decision.reason is None else failed_check(decision)
    return None if failed is None or not failed.note else failed.note


def _became(order: Order | None) -> str | None:
    """What is to be said of an entry that never left."""
    if order is None or order.end_reason is not Reason.STORAGE_FAILED:
        return None
    return (
        f"its order was withdrawn while storage failed ({order.end_reason.value}): nothing was "
        "traded; the signal may be sent again under a new signal_id"
    )

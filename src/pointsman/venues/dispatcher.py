"""The asyncio side of a real venue: requests in, replies out, the same for every adapter.

It belongs to the venue's own thread. Invariants:

* each request is sent once; nothing here repeats an order, whatever became of it;
* requests about one order leave in the order in which they came; different orders do not wait for
  each other but for the budget, where stops and exits go first (RULES 45);
* an order is stamped and given to a connection within ORDER_WAIT_NS after it was handed over, or
  never: until when the venue may take it is counted from there (RULES 26);
* a reply is given only for what the venue said, or for what is certain not to have left (RULES 44);
  everything else stays silent, and the desk's timer asks;
* what has been handed over and has not left when the engine ends comes back as not sent;
* after each connection of the account stream the desk asks for a comparison (LinkChanged).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from pointsman.domain.commands import Cancel, Compare, MoveCash, Query, Submit
from pointsman.domain.events import (
    CancelRefused,
    CashConfirmed,
    LinkChanged,
    NotSent,
    OrderReport,
    ReportWord,
    UnlistedCode,
    VenueLink,
)
from pointsman.domain.market import Instrument
from pointsman.domain.orders import Role
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import MS_NS, SECOND_NS, in_seconds
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.venues.adapter import Adapter, Call, ConnectionFailed, Incomplete, NoAnswer
from pointsman.venues.budget import RequestClass, RequestCost
from pointsman.venues.comparison import compare
from pointsman.venues.gate import GateClosed, RequestGate
from pointsman.venues.instrument_watch import watch_instruments
from pointsman.venues.link_health import LinkHealth
from pointsman.venues.outcome import AnswerVerdict, Proof, Stage, interpret

SLOW_DOWN_NS = 10 * SECOND_NS
"""How long nothing leaves after a "slow down" that names no time."""

ORDER_WAIT_NS = SECOND_NS
"""How long after it was handed over an order may leave: it waits for the budget of requests."""

RECONNECT_SECONDS = 0.25  # not money: seconds
RECONNECT_SECONDS_MAX = 5.0  # not money: seconds
"""How long the account's stream is not tried at most: without it fills are learned by asking. A
connection that does not hold for as long counts as one that failed: venues shut out who connects
too often."""

CERTAIN_NOT = (Proof.NOT_SENT, Proof.TOO_LATE, Proof.SLOW_DOWN)


class Dispatcher:
    """Carries out requests of one account. `put` takes a reply to the engine, `fail` a fault of
    ours; `now_ns` is the engine's time."""

    def __init__(
        self,
        adapter: Adapter,
        gate: RequestGate,
        put: Callable[[VenueReply], None],
        now_ns: Callable[[], int],
        fail: Callable[[BaseException], None],
    ) -> None:
        self._adapter = adapter
        self._gate = gate
        self._put = put
        self._now_ns = now_ns
        self._fail = fail
        self._last_of: dict[str, asyncio.Task[None]] = {}
        self._questions: dict[str, asyncio.Task[None]] = {}
        """By order, the question that waits for what came before it."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._requests: set[asyncio.Task[None]] = set()
        self.orders_answered = 0
        """How many orders and cancels have come to their end here; from any thread."""
        self._health = LinkHealth()
        self._is_slowed = False
        self._heard = 0
        self._comparing: asyncio.Task[None] | None = None

    @property
    def outstanding(self) -> int:
        """How many requests have no answer yet."""
        return len(self._requests)

    def begin(self, request: VenueRequest, handed_ns: int) -> None:
        """Start one request, which the engine handed over at `handed_ns`."""
        if isinstance(request, MoveCash):
            # Money of a VA is our book-keeping; a real venue has no part in it (RULES 51).
            self._put(CashConfirmed(request.ref))
        elif isinstance(request, Compare):
            if self._comparing is None or self._comparing.done():
                self._comparing = self._start(self._compare(request.fills_cursor))
                self._note_request(self._comparing)
        else:
            key = _order_id(request)
            before = self._last_of.get(key)
            is_asked = before is not None and before is self._questions.get(key)
            if is_asked and isinstance(request, Query):
                return  # The question that waits is asked later than now.
            task = self._start(self._after(before, request, handed_ns))
            self._note_request(task)
            if isinstance(request, Submit | Cancel):
                task.add_done_callback(self._count_order)
            if isinstance(request, Query):
                self._questions[key] = task
            self._last_of[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))

    def finish(self) -> None:
        """Let nothing leave any more: what waits to leave, or comes now, comes back as not sent."""
        self._gate.close()

    async def close(self, patience_seconds: float) -> None:  # not money: seconds
        """Finish, and let what has left be answered until the patience is over."""
        self.finish()
        if self._requests:
            await asyncio.wait(set(self._requests), timeout=patience_seconds)

    def _note_request(self, task: asyncio.Task[None]) -> None:
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finish)
        return task

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _count_order(self, _task: asyncio.Task[None]) -> None:
        self.orders_answered += 1

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        if self._last_of.get(key) is task:
            del self._last_of[key]

    async def _after(
        self,
        before: asyncio.Task[None] | None,
        request: Submit | Cancel | Query,
        handed_ns: int,
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        if isinstance(request, Submit):
            await self._submit(request, handed_ns)
        elif isinstance(request, Cancel):
            await self._cancel(request)
        else:
            self._questions.pop(request.client_order_id, None)
            await self._query(request)

    # -- orders ------------------------------------------------------------------------------------

    async def _submit(self, submit: Submit, handed_ns: int) -> None:
        order = submit.order
        order_id = order.client_order_id
        call = self._adapter.submit(order)
        is_entry = order.role is Role.ENTRY
        kind = RequestClass.ENTRY_OR_COMPARISON if is_entry else RequestClass.EXIT_OR_STOP
        cost = RequestCost(kind, Stage.CREATE, call.weight)
        if is_entry and not self._gate.is_open(cost):
            told = "the requests or orders that the venue allows are used up"
            self._not_sent(order_id, Reason.VENUE_BUSY, told)
            return
        ruling, body = await self._ask(call, cost, handed_ns + ORDER_WAIT_NS)
        if ruling.outcome is Proof.DONE:
            report = self._adapter.accepted(order, body)
            if report is not None:
                self._put(report)
            else:
                self._tell_unlisted(order_id, ruling)
        elif ruling.outcome in (Proof.REFUSED, Proof.KEY_REFUSED):
            self._put(
                OrderReport(
                    client_order_id=order_id,
                    kind=ReportWord.REJECTED,
                    ts_ns=self._now_ns(),
                    reason=ruling.reason or Reason.VENUE_REJECTED,
                )
            )
        elif ruling.outcome in CERTAIN_NOT:
            self._not_sent(order_id, ruling.reason or Reason.VENUE_DOWN, ruling.told)
        elif ruling.outcome is Proof.DUPLICATE:
            await self._query(Query(order_id, order.symbol))
        elif not ruling.is_listed:
            self._tell_unlisted(order_id, ruling)

    async def _cancel(self, cancel: Cancel) -> None:
        order_id = cancel.client_order_id
        call = self._adapter.cancel(order_id, cancel.symbol)
        if call is None:
            await self._query(Query(order_id, cancel.symbol), RequestClass.CANCEL)
            call = self._adapter.cancel(order_id, cancel.symbol)
        if call is None:
            detail = "the venue does not tell its own id of the order, by which it cancels"
            self._not_sent(order_id, Reason.NOT_FOUND, detail, is_cancel=True)
            return
        cost = RequestCost(RequestClass.CANCEL, Stage.CANCEL, call.weight)
        ruling, body = await self._ask(call, cost)
        if ruling.outcome is Proof.DONE:
            report = self._adapter.canceled(order_id, body)
            if report is not None:
                self._put(report)
        elif ruling.outcome in CERTAIN_NOT:
            reason = ruling.reason or Reason.VENUE_DOWN
            self._not_sent(order_id, reason, ruling.told, is_cancel=True)
        elif ruling.outcome in (Proof.NOT_FOUND, Proof.ENDED):
            # The engine asks what became of it, as often as is good: a venue may refuse and yet
            # show it open, over and over.
            self._put(CancelRefused(order_id, ruling.reason or Reason.NOT_FOUND, self._now_ns()))
        elif ruling.outcome in (Proof.REFUSED, Proof.KEY_REFUSED):
            self._put(
                CancelRefused(order_id, ruling.reason or Reason.VENUE_REJECTED, self._now_ns())
            )
        elif not ruling.is_listed:
            self._tell_unlisted(order_id, ruling)

    async def _query(self, query: Query, kind: RequestClass = RequestClass.QUERY) -> None:
        asked_at_ns = self._now_ns()
        try:
            told = await self._adapter.query(self._reader(kind), query, asked_at_ns)
        except Incomplete:
            return
        if told is not None:
            self._put(told)

    def _not_sent(
        self, order_id: str, reason: Reason, detail: str, *, is_cancel: bool = False
    ) -> None:
        self._put(
            NotSent(
                client_order_id=order_id,
                is_cancel=is_cancel,
                reason=reason,
                ts_ns=self._now_ns(),
                detail=detail,
            )
        )

    def _tell_unlisted(self, order_id: str, ruling: AnswerVerdict) -> None:
        self._put(
            UnlistedCode(
                code=ruling.code,
                text=ruling.told,
                ts_ns=self._now_ns(),
                client_order_id=order_id,
            )
        )

    # -- asking ------------------------------------------------------------------------------------

    async def _ask(
        self, call: Call, cost: RequestCost, until_ns: int | None = None
    ) -> tuple[AnswerVerdict, Any]:
        """Send one request when the budget lets it, and judge what came back. One that cannot leave
        before `until_ns` is given back: the engine counts its silence from when it was handed over
        (RULES 26), and makes another when there is a budget again."""
        if (told := await self._held_back(cost, until_ns)) is not None:
            return AnswerVerdict(outcome=Proof.NOT_SENT, reason=Reason.VENUE_BUSY, told=told), None
        sent_ns = self._now_ns()
        try:
            answer = await self._adapter.call(call)
        except ConnectionFailed as error:
            self._tell_link(self._health.unreadable(self._now_ns(), sent_ns), str(error))
            told = f"no connection to the venue: {error}"
            return AnswerVerdict(outcome=Proof.NOT_SENT, reason=Reason.VENUE_DOWN, told=told), None
        except NoAnswer as error:
            self._tell_link(self._health.unreadable(self._now_ns(), sent_ns), str(error))
            return AnswerVerdict(outcome=Proof.UNKNOWN, told=str(error)), None
        if answer.used is not None:
            self._gate.budget.note_used(answer.used, self._now_ns())
        ruling = interpret(self._adapter.table, cost.stage, answer)
        await self._follow(ruling, answer.retry_after_ms)
        return ruling, answer.body

    async def _held_back(self, cost: RequestCost, until_ns: int | None) -> str | None:
        """Wait at the gate, and spend; else say why the request does not leave."""
        left_ns = None if until_ns is None else max(0, until_ns - self._now_ns())
        seconds = None if left_ns is None else left_ns / 1e9  # not money: seconds
        try:
            async with asyncio.timeout(seconds):
                await self._gate.enter(cost)
        except TimeoutError:
            pass
        except GateClosed:
            return "the engine was ending"
        else:
            if until_ns is None or self._now_ns() <= until_ns:
                return None
        return f"it could not leave within {in_seconds(ORDER_WAIT_NS)} s after it was handed over"

    async def _follow(self, ruling: AnswerVerdict, retry_after_ms: int | None) -> None:
        """What an answer says of the link, the budget and the clock."""
        if ruling.outcome is Proof.KEY_REFUSED:
            self._tell_link(self._health.refused_key(), ruling.told)
        elif ruling.outcome is Proof.UNKNOWN and not ruling.is_listed:
            self._tell_link(self._health.unreadable(self._now_ns()), ruling.told)
        elif ruling.outcome is Proof.SLOW_DOWN:
            slow_ns = SLOW_DOWN_NS if retry_after_ms is None else retry_after_ms * MS_NS
            self._slow_down(self._now_ns() + slow_ns, ruling.told)
        elif ruling.outcome is Proof.TOO_LATE:
            try:
                await self._adapter.set_clock()
            except Incomplete as error:
                self._tell_link(self._health.unreadable(self._now_ns()), str(error))
        elif ruling.outcome is not Proof.UNKNOWN:
            self._tell_link(self._health.good(), "")

    def _reader(self, kind: RequestClass) -> Any:
        async def read(call: Call) -> Any:
            ruling, body = await self._ask(call, RequestCost(kind, Stage.QUERY, call.weight))
            if ruling.outcome is not Proof.DONE:
                raise Incomplete(f"{call.route}: {ruling.told}", ruling)
            return body

        return read

    def _tell_link(self, is_up: bool | None, why: str) -> None:
        if is_up is not None:
            self._put(LinkChanged(VenueLink.ORDERS, is_up, self._now_ns(), why))

    def _slow_down(self, until_ns: int, why: str) -> None:
        self._gate.budget.slow_down(until_ns)
        if not self._is_slowed:
            self._is_slowed = True
            self._put(LinkChanged(VenueLink.BUDGET, False, self._now_ns(), why))
            self._start(self._tell_end_of_slow_down())

    async def _tell_end_of_slow_down(self) -> None:
        """Say when the time of a slow-down is over, however often it was made longer."""
        until_ns = self._gate.budget.slow_until_ns(self._now_ns())
        while until_ns is not None:
            await asyncio.sleep((until_ns - self._now_ns()) / 1e9)  # not money: seconds
            until_ns = self._gate.budget.slow_until_ns(self._now_ns())
        self._is_slowed = False
        self._put(LinkChanged(VenueLink.BUDGET, True, self._now_ns()))

    async def _compare(self, cursor: str) -> None:
        read = self._reader(RequestClass.ENTRY_OR_COMPARISON)
        told = await compare(self._adapter, read, cursor, self._now_ns, lambda: self._heard)
        self._put(told)

    # -- the account's stream ----------------------------------------------------------------------

    def begin_to_listen(self) -> None:
        """Hear the account's stream from now on."""
        self._start(self.listen())

    def watch_instruments(
        self, known: dict[str, Instrument], tell: Callable[[tuple[Instrument, ...]], None]
    ) -> None:
        """Ask once a day what the venue trades, and tell what is new."""
        read = self._reader(RequestClass.ENTRY_OR_COMPARISON)
        self._start(watch_instruments(self._adapter, read, known, tell))

    async def listen(self) -> None:
        """Hear the account's stream, and connect again whenever it is lost; never returns."""
        loop = asyncio.get_running_loop()
        wait_seconds, is_up = RECONNECT_SECONDS, True
        while True:
            why, up_at = "the stream ended", float("inf")  # not money: seconds
            try:
                async for replies in self._adapter.stream(self._reader(RequestClass.QUERY)):
                    if not replies:
                        is_up, up_at = True, loop.time()
                        self._tell_stream(True, "")
                    self._heard += len(replies)
                    for reply in replies:
                        self._put(reply)
            except (Incomplete, ConnectionFailed, NoAnswer, OSError) as error:
                why = str(error) or type(error).__name__
            if is_up:
                is_up = False
                self._tell_stream(False, why)
            if loop.time() - up_at >= RECONNECT_SECONDS_MAX:
                wait_seconds = RECONNECT_SECONDS
            await asyncio.sleep(wait_seconds)
            wait_seconds = min(2 * wait_seconds, RECONNECT_SECONDS_MAX)

    def _tell_stream(self, is_up: bool, why: str) -> None:
        self._put(LinkChanged(VenueLink.ACCOUNT_STREAM, is_up, self._now_ns(), why))


def _order_id(request: Submit | Cancel | Query) -> str:
    return request.order.client_order_id if isinstance(request, Submit) else request.client_order_id

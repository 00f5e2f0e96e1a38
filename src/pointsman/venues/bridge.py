"""The one place where the engine's thread meets the thread of a real venue.

The engine's side never waits: `send` hands a request over, `receive` takes what has arrived, and
`wake` is called, on the venue's thread, whenever something has. The venue's side is one thread with
one asyncio loop. Invariants:

* requests that are under way are bounded: beyond REQUESTS_MAX an entry, a query or a comparison is
  refused at once (`NotSent`, or an answer that is incomplete), a stop, an exit or a cancel never;
* replies are never dropped but where the engine lags by REPLIES_MAX messages of the stream: then
  the stream counts as down until it has caught up, and the comparison that follows supplies what
  was lost; what nothing would say again is kept all the same;
* what was handed over leaves, or is given back as not sent once `finish` was called;
* a fault of ours on the venue's thread is raised on the engine's thread, and stops it; what a
  library reports to the asyncio loop is written to the log.
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

import msgspec

from pointsman.domain.commands import Cancel, Compare, Query, Submit
from pointsman.domain.events import CashConfirmed, LinkChanged, NotSent, VenueLink
from pointsman.domain.market import Instrument
from pointsman.domain.policy import Abilities
from pointsman.domain.reasons import Reason
from pointsman.domain.venue_reports import InstrumentsChanged
from pointsman.execution.ports import VenueReply, VenueRequest
from pointsman.venues.adapter import Adapter, Call, ConnectionFailed, Incomplete, NoAnswer, Opening
from pointsman.venues.budget import Budget
from pointsman.venues.dispatcher import ORDER_WAIT_NS, Dispatcher
from pointsman.venues.errors import VenueRefused, VenueUnreachable
from pointsman.venues.gate import RequestGate
from pointsman.venues.outcome import AnswerVerdict, Proof, Stage, interpret

REQUESTS_MAX = 1024
REPLIES_MAX = 65_536
CLOSE_SECONDS = 1.0  # not money: seconds
"""How long each step of a close may take: the last answers, what is cancelled, connections."""

OPEN_SECONDS = 60.0  # not money: seconds

SAID_ONCE = LinkChanged | NotSent | CashConfirmed | InstrumentsChanged
"""What no comparison and no question tells again."""

_log = logging.getLogger(__name__)


class EngineTime:
    """The engine's time, for the venue's thread: what the engine said last, and the monotonic time
    since. Never behind what it said, and never falls."""

    def __init__(self, now_ns: int) -> None:
        self._base = (now_ns, time.monotonic_ns())

    def set(self, now_ns: int) -> None:
        """The engine says what time it is."""
        if now_ns > self.now_ns():
            self._base = (now_ns, time.monotonic_ns())

    def now_ns(self) -> int:
        """What time it is; from any thread."""
        said_ns, at_ns = self._base
        return said_ns + time.monotonic_ns() - at_ns


class RealVenue:
    """An account at a real venue, as the engine sees it (`execution.ports.Venue`)."""

    def __init__(self, adapter: Adapter, *, now_ns: int, requests_per_minute: int | None) -> None:
        """Connect, check the account, and learn what the venue can do. `requests_per_minute` is the
        settings' share of what the venue allows, where there is one. Raises VenueRefused and
        VenueUnreachable."""
        self._adapter = adapter
        self._time = EngineTime(now_ns)
        self._wake: Callable[[], None] = lambda: None
        self._replies: deque[VenueReply] = deque(maxlen=REPLIES_MAX + REQUESTS_MAX)
        self._is_lagging = False
        self._is_heard = True
        self._fault: BaseException | None = None
        self._dispatcher: Dispatcher | None = None
        self._orders_handed = 0
        self._stop = asyncio.Event()
        self._asyncio = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"venue {adapter.name}", daemon=True)
        self._thread.start()
        try:
            self.opening: Opening = self._opened(self._open())
            self._instruments = self.opening.instruments
            self.budget = Budget(
                self.opening.requests_per_minute,
                now_ns,
                share=requests_per_minute,
                rates=self.opening.rates,
            )
            gate = RequestGate(self.budget, self._time.now_ns, self._fail)
            self._dispatcher = Dispatcher(adapter, gate, self._put, self._time.now_ns, self._fail)
        except BaseException:
            self.close()
            raise

    def start(self, wake: Callable[[], None]) -> None:
        """Begin to hear the account's stream. `wake` is called from another thread whenever
        something has arrived."""
        self._wake = wake
        self._call(self._begin_to_listen)

    # -- the engine's thread -----------------------------------------------------------------------

    @property
    def abilities(self) -> Abilities:
        """What the venue can do. A request may still be taken for as long as the adapter says after
        it has left, and it may leave ORDER_WAIT_NS after it was handed over (RULES 26, 67)."""
        stated = self.opening.abilities
        if stated.request_expiry_ns is None:
            return stated
        expiry_ns = stated.request_expiry_ns + ORDER_WAIT_NS
        return msgspec.structs.replace(stated, request_expiry_ns=expiry_ns)

    @property
    def instruments(self) -> dict[str, Instrument]:
        """What the venue trades, as it says itself."""
        return self._instruments

    def send(self, request: VenueRequest, now_ns: int) -> None:
        self._time.set(now_ns)
        if self._requests.outstanding >= REQUESTS_MAX and _may_wait(request):
            self._refuse(request, now_ns)
            return
        self._orders_handed += isinstance(request, Submit | Cancel)
        self._call(self._requests.begin, request, self._time.now_ns())

    def next_due_ns(self) -> int | None:
        """Now, while something waits to be taken in."""
        return self._time.now_ns() if self._replies or self._fault is not None else None

    def receive(self, now_ns: int) -> list[VenueReply]:
        self._time.set(now_ns)
        if self._fault is not None:
            raise self._fault
        taken = [self._replies.popleft() for _ in range(len(self._replies))]
        if self._is_lagging:
            self._is_lagging = False
            if self._is_heard:
                taken.append(LinkChanged(VenueLink.ACCOUNT_STREAM, True, now_ns))
        return taken

    def known_until_ns(self) -> int:
        """The engine continues from its own records."""
        return 0

    def is_under_way(self) -> bool:
        # Read first: a reply is there before its order counts as answered.
        is_answered = self._requests.orders_answered == self._orders_handed
        return self._fault is None and (not is_answered or bool(self._replies))

    def finish(self) -> None:
        self._call(self._requests.finish)

    def close(self) -> None:
        """End the connections, within a bound."""
        if self._thread.is_alive():
            self._asyncio.call_soon_threadsafe(self._stop.set)
            self._thread.join(4 * CLOSE_SECONDS)

    def _refuse(self, request: VenueRequest, now_ns: int) -> None:
        if isinstance(request, Submit):
            self._replies.append(
                NotSent(
                    client_order_id=request.order.client_order_id,
                    is_cancel=False,
                    reason=Reason.VENUE_BUSY,
                    ts_ns=now_ns,
                    detail=f"{REQUESTS_MAX} requests to the venue are under way",
                )
            )

    # -- the venue's thread ------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._asyncio)
        try:
            self._asyncio.run_until_complete(self._until_stopped())
        except Exception as error:  # noqa: BLE001 - raised again on the engine's thread
            self._fail(error)
        finally:
            self._asyncio.close()

    async def _until_stopped(self) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: _log_stray(told))
        await self._stop.wait()
        if self._dispatcher is not None:
            await self._dispatcher.close(CLOSE_SECONDS)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        await asyncio.wait_for(self._adapter.close(), CLOSE_SECONDS)

    def _call(self, work: Callable[..., None], *arguments: Any) -> None:
        """Have something of ours done on the venue's thread; from any thread."""

        def do() -> None:
            try:
                work(*arguments)
            except Exception as error:  # noqa: BLE001 - raised again on the engine's thread
                self._fail(error)

        self._asyncio.call_soon_threadsafe(do)

    @property
    def _requests(self) -> Dispatcher:
        assert self._dispatcher is not None, "the account is open"
        return self._dispatcher

    def _fail(self, error: BaseException) -> None:
        self._fault = self._fault or error
        self._wake()

    def _begin_to_listen(self) -> None:
        self._requests.begin_to_listen()
        self._requests.watch_instruments(self._instruments, self._take_instruments)

    def _take_instruments(self, changed: tuple[Instrument, ...]) -> None:
        self._instruments = {**self._instruments, **{each.symbol: each for each in changed}}
        self._put(InstrumentsChanged(changed))

    def _put(self, reply: VenueReply) -> None:
        """Take a reply to the engine's side."""
        if isinstance(reply, LinkChanged) and reply.link is VenueLink.ACCOUNT_STREAM:
            self._is_heard = reply.is_up
        if len(self._replies) >= REPLIES_MAX and not self._is_lagging:
            self._is_lagging = True
            told = f"{REPLIES_MAX} messages wait to be taken in"
            self._replies.append(
                LinkChanged(VenueLink.ACCOUNT_STREAM, False, self._time.now_ns(), told)
            )
        if not self._is_lagging or isinstance(reply, SAID_ONCE):
            self._replies.append(reply)
        self._wake()

    def _opened(self, work: Coroutine[Any, Any, Opening]) -> Opening:
        asked: Future[Opening] = asyncio.run_coroutine_threadsafe(work, self._asyncio)
        try:
            return asked.result(OPEN_SECONDS)
        except TimeoutError:
            asked.cancel()
            raise VenueUnreachable(
                f"{self._adapter.name} has not answered all questions within {OPEN_SECONDS:.0f} s"
            ) from None

    async def _open(self) -> Opening:
        async def read(call: Call) -> Any:
            try:
                answer = await self._adapter.call(call)
            except (ConnectionFailed, NoAnswer) as error:
                raise VenueUnreachable(f"{self._adapter.name}: {call.route}: {error}") from None
            ruling = interpret(self._adapter.table, Stage.QUERY, answer)
            if ruling.outcome is not Proof.DONE:
                raise Incomplete(ruling.told, ruling)
            return answer.body

        try:
            await self._adapter.set_clock()
            return await self._adapter.open(read)
        except Incomplete as error:
            raise _refusal(self._adapter.name, error.ruling, str(error)) from None


def _log_stray(told: dict[str, Any]) -> None:
    """Something that a library left behind: a task of its own that failed after its answer was
    taken, a connection that was not closed. Nothing of ours depends on it."""
    _log.warning("%s: %s", told["message"], told.get("exception"), exc_info=told.get("exception"))


def _may_wait(request: VenueRequest) -> bool:
    """Whether nothing is at risk if this is not sent now."""
    if isinstance(request, Submit):
        return request.may_raise_exposure
    return isinstance(request, Query | Compare)


def _refusal(name: str, ruling: AnswerVerdict | None, told: str) -> VenueRefused | VenueUnreachable:
    if ruling is not None and ruling.outcome in (Proof.KEY_REFUSED, Proof.REFUSED):
        return VenueRefused(f"{name} refuses this key or account: {told}")
    return VenueUnreachable(f"{name} did not answer as it should: {told}")

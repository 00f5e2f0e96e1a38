"""A story: signals, a venue's messages, time, crashes; and what must be true afterwards.

Everything between the signal and the venue is the real thing: the loop, the desk, the store on
SQLite. Only the venue is scripted, and time goes where the story says. What always holds, so that
no story has to say it:

* an order stands in the database before it leaves (I1), and is created once (I2);
* when a story ends, the journal folds to the stored records, and a start would load what lives
  (I18).
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from pointsman.domain.accounts import Account, KillSwitch
from pointsman.domain.commands import Step, Submit
from pointsman.domain.events import Event, FlattenRequested, Killed, Rearmed, Started
from pointsman.domain.market import Instrument, Quote
from pointsman.domain.orders import Fill, Order, OrderType, Role
from pointsman.domain.policy import Policy
from pointsman.domain.positions import Funding, Position, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Decision, Signal
from pointsman.engine.stored_start import loaded_from
from pointsman.execution.archive import FinishedRecords
from pointsman.execution.desk import Desk
from pointsman.execution.execution_loop import ExecutionLoop
from pointsman.execution.outbox import StorageHeld
from pointsman.execution.ports import VenueRequest
from pointsman.simulator import rest
from pointsman.simulator.crashes import Boundary, Crash, CrashTrap
from pointsman.simulator.disk import Disk
from pointsman.storage import reader
from pointsman.storage.sqlite_manager import SqliteManager
from tests import desk_stories as told
from tests.engine_stories import CODE, OpenHours
from tests.stories.scripted_venue import ScriptedVenue

MS = 10**6
SECOND_NS = 10**9
WORKING_NS = 400 * MS
"""So often a live market is quoted while an entry works; a quote is stale after 500 ms."""
IDLE_NS = 5 * SECOND_NS
SETTLED_AFTER = 40
COIN = Instrument("SOL/USDT", Decimal("0.01"), Decimal("0.001"), Decimal(0), Decimal(5), "USDT")
"""Thousandths, and no order below 5."""
LISTED = {name: msgspec.structs.replace(told.XXX, symbol=name) for name in ("AAPL", "MSFT")}
"""Whole shares, in cents."""


def rules(limits: dict[str, Any] | None = None, **changes: Any) -> Policy:
    """The default policy with the instruments of the stories, and changes."""
    general = told.limits(**(limits or {}))
    return told.policy(general, instruments=LISTED | {"SOL/USDT": COIN}, **changes)


class Story:
    """An engine that is ready, beside a venue that does and says only what the story tells."""

    def __init__(self, database: Path, policy: Policy, accounts: Iterable[str]) -> None:
        self.now_ns = told.START_NS
        self.database = database
        self.trap = CrashTrap()
        self.venue = ScriptedVenue(policy, self.trap, self._look_at, self.settle)
        self.answers: list[Step | StorageHeld] = []
        self.is_alive = False
        self.is_feed_frozen = False
        self._policy = policy
        self._balances = tuple((va_id, Decimal(100_000)) for va_id in accounts)
        self._signals = 0
        self._prices: dict[str, str] = {}
        self.starts()

    # -- the engine's lives ------------------------------------------------------------------------

    def starts(self) -> None:
        """The program starts, on what its database holds, and compares with the venue."""
        self.manager = SqliteManager(self.database)
        self.manager.open()
        stored = self.manager.load()
        if stored.desk is None:
            desk = Desk(self._policy, CODE)
        else:
            desk = Desk.load(self._policy, loaded_from(stored), stored.last_time_ns or 0)
        self.disk = Disk(self.manager, self.trap, self.now_ns)
        hours = OpenHours()
        recall = FinishedRecords(self.manager)
        self.loop = ExecutionLoop(desk, self.venue, self.disk, recall, lambda _va_id: hours)
        self.is_alive = True
        started = Started("story", CODE, self._policy, self._balances)
        try:
            self.loop.start(started, self.now_ns)
        except Crash:
            self.dies()
        self.settle()

    def dies(self) -> None:
        """kill -9: what was not durable is gone, what had left is at the venue."""
        if self.is_alive:
            self.is_alive = False
            self.manager.close()
            self.venue.close()

    def restarts(self) -> None:
        """It dies, and starts a second later."""
        self.dies()
        self.now_ns += SECOND_NS
        self.starts()

    def dies_at(self, boundary: Boundary) -> None:
        """It will die the next time that it passes this boundary."""
        self.trap.arm(boundary, 0)

    # -- time --------------------------------------------------------------------------------------

    def settle(self) -> None:
        """What is said is heard, and what follows leaves, a millisecond each, until it is quiet."""
        for _ in range(SETTLED_AFTER):
            if not self.is_alive:
                return
            self.now_ns += MS
            self._instant()
            if not self.venue.has_news:
                return
        raise AssertionError("this story goes round and round")

    def _instant(self) -> None:
        try:
            self.disk.tick(self.now_ns)
            self.loop.instant(self.now_ns)
            self.loop.release()
        except Crash:
            self.dies()

    def passes(self, seconds: int) -> None:
        """Time goes by, in a market that is quoted all the while."""
        until_ns = self.now_ns + seconds * SECOND_NS
        while self.now_ns < until_ns:
            is_working = self.is_alive and bool(self.loop.desk.books.entries_by_symbol)
            due_ns = [until_ns, self.now_ns + (WORKING_NS if is_working else IDLE_NS)]
            if self.is_alive:
                wakes = (self.loop.next_due_ns(), self.disk.next_due_ns())
                due_ns += [max(self.now_ns, at_ns) for at_ns in wakes if at_ns is not None]
            self.now_ns = max(self.now_ns, min(due_ns))
            if is_working and not self.is_feed_frozen:
                for symbol in list(self.loop.desk.books.entries_by_symbol):
                    self._show(symbol)
            self.settle()

    # -- the market --------------------------------------------------------------------------------

    def price_is(self, price: str, symbol: str = "AAPL") -> None:
        """The market moves: at the venue, and by the feed."""
        self._prices[symbol] = price
        self.venue.move_to(Decimal(price))
        self._show(symbol)
        self.settle()

    def quote_is(self, bid: str, ask: str, symbol: str = "AAPL") -> None:
        """The feed says this, whatever the market at the venue is."""
        self._feed(told.quote(self.now_ns, bid, ask, symbol))
        self.settle()

    def _show(self, symbol: str) -> None:
        price = Decimal(self._prices.get(symbol, "100"))
        cent = Decimal("0.01")
        self._feed(told.quote(self.now_ns, str(price - cent), str(price + cent), symbol))

    def _feed(self, quote: Quote) -> None:
        if self.is_alive:
            self.loop.on_quote(quote, self.now_ns)

    # -- signals -----------------------------------------------------------------------------------

    def signal(
        self,
        side: str,
        quantity: str | None = "10",
        *,
        va: str = "VA001",
        symbol: str = "AAPL",
        signal_id: str | None = None,
        **fields: Any,
    ) -> Decision | None:
        """A strategy sends a signal, on a fresh quote unless the feed is frozen. Gives back what
        its sender was told: the decision, or None for nothing that it may rely on."""
        self._signals += 1
        sent = Signal(
            signal_id or f"signal{self._signals}", va, symbol, SignalSide(side),
            quantity=None if quantity is None else Decimal(quantity),
            reduce_only=side == "close", **fields,
        )  # fmt: skip
        if not self.is_feed_frozen:
            self._show(symbol)
            self._instant()
        told_before = len(self.answers)
        try:
            self.loop.signal(sent, self.answers.append)
            self.loop.release()
        except Crash:
            self.dies()
        except StorageHeld as held:
            self.answers.append(held)
        self.settle()
        heard = self.answers[told_before:]
        return heard[0].decision if heard and isinstance(heard[0], Step) else None

    def buys(self, quantity: str = "10", **fields: Any) -> Order:
        """An accepted buy signal: the entry that left for it."""
        return self._sent_for(self.signal("buy", quantity, **fields))

    def sells(self, quantity: str = "10", **fields: Any) -> Order:
        """An accepted sell signal that opens a short: the entry that left for it."""
        return self._sent_for(self.signal("sell", quantity, **fields))

    def _sent_for(self, decision: Decision | None) -> Order:
        assert decision is not None, "the sender was not told"
        assert decision.client_order_id is not None, ("refused", decision.reason)
        return self.sent_order(decision.client_order_id)

    def enters(self, quantity: str = "10", **fields: Any) -> Order:
        """A buy that fills at once, and rests behind its stop."""
        entry = self.buys(quantity, **fields)
        self.venue.fills(entry)
        assert self.is_covered(entry.va_id)
        return entry

    def closes(self, quantity: str | None = None, **fields: Any) -> None:
        """A signal to close, all or a part."""
        decision = self.signal("close", quantity, **fields)
        assert decision is not None
        assert decision.reason is None, decision.reason

    # -- people ------------------------------------------------------------------------------------

    def kills(self, *, flatten: bool = False) -> None:
        """A person presses the kill switch."""
        self._turn(Killed(flatten, "anna", "stop"))

    def rearms(self) -> None:
        """A person releases the kill switch."""
        self._turn(Rearmed("anna", "looked at it"))

    def flattens(self, va: str = "VA001") -> None:
        """A person asks to close all that an account holds."""
        self._turn(FlattenRequested(va, "anna", "out"))

    def _turn(self, event: Event) -> None:
        """It is acknowledged, and so durable."""
        self.loop.turn(event)
        self.loop.when_durable(self.answers.append)
        self.settle()

    # -- what left ---------------------------------------------------------------------------------

    def _look_at(self, request: VenueRequest) -> None:
        """I1: what leaves stands in the database; only what cannot raise exposure may run ahead
        while storage fails."""
        if isinstance(request, Submit):
            order = request.order
            is_stored = self.manager.known_order(order.client_order_id) is not None
            may_run_ahead = self.disk.standing.failure is not None and order.reduce_only
            assert is_stored or may_run_ahead, ("I1", order)

    def orders_sent(self, role: Role | None = None, va: str | None = None) -> list[Order]:
        """All orders that have left, oldest first; of one role or account."""
        found = [request.order for request in self.venue.sent if isinstance(request, Submit)]
        return [o for o in found if role in (None, o.role) and va in (None, o.va_id)]

    def sent_order(self, order_id: str) -> Order:
        """An order that has left."""
        return next(o for o in self.orders_sent() if o.client_order_id == order_id)

    def stops(self, va: str | None = None) -> list[Order]:
        """The stops that have left, oldest first."""
        return self.orders_sent(Role.STOP, va)

    def exits(self, va: str | None = None) -> list[Order]:
        """The exits that have left, oldest first."""
        return self.orders_sent(Role.EXIT, va)

    # -- what is true ------------------------------------------------------------------------------

    def account(self, va: str = "VA001") -> Account:
        return self.loop.desk.books.accounts[va]

    def positions(self, va: str = "VA001") -> list[Position]:
        """The live positions of an account."""
        found = self.loop.desk.books.open_positions(va)
        return [position for position in found if position.is_live]

    def held(self, va: str = "VA001") -> Decimal:
        """What an account holds by our books, signed; dust counts."""
        found = self.loop.desk.books.positions.values()
        return sum((p.side.sign * p.quantity for p in found if p.va_id == va), Decimal())

    def resting(self, va: str = "VA001") -> list[Decimal]:
        """What the stops of an account that rest at the venue are for, by the venue's books."""
        ours = {stop.client_order_id for stop in self.stops(va)}
        found = self.venue.open_orders(OrderType.STOP)
        return [o.quantity - o.filled for o in found if o.client_order_id in ours]

    def is_covered(self, va: str = "VA001") -> bool:
        """Whether stops at the venue are for exactly what the account holds, and we know it."""
        is_naked = any(p.naked_since_ns is not None for p in self.positions(va))
        held = sum(position.quantity for position in self.positions(va))
        return not is_naked and sum(self.resting(va)) == held

    def is_free(self, va: str = "VA001") -> bool:
        """Whether an account holds nothing, works nothing, and may take any symbol."""
        works = any(order.va_id == va for order in self.loop.desk.books.orders.values())
        return not self.positions(va) and not works and self.account(va).leased_symbol is None

    def is_gone(self, va: str = "VA001") -> bool:
        """Whether an account is free, holds not even dust, and nothing of its stops rests."""
        return self.is_free(va) and self.held(va) == 0 and not self.resting(va)

    def status(self, order: Order) -> str:
        """What we say that an order is."""
        working = self.loop.desk.books.orders.get(order.client_order_id)
        if working is not None:
            return working.shown_status.value
        self.disk.settle()
        known = self.manager.known_order(order.client_order_id)
        assert known is not None
        return known.order.shown_status.value

    @property
    def kill_switch(self) -> KillSwitch:
        return self.loop.desk.books.kill_switch

    def refusal(self, side: str = "buy", quantity: str = "10", **fields: Any) -> Reason:
        """Why a signal is refused."""
        decision = self.signal(side, quantity, **fields)
        assert decision is not None
        assert decision.reason is not None, "it was accepted"
        return decision.reason

    def incidents(self) -> list[Reason]:
        """What a person was told, oldest first, as another process would read it."""
        self.disk.settle()
        with closing(reader.open_reader(self.database)) as connection:
            return [incident.kind for incident in reader.incidents(connection)]

    def trades(self) -> list[Trade]:
        """The closed positions, oldest first, as another process would read them."""
        self.disk.settle()
        with closing(reader.open_reader(self.database)) as connection:
            return reader.trades(connection)

    def fills(self) -> list[Fill]:
        """The executions that are booked, oldest first, as another process would read them."""
        self.disk.settle()
        with closing(reader.open_reader(self.database)) as connection:
            return reader.fills(connection)

    def fundings(self) -> list[Funding]:
        """The shares of funding that are booked, oldest first, as another process would read
        them."""
        self.disk.settle()
        with closing(reader.open_reader(self.database)) as connection:
            return reader.fundings(connection)

    def standing(self) -> dict[str, object]:
        """All that the books hold, for comparing."""
        return rest.standing(self.loop.desk.books)

    def ends(self) -> None:
        """The story is over: what was stored is what lived (I18)."""
        if self.is_alive and self.disk.settle():
            with closing(reader.open_reader(self.database)) as connection:
                rest.journal_holds(connection)
            again = Desk.load(self._policy, loaded_from(self.manager.load()), 0)
            rest.loads_alike(self.loop.desk.books, again.books)
        self.dies()


Begin = Callable[..., Story]
"""Begins a story: of rules and accounts, where the defaults will not do."""

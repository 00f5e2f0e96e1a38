"""The invariants, and where each is checked.

`Monitor` sees every turn and every request; what needs everything at rest is in `rest`.

| | checked by |
| --- | --- |
| I1 persisted before sent | `_sent_order`, in the database; syncing: test_sqlite_manager |
| I2 at most once | `_sent_order`, and `Ledger.add` |
| I3 id a pure function | `_sent_order` |
| I4 order lattice | `_order`; any order of reports: test_life_cycle, test_desk_machine |
| I5 fill once | `_fill`; distinct fills never collapse: `rest.money_agrees` |
| I6 conservation | `assert_sound` at every turn; `rest.holdings_agree`, `rest.money_agrees` |
| I7 cover | `at_instant`, by both clocks of RULES 25; `assert_fits` at every turn; `rest.covered` |
| I8 stop geometry | `_commanded` |
| I9 reduce-only | `_sent_exit`, and `Ledger.execute` |
| I10 symbol lock | `_lock` |
| I11 max open | `_accepted` |
| I12 throttle | `_accepted` |
| I13 cooldown | `_accepted`, from the trades alone |
| I14 fail-closed filters | `_accepted`, and `_sent_entry` on what the feed gave last |
| I15 kill | `_sent_entry` |
| I16 truthful flat | `_flat` |
| I17 unknown is not empty | `_order`: what ends as never arrived is not there; `on_turn` |
| I18 replay = live | `rest.journal_holds`, `rest.loads_alike`; deciding again: test_simulator |
| I19 restart idempotence | `World._start_again` |
| I20 convergence | `rest.orders_agree`, `World._look_at_rest` |
| I21 liveness | `World._look_at_rest`, `World._run_until`; dead tasks: tests of the live loop |
| I22 traceability | `_sent_order`, `told`, `rest.traced`; secrets: test_config_view |
"""

from collections import Counter, deque
from collections.abc import Callable
from sqlite3 import Connection

import msgspec

from pointsman.domain.accounts import Incident, KillState, KillSwitch
from pointsman.domain.commands import Cancel, Record, Step, Submit
from pointsman.domain.events import Compared, Event, OrderReport
from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Fill, Order, Role, parse_client_order_id
from pointsman.domain.policy import Policy
from pointsman.domain.positions import Position, PositionState, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Action, Decision, Outcome
from pointsman.execution.books import Books
from pointsman.simulator.cover_watch import CoverWatch
from pointsman.simulator.faults import SECOND_NS, Faults
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.simulator.losses import Losses
from pointsman.storage import reader
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.venues.base import Request

_RANK = {
    OrderStatus.INITIALIZED: 0,
    OrderStatus.SUBMITTED: 1,
    OrderStatus.ACCEPTED: 2,
    OrderStatus.PARTIALLY_FILLED: 3,
}
_FINAL_RANK = 4
MINUTE_NS = 60 * SECOND_NS
TRAIL_LEN_MAX = 4_000
CANCELS_MAX = 60
"""So often one order may be cancelled: once a while, not at the speed of the wire."""


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, what: object, va_id: str | None = None) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant
        self.va_id = va_id


def expect(holds: bool, invariant: str, what: object, va_id: str | None = None) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(invariant, what, va_id)


class Told(msgspec.Struct, frozen=True):
    """One line of the trail: when, what, and whom it concerned."""

    at_ns: int
    what: str
    va_ids: tuple[str, ...]


class Monitor:
    """Looks on at one run, over all lives of the engine. `reload` after each start."""

    def __init__(self, policy: Policy, venue: HostileVenue, faults: Faults, cover: CoverWatch):
        self.trail: deque[Told] = deque(maxlen=TRAIL_LEN_MAX)
        self.steps = 0
        self.sent = 0
        self.fed: dict[str, Quote] = {}
        self._policy = policy
        self._venue = venue
        self._faults = faults
        self._cover = cover
        self._sent: set[str] = set()
        self._cancels: Counter[str] = Counter()
        self._answers: dict[str, Decision] = {}
        self.is_storage_failing: Callable[[], bool] = lambda: False
        self._orders: dict[str, Order] = {}
        self._fills: set[str] = set()
        self._losses: dict[str, Losses] = {}
        self._entries: dict[str, list[int]] = {}

    def reload(self, books: Books, manager: SqliteManager, connection: Connection) -> None:
        """A new life: what was not committed never was."""
        self._books, self._manager = books, manager
        self._orders = dict(books.orders)
        self._fills.clear()
        self._cover.recharge()
        for fill in reader.fills(connection):
            self._fill(fill)
        self._losses, self._entries = {}, {}
        for trade in reader.trades(connection):
            self._trade(trade)
        for order in reader.orders(connection):
            if order.role is Role.ENTRY:
                self._entries.setdefault(order.va_id, []).append(order.created_at_ns)

    # -- each turn ---------------------------------------------------------------------------------

    def on_turn(self, now_ns: int, event: Event, step: Step) -> None:
        """Look at one turn."""
        self.steps += 1
        self._remember(now_ns, event, step)
        if isinstance(event, Compared):
            is_whole = event.is_complete and event.taken_at_ns in self._venue.whole_at_ns
            expect(is_whole, "I17", ("a part of an answer was taken for all of it", event))
        va_ids: dict[str, None] = {}
        for record in step.changes:
            self._record(record)
            if isinstance(record, Order | Position):
                va_ids[record.va_id] = None
        for va_id in va_ids:
            self._lock(va_id)
        for command in step.commands:
            if isinstance(command, Submit):
                self._commanded(command.order, event)
        if step.decision is not None and not (step.is_repeat or step.is_reused_id):
            self._decided(step.decision, now_ns)

    def _remember(self, now_ns: int, event: Event, step: Step) -> None:
        if not step.changes and not step.commands:
            return
        va_ids = dict.fromkeys(getattr(record, "va_id", None) for record in step.changes)
        names = tuple(va_id for va_id in va_ids if va_id is not None)
        self.trail.append(Told(now_ns, _line(event, step), names))

    def _record(self, record: Record) -> None:
        if isinstance(record, Order):
            self._order(record)
        elif isinstance(record, Fill):
            self._fill(record)
        elif isinstance(record, Trade):
            self._trade(record)
        elif isinstance(record, KillSwitch):
            self._flat(record)
        elif isinstance(record, Incident) and record.kind is Reason.NAKED_POSITION:
            self._naked(record)

    def _order(self, order: Order) -> None:
        """I4: a rank only rises, what is filled never falls, and never is more than was ordered
        without being told (OVERFILL freezes). I17: what never arrived is not at the venue."""
        order_id = order.client_order_id
        before = self._orders.get(order_id)
        self._orders[order_id] = order
        if before is not None:
            rises = _rank(order) >= _rank(before) and order.filled >= before.filled
            expect(rises, "I4", (before, order), order.va_id)
        is_told = self._books.accounts[order.va_id].frozen_for is not None
        expect(order.filled <= order.quantity or is_told, "I4", ("overfill", order), order.va_id)
        if order.end_reason is Reason.NEVER_ARRIVED and order.status is OrderStatus.REJECTED:
            is_there = order_id in self._venue.ledger.orders
            expect(not is_there, "I17", ("declared absent, but there", order), order.va_id)

    def _fill(self, fill: Fill) -> None:
        """I5: once."""
        expect(fill.key not in self._fills, "I5", ("booked twice", fill), fill.va_id)
        self._fills.add(fill.key)
        if fill.is_external:
            self._cover.charge(fill.symbol, fill.side, fill.quantity)

    def _losses_of(self, va_id: str) -> Losses:
        limits = self._policy.limits_of(va_id)
        made = Losses(limits.max_loss_cooldown, limits.cooldown_ns)
        return self._losses.setdefault(va_id, made)

    def _trade(self, trade: Trade) -> None:
        self._losses_of(trade.va_id).take(trade.pnl, trade.closed_at_ns)

    def _flat(self, switch: KillSwitch) -> None:
        """I16: "flat" only while nothing of ours is held there or can still fill."""
        if switch.flat_at_ns is None:
            return
        ledger = self._venue.ledger
        ours = [o for some in ledger.open_by_symbol.values() for o in some.values()]
        left = [order.client_order_id for order in ours if not order.is_foreign]
        expect(not left, "I16", ("said to be flat, with open orders", left))
        held = sum(p.quantity for p in self._books.positions.values() if p.is_live)
        expect(not held, "I16", ("said to be flat, with positions", held))

    def _lock(self, va_id: str) -> None:
        """I10: the symbol is leased exactly while something of it is held or works."""
        books = self._books
        account, index = books.accounts[va_id], books.index[va_id]
        held = [books.positions[key] for key in index.positions]
        holds = bool(index.orders) or any(p.state is not PositionState.DUST for p in held)
        if account.leased_symbol is None:
            expect(not holds, "I10", ("holds or works without a lease", account), va_id)
            return
        expect(holds, "I10", ("a lease for nothing", account), va_id)
        if account.frozen_for is None:
            symbols = {books.orders[order_id].symbol for order_id in index.orders}
            symbols |= {p.symbol for p in held if p.is_live}
            expect(symbols <= {account.leased_symbol}, "I10", ("beside its lease", symbols), va_id)

    def _commanded(self, order: Order, event: Event) -> None:
        """I8: a stop that is asked for stands on the right side of the price that was looked at,
        and closes what it is for."""
        if order.role is not Role.STOP:
            return
        closes = order.side is order.position_side.closes_with
        expect(closes and order.trigger_price is not None, "I8", order, order.va_id)
        mark = event.mark if isinstance(event, OrderReport) else None
        if mark is not None and mark.symbol == order.symbol and order.trigger_price is not None:
            touch = mark.closing_touch(order.position_side)
            is_wrong = order.position_side.less_favourable(touch, order.trigger_price)
            expect(not is_wrong, "I8", ("through the market", order, mark), order.va_id)

    def _decided(self, decision: Decision, now_ns: int) -> None:
        if decision.outcome is Outcome.ACCEPTED and decision.action is Action.ENTRY:
            self._accepted(decision, now_ns)

    def _accepted(self, decision: Decision, now_ns: int) -> None:
        va_id, books = decision.va_id, self._books
        limits, quote = self._policy.limits_of(va_id), decision.quote
        live = [p for p in books.positions.values() if p.va_id == va_id and p.is_live]
        ids = {p.position_id for p in live}
        works = [o for o in books.orders.values() if o.va_id == va_id and o.role is Role.ENTRY]
        slots = len(ids | {order.position_id for order in works})
        expect(slots <= limits.max_open_positions, "I11", (slots, decision), va_id)
        times = self._entries.setdefault(va_id, [])
        times.append(now_ns)
        if limits.max_orders_per_minute is not None:
            recent = sum(1 for at_ns in times if at_ns > now_ns - MINUTE_NS)
            expect(recent <= limits.max_orders_per_minute, "I12", (recent, decision), va_id)
        until_ns = self._losses_of(va_id).until_ns
        expect(now_ns >= until_ns, "I13", ("cools down until", until_ns, decision), va_id)
        expect(quote is not None and quote.is_valid, "I14", decision, va_id)
        assert quote is not None
        expect(quote.spread_bps <= limits.max_spread_bps, "I14", ("spread", decision), va_id)
        expect(now_ns - quote.ts_ns <= limits.max_latency_ns, "I14",
               ("age", decision), va_id)  # fmt: skip

    def locks_hold(self) -> None:
        """I10, of all VAs."""
        for va_id in self._books.accounts:
            self._lock(va_id)

    # -- each request ------------------------------------------------------------------------------

    def on_send(self, request: Request, now_ns: int) -> None:
        """Look at what is about to leave."""
        if isinstance(request, Cancel):
            self._cancels[request.client_order_id] += 1
            count = self._cancels[request.client_order_id]
            expect(count <= CANCELS_MAX, "I22", ("cancelled over and over", request, count))
        if not isinstance(request, Submit):
            return
        order = request.order
        self.sent += 1
        self.trail.append(
            Told(now_ns, f"-> {order.client_order_id} {order.side} {order.quantity}"
                 f" {order.symbol} at {order.limit_price or order.trigger_price}", (order.va_id,))
        )  # fmt: skip
        self._sent_order(order)
        if order.role is Role.ENTRY:
            self._sent_entry(order)
        else:
            self._sent_exit(order)

    def _sent_order(self, order: Order) -> None:
        order_id, va_id = order.client_order_id, order.va_id
        stored = self._manager.known_order(order_id)
        may_run_ahead = self.is_storage_failing() and order.role is not Role.ENTRY
        expect(stored is not None or may_run_ahead, "I1", ("not stored", order), va_id)
        expect(order_id not in self._sent, "I2", ("sent twice", order), va_id)
        parts = parse_client_order_id(order_id)
        is_pure = (
            parts is not None
            and (parts.code, parts.number, parts.role)
            == (self._books.desk.code, order.position_id, order.role)
            and len(order_id) <= 32
            and order_id.isalnum()
        )
        expect(is_pure, "I3", order, va_id)
        self._sent.add(order_id)
        is_traced = order.signal_id is not None or order.role is not Role.ENTRY
        expect(is_traced, "I22", ("no signal asked for it", order), va_id)

    def _sent_entry(self, order: Order) -> None:
        """I14, I15, at the moment of leaving."""
        switch, quote = self._books.kill_switch, self.fed.get(order.symbol)
        expect(switch.state is KillState.OFF, "I15", ("left while killed", order), order.va_id)
        expect(quote is not None and quote.is_valid, "I14", ("left on", quote), order.va_id)

    def _sent_exit(self, order: Order) -> None:
        """I9: closes, and no more than there is."""
        position = self._books.positions.get(order.position_id)
        expect(order.reduce_only and order.side is order.position_side.closes_with, "I9", order)
        held = None if position is None else position.quantity
        fits = held is not None and (order.quantity <= held or self.is_storage_failing())
        expect(fits, "I9", ("more than is held", held, order), order.va_id)

    def told(self, decision: Decision) -> None:
        """A signal's sender was told its decision: it is stored (I1), and is the only one ever
        (I22)."""
        signal_id = decision.signal_id
        stored = self._manager.first_decision(signal_id)
        expect(stored is not None, "I22", ("told before it was stored", decision), decision.va_id)
        first = self._answers.setdefault(signal_id, decision)
        expect(first == decision, "I22", ("two answers", first, decision), decision.va_id)

    # -- each instant ------------------------------------------------------------------------------

    def _naked(self, incident: Incident) -> None:
        """I7: a deadline passes only where something went wrong."""
        since_ns = incident.at_ns - self._policy.protection_deadline_ns
        allowed_ns = self._allowed_ns(since_ns, incident.at_ns)
        expect(allowed_ns > 0, "I7", ("a deadline passed without cause", incident), incident.va_id)

    def _allowed_ns(self, since_ns: int, now_ns: int) -> int:
        policy = self._policy
        each_ns = policy.submit_timeout_ns + policy.protection_deadline_ns + SECOND_NS
        lost_ns = policy.order_settle_ns + policy.submit_timeout_ns + SECOND_NS
        return self._faults.allowance_ns(since_ns, now_ns, each_ns, lost_ns)

    def at_instant(self, now_ns: int) -> None:
        """I7: what is naked, by the venue or by our own record, is so no longer than allowed."""
        policy = self._policy
        spells = [(str(place), since_ns) for place, since_ns in self._cover.naked.items()]
        for key in self._books.naked:
            since_ns = self._books.positions[key].naked_since_ns
            if since_ns is not None:
                spells.append((f"position {key}", since_ns))
        for what, since_ns in spells:
            allowed_ns = policy.protection_deadline_ns + FLIGHT_NS
            if now_ns - since_ns <= allowed_ns:
                continue
            allowed_ns += self._allowed_ns(since_ns, now_ns)
            naked_ns = now_ns - since_ns
            expect(naked_ns <= allowed_ns, "I7", (what, "naked for", naked_ns, "of", allowed_ns))


FLIGHT_NS = 250 * 10**6
"""The way to the venue and back, twice: of a fill's report and an exit's acknowledgement."""


def _rank(order: Order) -> int:
    return _FINAL_RANK if order.status in FINAL else _RANK[order.status]


def _line(event: Event, step: Step) -> str:
    """One line on a turn, for a person."""
    what = type(event).__name__
    if isinstance(event, OrderReport):
        what += f" {event.client_order_id} {event.kind}"
        if event.fill is not None:
            what += f" {event.fill.quantity} at {event.fill.price}"
    elif step.decision is not None:
        decision = step.decision
        what += f" {decision.signal_id} {decision.outcome} {decision.reason or ''}"
    else:
        for name in ("client_order_id", "position_id", "timer", "symbol", "va_id", "note"):
            if hasattr(event, name):
                what += f" {getattr(event, name)}"
    for command in step.commands:
        order = getattr(command, "order", None)
        name = order.client_order_id if order else getattr(command, "client_order_id", "")
        what += f" => {type(command).__name__} {name}".rstrip()
    return what

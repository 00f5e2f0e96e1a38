"""The invariants, and where each is checked.

`Monitor` sees every turn and every request, `EntryWatch` (E) what concerns entries, `CoverWatch`
the cover; what needs everything at rest is in `rest`, at the end of a `World`'s day (W), and with a
star also at each start after a crash.

| | checked by |
| --- | --- |
| I1 persisted before sent | `_sent_order`, in the database; syncing: test_sqlite_manager |
| I2 at most once | `_sent_order`, over all lives, and `Ledger.add` |
| I3 id a pure function | `_sent_order`; the same after a start: test_restart |
| I4 order lattice | `_order`; any order of reports: test_life_cycle, test_desk_machine |
| I5 fill once | `_fill`; distinct fills never collapse: `rest.money_agrees` |
| I6 conservation | `assert_sound`; `rest`: `holdings_agree`, `money_agrees`, `each_adds_up`* |
| I7 cover | `at_instant`, by both clocks of RULES 25; `assert_fits` at every turn; `rest.covered` |
| I8 stop geometry | `_plan` against the entry, `_commanded` against the market |
| I9 reduce-only | `_sent_exit`, and `Ledger.execute` |
| I10 symbol lock | `_lock` |
| I11 max open | E `_within_limits` |
| I12 throttle | E `_within_limits`; no wall clock in the pure part: test_tidy |
| I13 cooldown | E `_within_limits`, from the trades alone; exits pass: E `decided` |
| I14 fail-closed filters | E `_good_moment` at the decision, E `sent` on what the feed gave last |
| I15 kill | E `sent`, E `took_in`, W `_start_engine`; on a real latch file |
| I16 truthful flat | `_flat`, by the venue's ledger |
| I17 unknown is not empty | `_order`: what ends as never arrived is not there; `_compared` |
| I18 replay = live | `rest.journal_holds`*, `rest.loads_alike`; deciding again: test_simulator |
| I19 restart idempotence | W `_start_again` |
| I20 convergence | `rest.orders_agree`, W `_look_at_rest`, W `_start_again` |
| I21 liveness | `at_instant`, W `_look_at_rest`, W `_run_until`; dead tasks: test_live_loop |
| I22 traceability | `_sent_order`, `told`, `rest.traced`; secrets: test_config_view |
| I23 connection | `ConnectionWatch` at decision, sending and each instant; `_order` |
| I24 what a venue forbids | `ForbiddenWatch`, from `on_turn`; and the venue refuses it |
"""

from collections import Counter, deque
from collections.abc import Callable
from decimal import Decimal
from sqlite3 import Connection

from pointsman.domain.accounts import Incident, KillSwitch
from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.domain.commands import Cancel, Compare, Record, Step, Submit
from pointsman.domain.events import Compared, Event, OrderReport
from pointsman.domain.life_cycle import FINAL, OrderStatus
from pointsman.domain.market import Quote
from pointsman.domain.orders import Fill, Order, Role
from pointsman.domain.policy import Policy
from pointsman.domain.positions import Position, PositionState, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.signals import Decision
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.execution.books import Books
from pointsman.execution.naked_time import is_leaving
from pointsman.execution.ports import VenueRequest
from pointsman.simulator.broken import expect
from pointsman.simulator.connection_watch import ConnectionWatch
from pointsman.simulator.cover_watch import CoverWatch
from pointsman.simulator.entry_watch import EntryWatch
from pointsman.simulator.faults import LOSING, LOSING_IN_SESSION, Faults
from pointsman.simulator.forbidden_watch import ForbiddenWatch, is_forbidden
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.simulator.ledger import NOTHING
from pointsman.simulator.trail import TRAIL_LEN_MAX, TrailLine, describe
from pointsman.storage import reader
from pointsman.storage.sqlite_manager import SqliteManager

_RANK = {
    OrderStatus.INITIALIZED: 0,
    OrderStatus.SUBMITTED: 1,
    OrderStatus.ACCEPTED: 2,
    OrderStatus.PARTIALLY_FILLED: 3,
}
_FINAL_RANK = 4
_LOST = (OrderStatus.REJECTED, Reason.NEVER_ARRIVED)
CANCELS_MAX = 60
"""So often one order may be cancelled: once a while, not at the speed of the wire."""


class Monitor:
    """Looks on at one run, over all lives of the engine. `reload` after each start; `lag_ns` is how
    far the engine's clock is behind."""

    def __init__(self, policy: Policy, venue: HostileVenue, faults: Faults, cover: CoverWatch):
        self.trail: deque[TrailLine] = deque(maxlen=TRAIL_LEN_MAX)
        self.steps = 0
        self.sent = 0
        self.lag_ns = 0
        self.entries = EntryWatch(policy)
        self.forbids = ForbiddenWatch(policy)
        self.connection = ConnectionWatch(venue.connection)
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
        self._strays: dict[str, set[str]] = {}
        self._asked_ns: int | None = None
        self._lag_max_ns = 0
        self._leaving_ns: dict[int, int] = {}

    def reload(self, books: Books, manager: SqliteManager, connection: Connection) -> None:
        """A new life: what was not committed never was."""
        self._books, self._manager = books, manager
        self._orders = dict(books.orders)
        self._fills.clear()
        self._cover.recharge()
        for fill in reader.fills(connection):
            self._fill(fill)
        self.entries.reload(connection)
        self._asked_ns = None

    # -- each turn ---------------------------------------------------------------------------------

    def on_turn(self, now_ns: int, event: Event, step: Step) -> None:
        """Look at one turn."""
        self.steps += 1
        self._remember(now_ns, event, step)
        if isinstance(event, Compared):
            self._compared(event)
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
        if isinstance(event, OrderReport) and is_forbidden(event):
            self._forbidden(event.client_order_id, now_ns + self.lag_ns)
        if step.decision is not None and not (step.is_repeat or step.is_reused_id):
            self.connection.decided(step.decision)
            self.entries.decided(event, step.decision, self._books, now_ns)
            self.forbids.decided(step.decision, self._books)
        self.entries.took_in(event, self._books)

    def _forbidden(self, order_id: str, at_ns: int) -> None:
        """I24: an order of ours was refused for what works beside it."""
        order = self._orders.get(order_id)
        if order is not None:
            allowed_ns = self._allowed_ns(order.symbol, at_ns - FORBIDDEN_WITHIN_NS, at_ns)
            self.forbids.refused(order, has_cause=allowed_ns > 0)

    def _compared(self, event: Compared) -> None:
        """I17: only a whole answer concludes anything."""
        is_whole = event.is_complete and event.taken_at_ns in self._venue.whole_at_ns
        expect(is_whole, "I17", ("a part of an answer was taken for all of it", event))

    def _remember(self, now_ns: int, event: Event, step: Step) -> None:
        if not step.changes and not step.commands:
            return
        va_ids = dict.fromkeys(getattr(record, "va_id", None) for record in step.changes)
        names = tuple(va_id for va_id in va_ids if va_id is not None)
        self.trail.append(TrailLine(now_ns, describe(event, step), names))

    def _record(self, record: Record) -> None:
        if isinstance(record, Order):
            self._order(record)
        elif isinstance(record, Fill):
            self._fill(record)
        elif isinstance(record, Trade):
            self.entries.closed(record)
        elif isinstance(record, Position):
            self._plan(record)
        elif isinstance(record, KillSwitch):
            self.entries.switched(record)
            self._flat(record)
        elif isinstance(record, Incident) and record.kind is Reason.NAKED_POSITION:
            self._naked(record)

    def _order(self, order: Order) -> None:
        """I4: a rank only rises, what is filled never falls, and never is more than was ordered
        without a report of it (OVERFILL freezes). I17: what never arrived is not at the venue."""
        order_id = order.client_order_id
        before = self._orders.get(order_id)
        self._orders[order_id] = order
        if before is not None:
            rises = _rank(order) >= _rank(before) and order.filled >= before.filled
            expect(rises, "I4", (before, order), order.va_id)
        is_told = self._books.accounts[order.va_id].frozen_for is not None
        expect(order.filled <= order.quantity or is_told, "I4", ("overfill", order), order.va_id)
        if order.status is OrderStatus.DENIED and order_id in self._sent:
            is_certain = order_id in self._venue.connection.given_back
            expect(is_certain, "I23", ("denied, but it may be there", order), order.va_id)
        has_ended = before is None or before.status not in FINAL
        if has_ended and (order.status, order.end_reason) == _LOST:
            there = self._venue.ledger.orders.get(order_id)
            is_late = there is None or (
                self._policy.abilities.request_expiry_ns is None
                and there.ts_ns > self._venue.denied_ns.get(order_id, there.ts_ns)
            )
            expect(is_late, "I17", ("declared absent, but there", order), order.va_id)

    def _fill(self, fill: Fill) -> None:
        """I5: once."""
        expect(fill.key not in self._fills, "I5", ("booked twice", fill), fill.va_id)
        self._fills.add(fill.key)
        if fill.is_external:
            self._cover.charge(fill.key, fill.symbol, fill.side, fill.quantity)

    def _flat(self, switch: KillSwitch) -> None:
        """I16: "flat" only while nothing of ours but dust is held there, and nothing can fill."""
        if switch.flat_at_ns is None:
            return
        ledger = self._venue.ledger
        ours = [o for some in ledger.open_by_symbol.values() for o in some.values()]
        left = [order.client_order_id for order in ours if not order.is_foreign]
        expect(not left, "I16", ("said to be flat, with open orders", left))
        dust: dict[tuple[str, PositionSide], Decimal] = {}
        for position in self._books.positions.values():
            if position.state is PositionState.DUST:
                place = (position.symbol, position.side)
                dust[place] = dust.get(place, NOTHING) + position.quantity
        for symbol, quote in self._venue.matching.quotes.items():
            for side in PositionSide:
                held = self._cover.uncovered(symbol, side, quote.bid)
                is_dust = held <= dust.get((symbol, side), NOTHING)
                expect(is_dust, "I16", ("said to be flat, but holds", symbol, side, held))

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
        beside = {books.orders[order_id].symbol for order_id in index.orders}
        beside |= {p.symbol for p in held if p.is_live}
        beside.discard(account.leased_symbol)
        # A late fill beside the lease freezes; what it opened may outlive the freeze, no more.
        known = beside if account.frozen_for is not None else self._strays.get(va_id, set())
        expect(beside <= known, "I10", ("beside its lease", beside), va_id)
        self._strays[va_id] = beside

    def _plan(self, position: Position) -> None:
        """I8: the stop of a position that has just opened stands on the losing side of its fill."""
        if position.is_live and len(position.lots) == 1 and not position.exit_quantity:
            [lot] = position.lots
            is_wrong = position.side.less_favourable(lot.price, position.stop_price)
            expect(not is_wrong, "I8", ("planned through its entry", position), position.va_id)

    def _commanded(self, order: Order, event: Event) -> None:
        """I8: a stop that is asked for stands on the right side of the price that was looked at,
        and closes what it is for."""
        if order.role is not Role.ENTRY:
            self.forbids.commanded(order, self._books)
        if order.role is not Role.STOP:
            return
        closes = order.side is order.position_side.closes_with
        expect(closes and order.trigger_price is not None, "I8", order, order.va_id)
        mark: Quote | None = getattr(event, "mark", None)
        if mark is not None and mark.symbol == order.symbol and order.trigger_price is not None:
            touch = mark.closing_touch(order.position_side)
            is_wrong = order.position_side.less_favourable(touch, order.trigger_price)
            expect(not is_wrong, "I8", ("through the market", order, mark), order.va_id)

    def locks_hold(self) -> None:
        """I10, of all VAs."""
        for va_id in self._books.accounts:
            self._lock(va_id)

    # -- each request ------------------------------------------------------------------------------

    def on_send(self, request: VenueRequest, now_ns: int) -> None:
        """Look at what is about to leave."""
        if isinstance(request, Compare):
            self._asked_ns = now_ns
        if isinstance(request, Cancel):
            self._cancels[request.client_order_id] += 1
            count = self._cancels[request.client_order_id]
            expect(count <= CANCELS_MAX, "I22", ("cancelled over and over", request, count))
        if not isinstance(request, Submit):
            return
        order = request.order
        self.sent += 1
        self.trail.append(
            TrailLine(now_ns, f"-> {order.client_order_id} {order.side} {order.quantity}"
                 f" {order.symbol} at {order.limit_price or order.trigger_price}", (order.va_id,))
        )  # fmt: skip
        self._sent_order(order)
        if order.role is Role.ENTRY:
            self.connection.entry(order, order.va_id)
            self.entries.sent(order, now_ns)
        else:
            self._sent_exit(order)
            self.connection.closing(order, now_ns)

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
            and self._is_counted(order, parts.attempt)
            and len(order_id) <= 32
            and order_id.isalnum()
        )
        expect(is_pure, "I3", order, va_id)
        self._sent.add(order_id)
        is_traced = order.signal_id is not None or order.role is not Role.ENTRY
        expect(is_traced, "I22", ("no signal asked for it", order), va_id)

    def _is_counted(self, order: Order, attempt: int) -> bool:
        """Whether an attempt is one of those that the position has counted."""
        if order.role is Role.ENTRY:
            return attempt == 1
        position = self._books.positions.get(order.position_id)
        is_stop = order.role is Role.STOP
        made = 0 if position is None else position.stops_made if is_stop else position.exits_made
        return 1 <= attempt <= made

    def _sent_exit(self, order: Order) -> None:
        """I9: closes, and no more than there is."""
        position = self._books.positions.get(order.position_id)
        expect(order.reduce_only and order.side is order.position_side.closes_with, "I9", order)
        held = None if position is None else position.quantity
        fits = held is not None and (order.quantity <= held or self.is_storage_failing())
        expect(fits, "I9", ("more than is held", held, order), order.va_id)

    def told(self, decision: Decision) -> None:
        """A signal's sender received its decision: it is stored (I1), and is the only one ever
        (I22)."""
        signal_id = decision.signal_id
        stored = self._manager.first_decision(signal_id)
        expect(stored is not None, "I22", ("answered before stored", decision), decision.va_id)
        first = self._answers.setdefault(signal_id, decision)
        is_one = repr(first) == repr(decision)  # A quote may be NaN, which equals nothing.
        expect(is_one, "I22", ("two answers", first, decision), decision.va_id)

    # -- each instant ------------------------------------------------------------------------------

    def _naked(self, incident: Incident) -> None:
        """I7: a deadline passes only where something went wrong."""
        at_ns = incident.at_ns + self.lag_ns
        since_ns = at_ns - self._policy.protection_deadline_ns
        allowed_ns = self._allowed_ns(incident.symbol or "", since_ns, at_ns)
        expect(allowed_ns > 0, "I7", ("a deadline passed without cause", incident), incident.va_id)

    def _allowed_ns(self, symbol: str, since_ns: int, now_ns: int) -> int:
        policy = self._policy
        each_ns, lost_ns = policy.submit_timeout_ns + FLIGHT_NS, policy.request_life_ns + FLIGHT_NS
        ends = policy.abilities.requests_end_with_session
        losing = LOSING_IN_SESSION if ends else LOSING
        return self._faults.allowance_ns(symbol, since_ns, now_ns, each_ns, lost_ns, losing)

    def at_instant(self, now_ns: int) -> None:
        """I7: what is naked, by the venue or by our own record, is so no longer than allowed. I21:
        the venue is asked for everything at least once a period."""
        policy = self._policy
        self._lag_max_ns = max(self.lag_ns, self._lag_max_ns)
        if self._asked_ns is None:
            self._asked_ns = now_ns - self.lag_ns
        waited_ns = now_ns - self.lag_ns - self._asked_ns
        is_asked = waited_ns <= policy.reconcile_interval_ns + SECOND_NS
        expect(is_asked, "I21", ("the venue was not asked for", waited_ns))
        self.connection.at_instant()
        spells = [(place[0], str(place), since_ns) for place, since_ns in self._cover.naked.items()]
        for key in self._books.naked:
            position = self._books.positions[key]
            since_ns = position.naked_since_ns
            if is_leaving(self._books, position):
                # Exits that wait for the market are all that can be done (RULES 63).
                self._leaving_ns[key] = now_ns - self._lag_max_ns
            if since_ns is not None:
                since_ns = max(since_ns, self._leaving_ns.get(key, 0))
                spells.append((position.symbol, f"position {key}", since_ns + self._lag_max_ns))
        for symbol, what, since_ns in spells:
            allowed_ns = policy.protection_deadline_ns
            if now_ns - since_ns <= allowed_ns:
                continue
            allowed_ns += self._allowed_ns(symbol, since_ns, now_ns)
            naked_ns = now_ns - since_ns
            expect(naked_ns <= allowed_ns, "I7", (what, "naked for", naked_ns, "of", allowed_ns))


FORBIDDEN_WITHIN_NS = 60 * SECOND_NS
"""What went wrong so long ago may still be why an order is forbidden."""

FLIGHT_NS = 250 * MS_NS
"""The way to the venue and back, twice: of a fill's report and an exit's acknowledgement."""


def _rank(order: Order) -> int:
    return _FINAL_RANK if order.status in FINAL else _RANK[order.status]

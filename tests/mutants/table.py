"""The mutants as data: one exact text of one file of the package, and what stands there instead.

Those of an invariant stand together. The name says what is wrong with the program. Where a `test`
is named it must fail in place of the simulator, and `because` says why that cannot see the fault.
"""

from tests.mutants.abilities import ABILITIES
from tests.mutants.bybit import BYBIT
from tests.mutants.connection import CONNECTION
from tests.mutants.live_quotes import LIVE_QUOTES
from tests.mutants.money import MONEY
from tests.mutants.mutant import Mutant
from tests.mutants.storing import STORING

BOOKS, COVER = "execution/books.py", "execution/protection.py"
HANDLERS, FILTERS = "execution/event_handlers.py", "execution/filters.py"
GOVERNOR, JUDGEMENT = "execution/governor.py", "execution/judgement.py"
INTAKE = "execution/venue_intake.py"
ORDERS, ORDER_IDS = "domain/orders.py", "domain/client_order_ids.py"
LOSSES, DOUBT = "execution/loss_limits.py", "execution/doubt.py"
GATE, OPERATOR = "execution/last_check.py", "execution/operator_actions.py"
LOOP = "execution/execution_loop.py"

PERSISTED = (
    Mutant(
        "I1", "sends first, commits then", LOOP,
        "self._outbox.put(self._ticket, command, step)", "self._outbox.put(0, command, step)",
    ),
    Mutant(
        "I2", "sends again on a timeout", HANDLERS,
        "TimerKind.SUBMIT_TIMEOUT: doubt.on_silence,",
        "TimerKind.SUBMIT_TIMEOUT: lambda books, timer, _now: ["
        'order_manager.Submit(order) for order in [books.orders.get(timer.key)]'
        ' if order and order.status == "SUBMITTED"],',
    ),
    Mutant(
        "I2", "a not-found counts before the settle time", DOUBT,
        "if event.asked_at_ns <", "if False and event.asked_at_ns <",
    ),
    Mutant(
        "I3", "a uuid for each attempt", ORDER_IDS,
        'own = f"{code}{number}{role.letter}{attempt}"',
        "import uuid\n"
        '    own = f"{code}{number}{role.letter}{uuid.uuid4().int % 10**6}"',
    ),
    Mutant(
        "I4", "the last message wins", "domain/life_cycle.py",
        "following = TRANSITIONS[status].get(kind)",
        "following = TRANSITIONS[_S.INITIALIZED].get(kind)",
    ),
)  # fmt: skip

PROTECTION = (
    Mutant(
        "I7", "a stop is as large as the entry that was ordered", COVER,
        "submit_closing(books, position.position_id, Role.STOP, allowed, now_ns)",
        "submit_closing(books, position.position_id, Role.STOP,"
        " books.orders[position.entry_order_id].quantity"
        " if position.entry_order_id in books.orders else allowed, now_ns)",
    ),
    Mutant(
        "I7", "a second partial fill gets no stop", COVER,
        "    missing_stop = whole_lots(staying_held - total_leaves(keep), lot)\n"
        "    if missing_stop",
        "    missing_stop = ZERO if keep else staying_held\n    if missing_stop",
    ),
    Mutant(
        "I7", "an exit leaves beside the stop that covers the same", COVER,
        "room = whole_lots(held - exit_leaves - total_leaves(stops), lot)", "room = held",
    ),
    Mutant(
        "I8", "which side a stop is on is told from the price", COVER,
        "return position.side.less_favourable(",
        "side = type(position.side)\n"
        "    side = side.LONG if position.stop_price < mark.mid else side.SHORT\n"
        "    return side.less_favourable(",
        test="tests/unit/test_protection.py"
        "::test_rule_23_a_stop_on_the_wrong_side_is_never_sent",
        because="the venue refuses such a stop, and its refusal leads to the exit as well",
    ),
    Mutant(
        "I8", "a stop stands on the side of the gains", "execution/pricing.py",
        "- side.sign * ", "+ side.sign * ",
    ),
    Mutant(
        "I9", "the reduce-only flag is dropped", ORDERS,
        "return self.role is not Role.ENTRY", "return False",
    ),
    Mutant(
        "I9", "an exit leaves for a size that is past", GATE,
        " or order.quantity > position.quantity", "", is_rare=True,
    ),
    Mutant(
        "I10", "the lease goes with the first exit fill", "execution/booking.py",
        "    left, fee = fill.quantity, fill.fee\n",
        "    left, fee = fill.quantity, fill.fee\n"
        "    books.put_account(replace(books.accounts[order.va_id], leased_symbol=None))\n",
    ),
    Mutant(
        "I10", "dust keeps the lease", "execution/lease.py",
        "if all(position.state is PositionState.DUST for position in held):",
        "if not list(held):",
        "tests/unit/test_lease.py::test_i10_dust_does_not_hold_the_lease",
        "in 60 seeds no VA was left with nothing but dust",
    ),
)  # fmt: skip

GOVERNANCE = (
    Mutant(
        "I11", "slots do not count", GOVERNOR,
        "slots = books.slots_used(account.va_id) + 1", "slots = 0",
    ),
    Mutant(
        "I11", "entries in flight do not count", BOOKS,
        "len(self.open_positions(va_id)) + len(opening)", "len(self.open_positions(va_id))",
        "tests/unit/test_governor.py::test_f67_of_ten_signals_at_once_three_slots_admit_three",
        "two entries a minute, as the simulated VAs may make, are hardly ever in flight at once",
    ),
    Mutant(
        "I12", "the wall clock throttles", BOOKS,
        "        while times and times[0] <= now_ns - MINUTE_NS:",
        "        import time\n\n"
        "        while times and times[0] <= time.time_ns() - MINUTE_NS:",
        "tests/unit/test_tidy.py::test_the_tree_keeps_the_rule"
        "[pure_part_is_a_function_of_its_inputs]",
        "on virtual time the wall clock stands somewhere else, before it or behind",
    ),
    Mutant(
        "I12", "entries do not count", BOOKS, "        return len(times)\n", "        return 0\n",
    ),
    Mutant(
        "I12", "each start throttles anew", "execution/loading.py",
        "in sorted(loaded.entry_times, key=lambda entry: entry[1]):", "in ():",
        "tests/unit/test_loading.py::test_i12_a_start_remembers_the_entries_of_the_last_minute",
        "a third signal of one VA within a minute, and a crash in it, hardly ever meet",
    ),
    Mutant(
        "I13", "a start forgets the losses", "execution/loading.py",
        "books.put_account(account)",
        "books.put_account(msgspec.structs.replace("
        "account, loss_streak=0, cooldown_until_ns=None))",
    ),
    Mutant(
        "I13", "a cooldown takes the general limits", LOSSES,
        "limits = books.policy.limits_of(va_id)", "limits = books.policy.limits",
        "tests/unit/test_loss_limits.py::test_rule_16_third_loss_in_a_row_starts_a_cooldown",
        "all simulated VAs have the same limits",
    ),
    Mutant(
        "I13", "only losses by an exit signal count", LOSSES,
        "account, pnl = books.accounts[trade.va_id], trade.pnl\n",
        "account, pnl = books.accounts[trade.va_id], trade.pnl"
        " if trade.exit_reason is Reason.SIGNAL_EXIT else ZERO\n",
    ),
    Mutant(
        "I13", "an exit waits for the window to open", JUDGEMENT,
        "decision = _decision(event, way, (*way.checks, size.minimum), now_ns)",
        "window = event.window\n"
        "    opens = window is not None and window.opens_ns <= now_ns < window.closes_ns\n"
        '    open_check = Check(Reason.OUTSIDE_WINDOW, opens, "", "")\n'
        "    decision = _decision(event, way, (*way.checks, open_check, size.minimum), now_ns)",
    ),
    Mutant(
        "I14", "`if spread > max`, and NaN is no more than it", "domain/market.py",
        "ZERO < self.bid <= self.ask < _INFINITY",
        "not (float(self.bid) <= 0 or float(self.bid) > float(self.ask))",
    ),
    Mutant(
        "I14", "an invalid quote is no breach", FILTERS, "    yield _validity(newest)\n", "",
    ),
    Mutant(
        "I14", "any spread will do", FILTERS,
        "passed = (quote.ask - quote.bid) * 2 * BPS <=", "passed = True or ZERO <=",
        is_rare=True,
    ),
    Mutant(
        "I14", "any age will do", FILTERS, "age_ns <= limits.max_latency_ns", "True",
    ),
    Mutant(
        "I14", "any slippage will do", FILTERS,
        "passed = worse * BPS <=", "passed = True or ZERO <=",
    ),
    Mutant(
        "I14", "the window is always open", FILTERS,
        "is_open = window is not None and", "is_open = window is None or True or",
    ),
    Mutant(
        "I15", "the kill switch is a flag in memory", "execution/loading.py",
        "if loaded.kill_switch is not None:", "if False:",
    ),
    Mutant(
        "I15", "the last gate does not know the kill latch", "engine/assembly.py",
        "latch.listen(lambda is_set: loop.hold(Hold.KILL_LATCH, is_set))",
        "latch.listen(lambda is_set: loop.hold(Hold.KILL_LATCH, False))",
        "tests/unit/test_assembly.py", "the desk is told within the same instant",
    ),
    Mutant(
        "I15", "a lost latch file is not noticed", "engine/kill_latch.py",
        "            if not self._is_ours():\n                note",
        "            if False:\n                note",
        "tests/unit/test_kill_latch.py", "nobody removes files in the simulated world",
    ),
    Mutant(
        "I15", "the kill latch is a flag in memory", "engine/kill_latch.py",
        "self._takes_in_file()\n            return self._store()",
        "self._takes_in_file()\n            return True",
        "tests/unit/test_kill_latch.py", "few simulated kills are pressed while the engine is down",
    ),
    Mutant(
        "I15", "the kill latch is looked at every ten seconds", "engine/latch_watch.py",
        "EVERY_SECONDS = 1.0", "EVERY_SECONDS = 10.0",
        "tests/unit/test_side_threads.py::test_rule_19_the_latch_is_looked_at_each_second",
        "the simulator has no threads: it looks at the latch itself",
    ),
    Mutant(
        "I15", "one fresh quote makes the reading of all fresh", "execution/kill_switch.py",
        "    return all(\n        mark.ts_ns > seen", "    return any(\n        mark.ts_ns > seen",
        "tests/unit/test_execution_kill_switch.py"
        "::test_rule_19_a_reading_is_fresh_only_with_newer_quotes_of_all_that_is_held",
        "no limit over all VAs is set in the simulator",
    ),
    Mutant(
        "I15", "only orders with a position are cancelled", "execution/desk.py",
        "status is not AccountStatus.ACTIVE:",
        "status is not AccountStatus.ACTIVE and books.open_positions(va_id):",
    ),
    Mutant(
        "I15", "nobody looks at the kill switch", "domain/accounts.py",
        "if self.state is not KillState.OFF:", "if False:",
    ),
)  # fmt: skip

TRUTH = (
    Mutant(
        "I16", "an answer that failed is an empty one", INTAKE,
        "not snapshot.is_complete or ", "",
    ),
    Mutant(
        "I16", "flat is told as soon as it is asked for", "execution/kill_switch.py",
        "flat_at_ns=None,", "flat_at_ns=now_ns,",
    ),
    Mutant(
        "I16", "flat, with open orders", OPERATOR, "        and not books.orders\n", "",
        "tests/unit/test_execution_kill_switch.py"
        "::test_i16_flat_is_said_only_when_nothing_is_held_nothing_can_fill_and_the_venue_agrees",
        "in 60 seeds no comparison ended while only orders were left of a flatten",
    ),
    Mutant(
        "I17", "what could not be looked up does not exist", INTAKE,
        'raise StorageHeld(f"what became of {order_id} cannot be looked up")', "return None",
        "tests/unit/test_venue_intake.py::test_rule_32_a_late_fill_waits_while_storage_cannot_be_asked",
        "a full disk and a late fill of an order that has ended seldom meet",
    ),
    Mutant(
        "I17", "an answer without a part is whole", "execution/reconcile.py",
        "    if filled != venue_order.filled:\n        return reports\n", "",
        "tests/unit/test_reconcile.py", "the simulated venue never leaves out a part of a history",
    ),
    Mutant(
        "I18", "an account changes without a record", BOOKS,
        "        self.changes[Account, account.va_id] = account\n",
        "        if before is None or account.cash != before.cash:\n"
        "            self.changes[Account, account.va_id] = account\n",
    ),
    Mutant(
        "I18", "EXTERNAL changes without a record", BOOKS,
        "        self.changes[ExternalHolding, (holding.symbol, holding.side)] = holding\n", "",
    ),
    Mutant(
        "I19", "a uuid in the key of a fill without a trade id", "execution/fills.py",
        '    facts = ":".join(', '    import uuid\n\n    facts = str(uuid.uuid4()) + ":".join(',
    ),
    Mutant(
        "I19", "a start believes in no stop and sends it again", OPERATOR,
        "books.put_order(replace(order, is_unknown=True))",
        "books.put_order(replace(order, is_unknown=True, status=OrderStatus.CANCELED"
        " if order.role is Role.STOP else order.status))",
    ),
    Mutant(
        "I20", "EXTERNAL is inferred again in each cycle", "execution/reconcile.py",
        "ours[key] = ours.get(key, ZERO) + external.quantity", "ours.setdefault(key, ZERO)",
    ),
    Mutant(
        "I20", "a difference is booked again in each cycle", "execution/external_holdings.py",
        "difference = event.venue_quantity - ours - theirs",
        "difference = event.venue_quantity - ours",
        "tests/unit/test_external_holdings.py",
        "the simulated venue explains all that it holds by its trades",
    ),
    Mutant(
        "I21", "the loop swallows an exception", "engine/live_loop.py",
        "            self._step(due_ns)\n",
        "            with suppress(Exception):\n                self._step(due_ns)\n",
        "tests/unit/test_live_loop.py"
        "::test_a_broken_rule_of_ours_ends_the_run_and_nothing_is_decided_afterwards",
        "the simulator drives the loop itself, on virtual time",
    ),
    Mutant(
        "I21", "the venue is compared with only once", "execution/comparing.py",
        "self.due_ns = now_ns + self._interval_ns", "self.due_ns = None",
    ),
    Mutant(
        "I21", "a stop is sent for ever", "execution/surplus.py",
        "fitting(stops[::-1]), fitting(newest_first), key", "fitting(stops[::-1]), key",
        "tests/unit/test_found_by_simulation.py", "it takes four stops of certain sizes",
    ),
    Mutant(
        "I22", "fires and forgets", JUDGEMENT,
        "    books.note(ruling.decision, signal.signal_id)\n", "",
    ),
    Mutant(
        "I22", "tells before it is stored", LOOP,
        "self._outbox.put(self._ticket, answer, step)", "self._outbox.put(0, answer, step)",
    ),
    Mutant(
        "I22", "a refused cancel is sent over and over", DOUBT,
        "    if order is None or not order.is_cancel_pending:\n        return []\n",
        "    if order is None or not order.is_cancel_pending:\n        return []\n"
        "    order = replace(order, is_cancel_pending=False)\n",
    ),
)  # fmt: skip

OUTLIVES = (
    Mutant(
        "I7", "an answer after a restart proves nothing where it could", DOUBT,
        "if is_inherited and books.policy", "if False and is_inherited and books.policy",
        "tests/stories/test_restart_and_storage.py",
        "a crash seldom strikes exactly between a fill and its stop",
    ),
    Mutant(
        "I2", "what this session sends counts as lost at once too", DOUBT,
        "if is_inherited and books.policy", "if books.policy",
        "tests/stories/test_restart_and_storage.py",
        "where requests end with their session the simulated ones are seldom late",
    ),
    Mutant(
        "I1", "a database that has lost turns trades on", "engine/same_account.py",
        "if client.sequence and manager", "if False and manager",
        "tests/unit/test_same_account.py", "the simulated venue keeps no ledger in a file",
    ),
    Mutant(
        "I1", "turns are stored in a file that was removed", "storage/sqlite_manager.py",
        "if fault := fault_of(path, opened):", "if (fault := fault_of(path, opened)) and False:",
        "tests/unit/test_sqlite_manager.py", "nobody removes a file of the simulation",
    ),
    Mutant(
        "I6", "entries go where a holding is disputed", GOVERNOR,
        "if lack > ZERO:", "if lack < ZERO:",
        "tests/unit/test_shortfall.py", "no invariant says who may buy beside a dispute",
    ),
)  # fmt: skip

MUTANTS = (
    ABILITIES
    + STORING
    + OUTLIVES
    + PERSISTED
    + MONEY
    + PROTECTION
    + GOVERNANCE
    + TRUTH
    + CONNECTION
    + LIVE_QUOTES
    + BYBIT
)

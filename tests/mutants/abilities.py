"""The mutants of what is done with a venue's abilities, as in the table."""

from tests.mutants.mutant import Mutant

ABILITIES = (
    Mutant(
        "I24", "an entry is sent beside a stop that forbids it", "execution/signal_router.py",
        "    if (can := books.policy.abilities).forbids or not can.takes_requests_in_order:\n",
        "    if False:\n",
    ),
    Mutant(
        "I24", "a stop is sent beside its entry", "execution/venue_forbids.py",
        "return any(not entry.is_unknown for entry in _entries_against(books, position))",
        "return False",
    ),
    Mutant(
        "I24", "a forbidden stop is sent at the speed of the wire", "execution/protection.py",
        "if role is Role.STOP and not pace", "if False and not pace",
        "tests/unit/test_venue_forbids.py", "what forbids one in the simulation seldom stays long",
    ),
    Mutant(
        "I24", "what is too large for the market is sent in one order", "domain/market.py",
        "if largest is None or quantity <= largest:", "if True:",
    ),
    Mutant(
        "I24", "what others have at work is not looked at", "execution/venue_intake.py",
        "if not self._desk.books.policy.abilities.forbids:", "if True:",
        "tests/unit/test_venue_intake.py",
        "what they forbid is refused by the venue, which harms nobody but the signal",
    ),
    Mutant(
        "I7", "an entry that does not end is waited for to the last", "execution/timers.py",
        "is_waiting = venue_forbids.must_wait(books, position)", "is_waiting = False",
        "tests/unit/test_venue_forbids.py",
        "the deadline exits all the same, and only faults keep an entry from ending",
    ),
    Mutant(
        "I7", "a stop that trades is taken for one that rests", "execution/order_manager.py",
        "return is_trade or event.kind", "return event.kind",
        "tests/unit/test_order_manager.py",
        "the venue's own orders are the cover that the simulator looks at",
    ),
    Mutant(
        "I7", "a stop that fails at its trigger is only replaced", "execution/order_ends.py",
        "    return is_needed and order.status", "    return False and order.status",
        "tests/unit/test_order_ends.py", "the price is through it then, so an exit follows anyway",
    ),
    Mutant(
        "I7", "a stop that the venue forbids is given up", "execution/order_ends.py",
        "if is_new and order.end_reason", "if False and order.end_reason",
        "tests/unit/test_venue_forbids.py",
        "the exit that is sent instead is forbidden as long as the stop would have been",
    ),
    Mutant(
        "I2", "a not-found counts before the request has expired", "domain/policy.py",
        "else min(expiry_ns, self.order_settle_ns)", "else 0",
    ),
    Mutant(
        "I2", "a settle time below the expiry is taken", "engine/assembly.py",
        "if expiry_ns is not None and policy.order_settle_ns < expiry_ns:", "if False:",
        "tests/unit/test_assembly.py", "the simulated settings fit the simulated venues",
    ),
    Mutant(
        "I6", "the account is taken for what a setting says", "domain/policy.py",
        "position_mode=abilities.position_mode or self.position_mode,",
        "position_mode=self.position_mode,",
        "tests/unit/test_policy.py", "the simulated account is made by the same function",
    ),
)  # fmt: skip

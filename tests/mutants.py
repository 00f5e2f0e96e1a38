"""Mutants: the fault named beside each invariant, put into a copy of the code. A checker that has
never been seen to fail is no evidence, so for each the simulator must.

    python tests/mutants.py [SEEDS]

prints a table: mutant, what caught it, how many seeds that took; exits 1 if one was not caught.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SEEDS = 40
TIMEOUT_SECONDS = 120


class Mutant(NamedTuple):
    """One fault: `old` becomes `new` in one file of the package. `instead` runs these tests in
    place of the simulator, where it cannot see the fault."""

    invariant: str
    name: str
    path: str
    old: str
    new: str
    instead: str = ""


FOUND = "tests/unit/test_found_by_simulation.py"
MANAGER, ORDERS = "execution/order_manager.py", "domain/orders.py"
COVER, BOOKING = "execution/cover.py", "execution/booking.py"
MUTANTS = (
    Mutant(
        "I1", "send before the commit", "engine/outbox.py",
        "if ticket <= durable or (", "if True or (",
    ),
    Mutant(
        "I1", "synchronous=OFF", "storage/sqlite_manager.py", "synchronous = FULL",
        "synchronous = OFF", "tests/unit/test_sqlite_manager.py",
    ),
    Mutant(
        "I3", "an id that is not of this order", ORDERS,
        'return f"{code}{number}{role.letter}{attempt}"',
        'return f"{code}{number + attempt - 1}{role.letter}{attempt}"',
    ),
    Mutant(
        "I5", "no recognition of a fill", MANAGER,
        "if booking.fill_key(order.client_order_id, order.side, fill) in keys:", "if False:",
    ),
    Mutant(
        "I5", "recognised by its trade id alone", BOOKING,
        'return f"{order_id}:{fill.trade_id}:{side.value}"', 'return f"{side.value}"',
    ),
    Mutant(
        "I6", "a fee is forgotten", BOOKING,
        "order.side.sign * fill.quantity * fill.price + fill.fee",
        "order.side.sign * fill.quantity * fill.price",
    ),
    Mutant(
        "I7", "no stop for a further fill", COVER,
        "    missing_stop = held - leaving - _leaves(keep)\n    if missing_stop > ZERO",
        "    missing_stop = ZERO if keep else held - leaving\n    if missing_stop > ZERO",
    ),
    Mutant(
        "I8", "the stop on the wrong side", "execution/pricing.py",
        "- side.sign * ", "+ side.sign * ", "tests/unit/test_pricing.py",
    ),
    Mutant(
        "I10", "the lease goes at the first exit", "execution/signal_router.py",
        "if all(position.state is PositionState.DUST for position in held):", "if True:",
    ),
    Mutant(
        "I11", "slots are not counted", "execution/governor.py",
        "slots <= limits.max_open_positions,", "True,",
    ),
    Mutant(
        "I12", "entries are not counted", "execution/books.py",
        "        return len(times)\n", "        return 0\n",
    ),
    Mutant(
        "I13", "a cooldown does not hold", "execution/governor.py",
        "Check(Reason.COOLDOWN, left_ns == 0,", "Check(Reason.COOLDOWN, True,",
    ),
    Mutant(
        "I15", "entries leave while killed", "engine/gate.py",
        "books.kill_switch.trading_state is TradingState.HALTED", "False",
        "tests/unit/test_gate.py",
    ),
    Mutant(
        "I16", "flat with open orders", "execution/operator.py",
        "        and not books.orders\n", "", "tests/unit/test_kill.py",
    ),
    Mutant(
        "I17", "not found counts at once", MANAGER,
        "if event.asked_at_ns < left_at_ns + books.policy.order_settle_ns:", "if False:",
    ),
    Mutant(
        "I17", "a part of an answer counts", "engine/intake.py",
        "not snapshot.is_complete or ", "",
    ),
    Mutant(
        "I9", "an exit for a size that is past", "engine/gate.py",
        "or order.quantity > position.quantity", "", FOUND,
    ),
    Mutant(
        "I22", "a refused cancel is sent again", MANAGER,
        "    books.put_order(replace(order, is_unknown=True, updated_at_ns=now_ns))\n"
        "    return [_ask(books, order.client_order_id, order.symbol, now_ns)]\n\n\n# -- silence",
        "    books.put_order(replace(order, is_cancel_pending=False, is_unknown=True))\n"
        "    return [_ask(books, order.client_order_id, order.symbol, now_ns)]\n\n\n# -- silence",
    ),
    Mutant(
        "I21", "a stop is sent for ever", COVER,
        "fitting(stops[::-1]), fitting(newest_first), key", "fitting(stops[::-1]), key", FOUND,
    ),
    Mutant(
        "I18", "a change without a record", "execution/books.py",
        "        self.changes[Position, position.position_id] = position\n",
        "        if position.naked_since_ns is None:\n"
        "            self.changes[Position, position.position_id] = position\n",
    ),
    Mutant(
        "I20", "a difference is booked again each time", "execution/external.py",
        "difference = event.venue_quantity - ours - theirs",
        "difference = event.venue_quantity - ours", "tests/unit/test_external.py",
    ),
    Mutant(
        "I22", "told before it is stored", "engine/outbox.py",
        "if ticket <= durable or (is_failing and _reduces_risk(item)):",
        "if ticket <= durable or not isinstance(item, Command):",
    ),
)  # fmt: skip

PROGRAM = """
import sys
from tests import simulations
for seed in range(int(sys.argv[1])):
    failure = simulations.run([seed])[0].failure
    if failure is not None:
        print(failure.invariant, seed + 1)
        break
"""


def caught(mutant: Mutant, folder: Path, seeds: int) -> tuple[str, str]:
    """What caught a mutant, and after how many seeds; empty where nothing did."""
    package = folder / "src/pointsman"
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    target = package / mutant.path
    text = target.read_text("utf-8")
    assert mutant.old in text, f"{mutant.name}: {mutant.path} no longer holds {mutant.old!r}"
    target.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    env = {**os.environ, "PYTHONPATH": f"{folder / 'src'}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", PROGRAM, str(seeds)]
    if mutant.instead:
        shutil.copytree(ROOT / "tests", folder / "tests")
        shutil.copy(ROOT / "pyproject.toml", folder)
        command = [sys.executable, "-m", "pytest", "-q", "-x", mutant.instead]
    try:
        done = subprocess.run(
            command, env=env, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return "no end", "?"
    if mutant.instead:
        return (mutant.instead, "-") if done.returncode == 1 else ("", "")
    invariant, _, number = done.stdout.strip().partition(" ")
    return (invariant, number) if done.returncode == 0 else ("", done.stderr[-200:])


def main() -> int:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    missed = []
    sys.stdout.write(f"{'of':<4} {'mutant':<42} {'caught by':<36} seeds\n")
    for mutant in MUTANTS:
        with TemporaryDirectory() as name:
            by, number = caught(mutant, Path(name), seeds)
        sys.stdout.write(
            f"{mutant.invariant:<4} {mutant.name:<42} {by or 'NOTHING':<36} {number}\n"
        )
        sys.stdout.flush()
        if not by:
            missed.append(mutant.name)
    if missed:
        sys.stdout.write(f"not caught: {json.dumps(missed)}\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

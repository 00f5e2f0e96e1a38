"""(B) What must hold within the record, whatever the replay says: money, counts, chains of
evidence.

Nothing here needs the replay; only the ids of the signals, their number, and the last valid quotes
come from the input files. Every sum is taken over fills and trades, never over a figure that the
engine keeps for itself.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from decimal import Decimal

from tests.audit.cover import measure_cover
from tests.audit.inputs import SECOND_NS, Quote, Settings
from tests.audit.record import Finding, Record, Row, amount, flow, signed, total

ZERO = Decimal(0)


def check_identities(
    record: Record, settings: Settings, signal_ids: Collection[str], marks: dict[str, Quote]
) -> Iterator[Finding]:
    """Every identity that does not hold. `signal_ids` has one entry a line of the file, repeats
    included."""
    yield from _counts(record, signal_ids)
    for account in record.tables["virtual_accounts"]:
        yield from _money(record, account, marks)
        yield from _results(record, account, settings)
    yield from _trade_results(record)
    yield from _venue(record, settings)
    yield from _chains(record)
    yield from _reductions(record)
    yield from _protection(record, settings)


def _equal(check: str, subject: str, expected: object, actual: object) -> Iterator[Finding]:
    if expected != actual:
        yield Finding(check, subject, expected, actual)


def _counts(record: Record, signal_ids: Collection[str]) -> Iterator[Finding]:
    """One decision a signal id; received = accepted + refused + duplicates + malformed (RULES
    11)."""
    decided = Counter(row["signal_id"] for row in record.tables["decisions"])
    for signal_id in sorted({*signal_ids, *decided}):
        expected = int(signal_id in set(signal_ids))
        yield from _equal("counts", f"decisions on {signal_id}", expected, decided[signal_id])
    remembered = sorted(row["signal_id"] for row in record.tables["signals"])
    yield from _equal("counts", "signals remembered", sorted(decided.elements()), remembered)
    counts = record.report["signals"]
    parts = sum(counts[name] for name in ("accepted", "refused", "duplicates", "malformed"))
    yield from _equal("counts", "received", counts["received"], parts)
    yield from _equal("counts", "lines", len(signal_ids), counts["received"])
    outcomes = Counter(row["outcome"] for row in record.tables["decisions"])
    for name in ("accepted", "refused"):
        yield from _equal("counts", name, outcomes[name], counts[name])
    reasons = Counter(
        row["reason"] for row in record.tables["decisions"] if row["outcome"] == "refused"
    )
    yield from _equal("counts", "by_reason", dict(reasons), counts["by_reason"])
    repeats = sum(row["repeats"] + row["reuses"] for row in record.tables["signals"])
    yield from _equal("counts", "duplicates", repeats, counts["duplicates"])
    for name in ("orders", "fills"):
        yield from _equal("counts", name, len(record.tables[name]), record.report[name])
    yield from _equal(
        "counts", "trades", len(record.tables["trades"]), len(record.report["trades"])
    )


def _money(record: Record, account: Row, marks: dict[str, Quote]) -> Iterator[Finding]:
    """RULES 14 and 17, from fills and trades."""
    va_id = account["va_id"]
    fills = record.of_va("fills", va_id)
    positions = record.of_va("positions", va_id)
    given = amount(account["start_balance"]) + amount(account["deposits"])
    realized = total(record.of_va("trades", va_id), "pnl") + total(positions, "realized_to_date")
    cash = given + sum(map(flow, fills), ZERO)
    worth = unrealized = ZERO
    for position in positions:
        is_long = position["side"] == "long"
        touch = marks[position["symbol"]].touch("sell" if is_long else "buy")
        quantity = amount(position["quantity"]) * (1 if is_long else -1)
        worth += quantity * touch
        own = [row for row in fills if row["position_id"] == position["position_id"]]
        earned = sum(map(flow, own), ZERO) + quantity * touch
        unrealized += earned - amount(position["realized_to_date"])
    stored = record.report["accounts"].get(va_id, {})
    expected = {
        "cash": cash,
        "deposits": amount(account["deposits"]),
        "balance": given + realized,
        "realized_pnl": realized,
        "unrealized_pnl": unrealized,
        "fees": total(fills, "fee"),
        "equity": cash + worth,
    }
    for name, value in expected.items():
        yield from _equal("money", f"{va_id} {name}", value, amount(stored.get(name)))
    for column, name in (("cash", "cash"), ("realized", "realized_pnl"), ("fees", "fees")):
        subject = f"{va_id} {column} in the database"
        yield from _equal("money", subject, expected[name], amount(account[column]))


def _results(record: Record, account: Row, settings: Settings) -> Iterator[Finding]:
    """Wins, losses and the streak, from the trades in the order of closing (RULES 15 and 16)."""
    va_id = account["va_id"]
    trades = sorted(record.of_va("trades", va_id), key=lambda row: row["closed_at_ns"])
    limit = int(settings.number("MAX_LOSS_COOLDOWN", va_id))
    cooldown_ns = settings.nanoseconds("COOLDOWN_DURATION_SECONDS", SECOND_NS, va_id)
    streak, until_ns = 0, 0
    for row in trades:
        if until_ns and row["closed_at_ns"] >= until_ns:
            streak, until_ns = 0, 0
        if amount(row["pnl"]) > 0:
            streak = 0
        elif amount(row["pnl"]) < 0 and not until_ns:
            streak += 1
            until_ns = row["closed_at_ns"] + cooldown_ns if streak == limit else 0
    ended_ns = max((row["decided_at_ns"] for row in record.tables["decisions"]), default=0)
    expected = {
        "trades": len(trades),
        "wins": sum(amount(row["pnl"]) > 0 for row in trades),
        "losses": sum(amount(row["pnl"]) < 0 for row in trades),
        "consecutive_losses": 0 if until_ns and ended_ns >= until_ns else streak,
    }
    stored = record.report["accounts"].get(va_id, {})
    for name, value in expected.items():
        yield from _equal("results", f"{va_id} {name}", value, stored.get(name))


def _trade_results(record: Record) -> Iterator[Finding]:
    """A trade earned what its fills brought in; it is flat; nothing else is (RULES 14 and 15)."""
    fills: dict[int, list[Row]] = defaultdict(list)
    for row in record.tables["fills"]:
        fills[row["position_id"]].append(row)
    closed = {row["position_id"]: row for row in record.tables["trades"]}
    held = {row["position_id"]: row for row in record.tables["positions"]}
    for number, rows in sorted(fills.items()):
        quantity = abs(sum(map(signed, rows), ZERO))
        stored = amount(held[number]["quantity"]) if number in held else ZERO
        yield from _equal("trades", f"quantity held of position {number}", quantity, stored)
        if quantity == 0 and number not in closed:
            yield Finding("trades", f"position {number}", "a trade", "none")
        if number in closed:
            earned = sum(map(flow, rows), ZERO)
            pnl = amount(closed[number]["pnl"])
            yield from _equal("trades", f"pnl of position {number}", earned, pnl)
            fees = amount(closed[number]["fees"])
            yield from _equal("trades", f"fees of position {number}", total(rows, "fee"), fees)


def _venue(record: Record, settings: Settings) -> Iterator[Finding]:
    """The sum over VAs is the paper venue's own ledger, exactly; and the ledger agrees with its own
    fills."""
    fills, (totals,) = record.tables["fills"], record.ledger["totals"]
    moved = total(record.ledger["transfers"], "amount")
    flows = amount(totals["cash"]) - moved
    yield from _equal("venue", "cash", sum(map(flow, fills), ZERO), flows)
    own = sum(map(flow, record.ledger["fills"]), ZERO)
    yield from _equal("venue", "cash by its own fills", own, flows)
    accounts = record.tables["virtual_accounts"]
    deposits = total(accounts, "deposits")
    if moved not in (deposits, deposits + total(accounts, "start_balance")):
        yield Finding("venue", "money moved", deposits, moved)
    yield from _equal("venue", "fees", total(fills, "fee"), amount(totals["fees"]))
    yield from _equal("venue", "number of fills", len(fills), len(record.ledger["fills"]))
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in record.tables["positions"]:
        sign = 1 if row["side"] == "long" else -1
        side = row["side"] if settings.is_hedged else "net"
        held[row["symbol"], side] += sign * amount(row["quantity"])
    booked = {
        (row["symbol"], row["position_side"]): amount(row["quantity"])
        for row in record.ledger["holdings"]
    }
    for key in sorted({*held, *booked}):
        subject = f"holding of {' '.join(key)}"
        yield from _equal("venue", subject, held.get(key, ZERO), booked.get(key, ZERO))
    for name, columns in (("fills", ("quantity", "price", "fee")), ("orders", ("filled",))):
        ours = Counter(_key(row, columns) for row in record.tables[name])
        theirs = Counter(_key(row, columns) for row in record.ledger[name])
        for lone in [*(ours - theirs), *(theirs - ours)]:
            yield Finding("venue", f"{name} {lone}", theirs[lone], ours[lone])


def _key(row: Row, columns: tuple[str, ...]) -> tuple[object, ...]:
    return row["client_order_id"], *(amount(row[column]) for column in columns)


def _chains(record: Record) -> Iterator[Finding]:
    """Every fill has an order, every order an entry, every entry an accepted decision, and back
    (I22)."""
    orders = {row["client_order_id"]: row for row in record.tables["orders"]}
    decisions = {row["signal_id"]: row for row in record.tables["decisions"]}
    entries = {row["position_id"]: row for row in orders.values() if row["role"] == "entry"}
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for row in record.tables["fills"]:
        order = orders.get(row["client_order_id"])
        if order is None:
            yield Finding("chain", f"fill {row['key']}", "an order", "none")
            continue
        filled[row["client_order_id"]] += amount(row["quantity"])
        for name in ("va_id", "symbol", "side", "position_id"):
            yield from _equal("chain", f"{name} of fill {row['key']}", order[name], row[name])
    for key, order in orders.items():
        yield from _equal("chain", f"filled of order {key}", filled[key], amount(order["filled"]))
        entry = entries.get(order["position_id"])
        if entry is None or entry["va_id"] != order["va_id"]:
            yield Finding("chain", f"order {key}", "an entry of its VA", entry)
            continue
        decision = decisions.get(entry["signal_id"])
        if decision is None or (decision["outcome"], decision["action"]) != ("accepted", "entry"):
            yield Finding("chain", f"order {key}", "an accepted entry decision", decision)
    sent = Counter(order["signal_id"] for order in entries.values())
    for signal_id, decision in decisions.items():
        is_entry = decision["outcome"] == "accepted" and decision["action"] == "entry"
        yield from _equal("chain", f"entries of {signal_id}", int(is_entry), sent[signal_id])


def _reductions(record: Record) -> Iterator[Finding]:
    """A stop or an exit never makes a position grow or turn (I9). Fills stand in the order of
    booking."""
    roles = {row["client_order_id"]: row["role"] for row in record.tables["orders"]}
    held: dict[int, Decimal] = defaultdict(Decimal)
    # One instant never holds an entry and a reduction of the same position.
    for row in sorted(record.tables["fills"], key=lambda row: row["booked_at_ns"]):
        number = row["position_id"]
        before, after = held[number], held[number] + signed(row)
        held[number] = after
        if roles.get(row["client_order_id"]) != "entry" and (
            abs(after) >= abs(before) or before * after < 0
        ):
            yield Finding("reduce-only", f"fill {row['key']}", f"less than {before}", after)


def _protection(record: Record, settings: Settings) -> Iterator[Finding]:
    """RULES 25 and 63, from the reports in the journal; the deadline as an upper bound, but for
    exits that the market did not fill, each of which is told of."""
    if not record.tables["fills"]:
        return
    deadline_ns = settings.nanoseconds("PROTECTION_DEADLINE_SECONDS", SECOND_NS)
    for name, longest_ns in zip(
        ("naked", "stopless"), measure_cover(record, deadline_ns), strict=True
    ):
        told = amount(record.report["protection"][f"{name}_seconds_max"])
        measured = Decimal(longest_ns) / SECOND_NS
        yield from _equal("protection", f"{name}_seconds_max", measured, told)
        is_excused = any(i["kind"] == "EXIT_UNFILLED" for i in record.report["incidents"])
        limit = Decimal(deadline_ns) / SECOND_NS
        if name == "naked" and max(measured, told) > limit and not is_excused:
            yield Finding("protection", "deadline", f"at most {limit}", max(measured, told))

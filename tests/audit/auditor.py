"""The entry point of the audit.

    python tests/audit/auditor.py --market FILE… --signals FILE \\
        --report REPORT.json --db trading.db --ledger LEDGER.db [--setting NAME=VALUE …]

prints each finding on a line and exits 1 if there is any. With `--simulate-only` nothing recorded
is read: the replay's own summary is printed, for comparing by hand.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import localcontext
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.audit.compare import compare
from tests.audit.identities import check_identities
from tests.audit.inputs import EXACT, Settings, read_quotes, read_signals
from tests.audit.record import Finding, Record
from tests.audit.replay import Replay


def audit(
    market: Iterable[Path],
    signals: Path,
    report: Path,
    database: Path,
    ledger: Path,
    settings: Sequence[str] = (),
) -> list[Finding]:
    """Every finding on one recorded run; empty when everything agrees. `settings` are `NAME=VALUE`
    texts."""
    with localcontext(EXACT):
        replay = simulate(market, signals, settings)
        record = Record.read(report, database, ledger)
        ids = [signal.signal_id for signal in read_signals(signals)]
        findings = list(check_identities(record, replay.settings, ids, replay.marks))
        return findings + list(compare(replay, record))


def simulate(market: Iterable[Path], signals: Path, settings: Sequence[str] = ()) -> Replay:
    """The run recomputed from its input files alone."""
    with localcontext(EXACT):
        replay = Replay.of(Settings.of(settings))
        replay.run(read_quotes(market), read_signals(signals))
        return replay


def summary(replay: Replay) -> dict[str, Any]:
    """The replay in the words of the report, with what each reading could have touched."""
    with localcontext(EXACT):
        decisions = replay.decisions.values()
        refusals = Counter(decision.reason for decision in decisions if decision.reason)
        accepted = [decision for decision in decisions if decision.outcome == "accepted"]
        accounts = {
            va_id: {
                "cash": str(account.cash),
                "balance": str(account.balance),
                "equity": str(account.equity(replay.marks)),
                "fees": str(account.fees),
                "max_drawdown": f"{account.max_drawdown:.10f}",
                "trades": account.trades,
                "wins": account.wins,
                "losses": account.losses,
                "consecutive_losses": account.streak_at(replay.now_ns),
                "open_positions": len(account.positions),
            }
            for va_id, account in replay.accounts.items()
        }
        return {
            "quotes": replay.quotes,
            "received": len(decisions) + replay.duplicates,
            "duplicates": replay.duplicates,
            "accepted": dict(Counter(decision.action for decision in accepted)),
            "refused": dict(refusals.most_common()),
            "orders": replay.paper.orders_sent,
            "fills": len(replay.fills),
            "trades": dict(Counter(trade.exit_reason for trade in replay.trades)),
            "naked_ns": replay.cover.naked.longest(replay.now_ns),
            "stopless_ns": replay.cover.stopless.longest(replay.now_ns),
            "readings_touched": {name: count for name, count in replay.notes.items() if count},
            "accounts": accounts,
        }


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description="Recompute a recorded run and compare.")
    parser.add_argument("--market", type=Path, nargs="+", required=True)
    parser.add_argument("--signals", type=Path, required=True)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--db", type=Path)
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--simulate-only", action="store_true")
    options = parser.parse_args(arguments)
    if options.simulate_only:
        replay = simulate(options.market, options.signals, options.setting)
        print(json.dumps(summary(replay), indent=2))
        return 0
    if None in (options.report, options.db, options.ledger):
        parser.error("--report, --db and --ledger are needed, or --simulate-only")
    findings = audit(
        options.market,
        options.signals,
        options.report,
        options.db,
        options.ledger,
        options.setting,
    )
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

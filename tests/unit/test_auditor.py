"""The auditor, on a run of a few seconds whose every figure was worked out by hand.

A checker that has never been seen to fail is not evidence: each fault below is planted into the
honest record of that run, and must be found by the check that is for it.
"""

import ast
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.audit.auditor import audit, main, simulate
from tests.audit.inputs import Settings, Unmodelled, read_signals
from tests.audit.specimen import (
    CASH,
    Record,
    at,
    honest_ledger,
    honest_report,
    honest_tables,
    write,
)


@pytest.fixture
def record() -> Record:
    """The honest record of the run, as three parts that a test may spoil."""
    return {"db": honest_tables(), "ledger": honest_ledger(), "report": honest_report()}


def findings_of(record: Record, folder: Path) -> list[str]:
    files = write(record, folder)
    inputs = [files["market.csv"]], files["signals.jsonl"], files["report.json"]
    found = audit(*inputs, files["db"], files["ledger"], ["VIRTUAL_ACCOUNTS=VA001:100000"])
    return [str(finding) for finding in found]


def test_the_honest_record_of_a_run_worked_out_by_hand_has_no_findings(
    record: Record, tmp_path: Path
) -> None:
    assert findings_of(record, tmp_path) == []


def spoil(part: str, table: str, row: int, column: str, value: object) -> Callable[[Record], None]:
    def plant(record: Record) -> None:
        assert record[part][table][row][column] != value
        record[part][table][row][column] = value

    return plant


def figure(name: str, value: object) -> Callable[[Record], None]:
    def plant(record: Record) -> None:
        record["report"]["accounts"]["VA001"][name] = value

    return plant


def drop(part: str, table: str, row: int) -> Callable[[Record], None]:
    return lambda record: record[part][table].pop(row)


FAULTS: dict[str, tuple[Callable[[Record], None], str]] = {
    "a decision is missing": (drop("db", "decisions", 1), "counts: decisions on who"),
    "a signal was decided that nobody sent": (
        spoil("db", "decisions", 1, "signal_id", "ghost"),
        "counts: decisions on ghost",
    ),
    "a refusal names another reason": (
        spoil("db", "decisions", 4, "reason", "SPREAD"),
        "decision: verdict of late",
    ),
    "a refusal shows another value": (
        spoil("db", "decisions", 2, "value", "11005.4"),
        "decision: value of too-big",
    ),
    "a refusal shows another limit": (
        spoil("db", "decisions", 4, "limit", "5000"),
        "decision: limit of late",
    ),
    "an entry was bounded one tick too far": (
        spoil("db", "decisions", 0, "limit_price", "100.06"),
        "decision: limit price of buy-10",
    ),
    "a fill has another price": (spoil("db", "fills", 1, "price", "101.01"), "fill: "),
    "a fill is booked twice": (
        lambda record: record["db"]["fills"].append({**record["db"]["fills"][2], "key": "again"}),
        "venue: number of fills",
    ),
    "a fill is lost": (drop("db", "fills", 1), "trades: quantity held of position 1"),
    "a fill came a millisecond late": (spoil("db", "fills", 0, "venue_ts_ns", at(121)), "fill: "),
    "a fill belongs to another account": (
        spoil("db", "fills", 1, "va_id", "VA002"),
        "chain: va_id of fill 1",
    ),
    "a fill has no order": (spoil("db", "fills", 1, "client_order_id", "X"), "chain: fill 1"),
    "an exit was on the wrong side": (
        spoil("db", "fills", 1, "side", "buy"),
        "reduce-only: fill 1",
    ),
    "an entry came from no signal": (
        spoil("db", "orders", 0, "signal_id", "ghost"),
        "chain: order AAAAAA1E1",
    ),
    "a fee was rounded": (spoil("db", "fills", 2, "fee", "0.06"), "money: VA001 fees"),
    "cash is off by a hair": (figure("cash", "100012.7987000001"), "money: VA001 cash"),
    "the balance forgot a fee": (figure("balance", "100012.8987"), "money: VA001 balance"),
    "the equity is not marked": (figure("equity", "100000"), "money: VA001 equity"),
    "the drawdown was never sampled": (figure("max_drawdown", "0"), "account: VA001 max_drawdown"),
    "a win was counted as a loss": (figure("losses", 1), "results: VA001 losses"),
    "the streak was not reset": (figure("consecutive_losses", 2), "results: VA001 consecutive"),
    "a trade forgot a fee": (spoil("db", "trades", 0, "pnl", "12.8987"), "trades: pnl of"),
    "a trade is missing": (drop("db", "trades", 0), "trades: position 1"),
    "a trade names another exit": (
        spoil("db", "trades", 0, "exit_reason", "STOP_LOSS"),
        "trade: ",
    ),
    "the venue has other cash": (spoil("ledger", "totals", 0, "cash", "12.7986"), "venue: cash"),
    "the venue still holds something": (
        spoil("ledger", "holdings", 0, "quantity", "1"),
        "venue: holding of ABC long",
    ),
    "the venue filled another quantity": (
        spoil("ledger", "fills", 1, "quantity", "5"),
        "venue: fills",
    ),
    "money appeared at the venue": (
        lambda record: record["ledger"]["transfers"].append({"ref": "x", "amount": "5"}),
        "venue: money moved",
    ),
    "the stop was never confirmed": (drop("db", "journal", 1), "protection: naked_seconds_max"),
    "naked time is beyond the deadline": (
        lambda record: record["report"]["protection"].update(naked_seconds_max="2.1"),
        "protection: deadline",
    ),
    "a refusal was not counted": (
        lambda record: record["report"]["signals"].update(refused=2),
        "counts: received",
    ),
    "a quote was left out": (lambda record: record["report"].update(quotes=2), "report: quotes"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_auditor_finds(fault: str, record: Record, tmp_path: Path) -> None:
    plant, expected = FAULTS[fault]
    plant(record)
    found = findings_of(record, tmp_path)
    assert any(finding.startswith(expected) for finding in found), found


def test_the_command_prints_each_finding_and_exits_1(
    record: Record, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figure("cash", "1")(record)
    files = write(record, tmp_path)
    arguments = ["--market", str(files["market.csv"]), "--signals", str(files["signals.jsonl"])]
    arguments += ["--report", str(files["report.json"]), "--db", str(files["db"])]
    arguments += ["--ledger", str(files["ledger"])]
    arguments += ["--setting", "VIRTUAL_ACCOUNTS=VA001:100000"]
    assert main(arguments) == 1
    assert f"money: VA001 cash: expected {CASH}, recorded 1" in capsys.readouterr().out


def test_what_the_auditor_has_no_model_of_stops_it(tmp_path: Path) -> None:
    file = tmp_path / "signals.jsonl"
    file.write_text('{"signal_id": "a", "side": "buy", "quantity": "1", "take_profit": "1"}\n')
    with pytest.raises(Unmodelled, match="line 1"):
        read_signals(file)
    with pytest.raises(Unmodelled, match="LOSS_SIZE_DECAY"):
        Settings.of(["LOSS_SIZE_DECAY=2:0.5"])


@pytest.mark.parametrize(
    ("signals", "settings"),
    [
        ("signals_2018-01-02.jsonl", ()),
        ("signals_2018-01-02_large.jsonl", ("MAX_POSITION_SIZE=90000",)),
    ],
)
def test_on_the_recorded_day_the_replayed_accounts_add_up_to_its_venue(
    shared_data: Path, signals: str, settings: tuple[str, ...]
) -> None:
    folder = shared_data / "canonical"
    replay = simulate([folder / "xxx_2018-01-02.csv.gz"], folder / signals, settings)
    held: dict[str, Decimal] = {"long": Decimal(0), "short": Decimal(0)}
    for account in replay.accounts.values():
        own = [fill for fill in replay.fills if fill.va_id == account.va_id]
        signs = {"buy": -1, "sell": 1}
        flows = sum(signs[fill.side] * fill.quantity * fill.price - fill.fee for fill in own)
        assert account.cash == account.start + flows
        results = [trade.pnl for trade in replay.trades if trade.va_id == account.va_id]
        results += [position.realized for position in account.positions]
        assert account.balance == account.start + sum(results)
        for position in account.positions:
            held[position.side] += position.quantity
    for side, quantity in held.items():
        assert replay.paper.held["XXX", side] == quantity
    assert replay.cover.stopless.longest_ns >= replay.cover.naked.longest_ns


def test_the_auditor_imports_nothing_but_the_standard_library_and_itself() -> None:
    folder = Path(__file__).resolve().parents[1] / "audit"
    files = sorted(folder.glob("*.py"))
    assert len(files) > 5
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                first = name.partition(".")[0]
                assert name.startswith("tests.audit.") or first in sys.stdlib_module_names, file

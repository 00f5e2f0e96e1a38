"""Runs on files as people have them: vendors' layouts, out of order, or of no use at all."""

import json
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pointsman.cli.app import main
from pointsman.config.instruments import load_instruments
from pointsman.config.settings import resolve_settings
from pointsman.market.layout import FORMATS, Layout
from pointsman.service import recorded_run
from pointsman.service.clean_stop import Stop
from pointsman.service.feeds import recorded_feed

HEADER = "ts,symbol,bid,bid_size,ask,ask_size"
Run = Callable[..., tuple[int, Any, str]]
DAY = "2026-01-05T14:30:"


def signal(number: int, second: int, **fields: object) -> str:
    whole = {"va_id": "VA001", "symbol": "AAPL", "side": "buy", "quantity": 5}
    return json.dumps({"signal_id": f"s{number}", **whole, "ts": f"{DAY}{second:02}Z"} | fields)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run in a folder of its own: exit code, report or None, and what was said beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAX_LATENCY_MS", "5000")

    def run_in(*arguments: str) -> tuple[int, Any, str]:
        flags = ["pointsman", "--json", "run", *arguments, "--db", "r.db"]
        monkeypatch.setattr(sys, "argv", flags)
        code = main()
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return run_in


def written(name: str, *lines: str) -> str:
    Path(name).write_text("\n".join(lines) + "\n")
    return name


def test_a_file_of_a_vendor_is_traded_on_under_its_name(run: Run) -> None:
    stamps = range(1_767_623_401_000, 1_767_623_409_000, 1_000)
    rows = [f"{ts},193.74,193.72,0.0005,0.0004" for ts in stamps]
    quotes = written("aapl.csv", "timestamp,askPrice,bidPrice,askVolume,bidVolume", *rows)
    signals = written("s.jsonl", signal(1, 2), signal(2, 4, side="close", quantity=None))
    code, _, said = run("--market", quotes, "--signals", signals)
    assert (code, "--format dukascopy --symbol SYMBOL" in said) == (1, True)
    vendor = ("--format", "dukascopy", "--symbol", "AAPL")
    code, report, _ = run("--market", quotes, "--signals", signals, *vendor)
    assert (code, report["quotes"], len(report["trades"])) == (0, 8, 1)
    code, _, said = run("--market", quotes, "--signals", signals, *vendor[2:], "--column", "ts=x")
    assert (code, "no column x" in said) == (1, True)


def test_rule_60_a_run_that_could_use_no_row_ends_with_1_each_time(run: Run) -> None:
    quotes = written("q.csv", HEADER, "05.01.2026,AAPL,193.71,300,193.73,200")
    for _ in range(2):
        code, report, said = run("--market", quotes)
        assert (code, report["quotes"], report["bad_quotes"]) == (1, 0, 1)
        assert "no usable row in" in said


def test_rule_60_a_run_that_could_use_no_signal_ends_with_1(run: Run) -> None:
    quotes = written("q.csv", HEADER, f"{DAY}01Z,AAPL,193.71,300,193.73,200")
    code, report, said = run("--market", quotes, "--signals", written("s.jsonl", '{"side":1}'))
    assert (code, report["quotes"]) == (1, 1)
    assert "no usable line in s.jsonl" in said


def test_rule_65_signals_out_of_order_are_told_and_decided_at_their_own_time(run: Run) -> None:
    rows = [f"{DAY}{s:02}Z,AAPL,193.7{s},300,193.7{s},200" for s in range(1, 9)]
    quotes = written("q.csv", HEADER, *rows)
    lines = [signal(1, 6, side="close", quantity=None), signal(2, 2), signal(3, 8)]
    code, report, said = run("--market", quotes, "--signals", written("s.jsonl", *lines))
    assert "1 signals are earlier than one before them, the first on line 2" in said
    (trade,) = report["trades"]
    assert (code, report["signals"]["accepted"], trade["signal_id"]) == (0, 3, "s2")
    assert (trade["opened_at"][17:19], trade["closed_at"][17:19]) == ("02", "06")


def test_rule_59_steps_follow_from_the_quotes_outlive_a_restart_and_are_decided_again_alike(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAX_SPREAD_BPS", "100")
    rows = [f"{DAY}{s:02}Z,EURUSD,1.0844{s},1000.5,1.0845{s},1000.25" for s in range(1, 9)]
    quotes = written("q.csv", HEADER, *rows)
    size = {"symbol": "EURUSD", "quantity": "10.123", "stop_loss": "1.0712345"}
    lines = [
        signal(1, 2, **size),
        signal(2, 4, symbol="EURUSD", side="close", quantity=None),
        signal(3, 6, symbol="EUR/USD"),
    ]
    session = ("--market", quotes, "--signals", written("s.jsonl", *lines))
    stop = Stop()

    def until_the_entry_is_filled(_now_ns: int, quotes: int, _signals: int) -> None:
        if quotes == 3:
            stop.ask()

    settings = resolve_settings(os.environ, None, {}).settings
    feed = recorded_feed((Path(quotes),), Layout(), Path("s.jsonl"), 0, settings)
    recorded_run.run_fast(feed, settings, Path("r.db"), None, stop, until_the_entry_is_filled)
    code, report, _ = run(*session)
    (trade,) = report["trades"]
    assert (code, trade["quantity"], trade["entry_price"]) == (0, "10.12", "1.0845200000")

    def said(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["pointsman", *arguments, "--db", "r.db"])
        assert main() == 0
        return capsys.readouterr().out

    assert "quantity: 10.123 -> 10.12, in steps of 0.01" in said("why", "s1")
    assert "stop_loss: 1.0712345 -> 1.07124, in steps of 0.00001" in said("why", "s1")
    assert "EURUSD has quotes: send that symbol" in said("why", "s3")
    assert "0 of other versions not decided again" in said("journal", "check")


def test_the_examples_of_the_document_are_read_as_it_says(run: Run) -> None:
    text = (Path(__file__).parents[2] / "docs" / "files.md").read_text()
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    quotes, command, sent, instruments = (body for _, body in blocks)
    Path("quotes.csv").write_text(quotes)
    code, report, _ = run("--market", "quotes.csv", "--signals", written("s.jsonl", sent.strip()))
    assert (code, report["quotes"], report["bad_quotes"]) == (0, 3, 0)
    assert report["signals"]["received"] == 1
    written("ticks.csv", "1767623401000,1.08441,1.08451,0")
    Path("r.db").unlink()
    Path("r.paper.db").unlink()
    code, report, _ = run(*shlex.split(command)[2:])
    assert (code, report["quotes"]) == (0, 1)
    found = load_instruments(Path(written("i.json", instruments)))
    assert [str(found[name].tick) for name in ("BTCUSDT", "SHIB/USDT")] == ["0.1", "1E-8"]
    assert all(f"| `{name}` |" in text for name in FORMATS)


def test_where_no_folder_can_be_made_a_run_says_how_to_name_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs").touch()
    with pytest.raises(OSError, match=r"cannot be made here .* --db PATH"):
        recorded_run.fresh_folder()

"""`pointsman run` and `python main.py`: flags, what drives it, how it ends."""

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pointsman.cli.app import main
from pointsman.engine.control_client import NoEngine, ask
from pointsman.engine.requests import Show
from tests.integration.sessions import ROOT, command, environment, pointsman, report_of, rows

ALWAYS = {"TRADING_WINDOW_START": "00:00", "TRADING_WINDOW_END": "24:00"}
QUOTES = "ts,symbol,bid,bid_size,ask,ask_size\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--market none.csv", "none.csv: No such file or directory; name a file"),
        ("--market sim --market -", "sim cannot be combined with another market"),
        ("--market - --speed 2", "need speed 1"),
        ("--market http --speed 2", "quotes on HTTP need speed 1"),
        ("--market http --market -", "- cannot be combined with another market"),
        ("--market - --signals -", "need --market sim"),
        ("--market - --signals demo", "need the simulated market"),
        ("--signals - --speed max", "cannot be used with --speed max"),
        (
            "--signals none.jsonl",
            "none.jsonl: No such file or directory; name a file",
        ),
        ("--speed 0", "from 1 to 100000"),
        ("--speed fast", "write max"),
        ("--column price=x", "use one of our columns before the ="),
        ("--column x", "write OURS=THEIRS, such as"),
        ("--market .", ". is a folder; name the files in it"),
        ("--market /dev/null", "/dev/null is not a regular file"),
        ("--duration 0", "--duration: 0: write a whole number from 1 to"),
        ("--duration soon", "--duration: soon: write a whole number from 1 to"),
        ("--seed x", "--seed: x: write a whole number from"),
        ("--separator ;;", "';;': write one character"),
        ("--fast", "No such option"),
    ],
)
def test_bad_flags_end_with_2_and_start_nothing(
    arguments: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["pointsman", "run", *arguments.split()])
    assert main() == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def start(folder: Path, *arguments: str, by: list[str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*(by or command("run")), *arguments],
        cwd=folder,
        env=environment(ALWAYS),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(database: Path) -> None:
    """Until the engine of a database answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            ask(database, Show())
        except NoEngine:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the engine does not answer")


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_main_py_trades_with_no_flags_at_all_and_stops_cleanly(
    tmp_path: Path, signum: int, code: int
) -> None:
    running = start(tmp_path, by=[sys.executable, str(ROOT / "main.py")])
    wait_for(tmp_path / "trading.db")
    assert running.stderr is not None
    lines: list[str] = []
    for line in running.stderr:
        lines.append(line)
        if "stop confirmed: " in line:
            break
    running.send_signal(signum)
    began = time.monotonic()
    _, rest = running.communicate(timeout=30)
    assert time.monotonic() - began < 10
    assert running.returncode == code
    text = "".join(lines) + rest
    for word in ("started", "accepted: ", "fill: ", "stop confirmed: ", "stopped"):
        assert word in text, text
    assert "Traceback" not in text


def test_a_paced_run_with_a_duration_ends_by_itself_and_goes_on_later(tmp_path: Path) -> None:
    simulated = ("--speed", "60", "--duration", "60", "--headless", "--json", "--db", "t.db")
    first = report_of(pointsman(tmp_path, "run", *simulated, settings=ALWAYS))
    assert first["quotes"] > 100
    second = report_of(pointsman(tmp_path, "run", *simulated, settings=ALWAYS))
    assert second["signals"]["received"] > first["signals"]["received"]
    ((started,),) = rows(tmp_path / "t.db", "SELECT count(*) FROM journal WHERE kind = 'Started'")
    assert started == 2
    decided = rows(tmp_path / "t.db", "SELECT signal_id FROM decisions")
    assert len(decided) == len(set(decided))
    check = pointsman(tmp_path, "journal", "check", "--db", "t.db", settings=ALWAYS)
    assert check.returncode == 0, check.stdout
    other = pointsman(tmp_path, "run", *simulated, "--seed", "5", settings=ALWAYS)
    assert (other.returncode, "its seed differ" in other.stderr) == (3, True)


def test_quotes_on_standard_input_drive_the_paper_venue_until_they_end(tmp_path: Path) -> None:
    signals = tmp_path / "signals.jsonl"
    signals.write_text(
        '{"signal_id":"a","va_id":"VA001","symbol":"ABC","side":"buy","quantity":5}\n'
    )
    running = start(tmp_path, "--market", "-", "--signals", str(signals), "--db", "t.db", "--json")
    wait_for(tmp_path / "t.db")
    assert running.stdin is not None
    running.stdin.write(QUOTES)
    for number in range(20):
        now = datetime.now(UTC).isoformat()
        if number == 3:
            running.stdin.write("2062-01-05T14:30:00Z,ABC,1.00,50,1.02,50\n")
        running.stdin.write(f"{now},ABC,99.99,50,100.01,50\n")
        running.stdin.flush()
        time.sleep(0.05)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 0, err
    report = json.loads(out)
    assert report["quotes"] == 20
    assert "standard input:5: ts='2062-01-05T14:30:00Z': it is more than a minute ahead" in err
    assert report["signals"]["received"] == 1
    assert "refused: buy ABC: NO_QUOTE" in err or "accepted: buy 5 ABC" in err


def test_rule_11_no_signal_is_lost_where_the_quotes_end_at_once(tmp_path: Path) -> None:
    """The whole of the quotes is there before the start has been compared with the venue. What is
    due is decided, and no order is on its way when the run ends; what is not due yet is told of,
    and is the first of the next run."""
    (tmp_path / "signals.jsonl").write_text(
        '{"signal_id":"old","va_id":"VA001","symbol":"ABC","side":"buy","quantity":5,'
        '"ts":"2026-01-05T14:30:00Z","ttl":1}\nrubbish\n'
        '{"signal_id":"now","va_id":"VA001","symbol":"ABC","side":"buy","quantity":5}\n'
        '{"signal_id":"late","va_id":"VA001","symbol":"ABC","side":"close",'
        '"ts":"2200-01-01T00:00Z"}\n'
    )
    given = ("run", "--market", "-", "--signals", "signals.jsonl", "--db", "t.db", "--json")
    quotes = f"{QUOTES}{datetime.now(UTC).isoformat()},ABC,99.99,50,100.01,50\n"
    patient = {**ALWAYS, "MAX_LATENCY_MS": "600000"}
    done = pointsman(tmp_path, *given, settings=patient, piped=quotes)
    signals = report_of(done)["signals"]
    # Whether the quote comes before the second signal is left to the machine.
    assert (signals["accepted"] + signals["refused"], signals["malformed"]) == (2, 1)
    assert signals["received"] == 3
    assert rows(tmp_path / "t.db", "SELECT * FROM orders WHERE status = 'SUBMITTED'") == []
    assert "the next signal was due, at 2200-01-01" in done.stderr
    again = pointsman(tmp_path, *given, settings=patient, piped=QUOTES)
    assert report_of(again)["signals"] == signals
    assert "the next signal was due, at 2200-01-01" in again.stderr


def test_signals_on_standard_input_are_decided_as_they_come(tmp_path: Path) -> None:
    running = start(tmp_path, "--signals", "-", "--db", "t.db", "--headless", "--speed", "5")
    wait_for(tmp_path / "t.db")
    assert running.stdin is not None
    assert running.stderr is not None
    running.stdin.write("rubbish\n")
    running.stdin.write(
        '{"signal_id":"a","va_id":"VA001","symbol":"AAPL","side":"buy","quantity":1}\n'
    )
    running.stdin.flush()
    seen = ""
    while "buy" not in seen.partition("malformed")[2]:
        line = next(running.stderr)
        seen += line
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)
    assert running.returncode == 143
    assert "signal malformed" in seen
    assert rows(tmp_path / "t.db", "SELECT signal_id, source FROM signals") == [("a", "stdin")]


def test_log_lines_are_json_on_request(tmp_path: Path) -> None:
    done = pointsman(
        tmp_path, "run", "--speed", "60", "--duration", "30", "--headless", "--db", "t.db",
        settings={**ALWAYS, "LOG_FORMAT": "json"},
    )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("{")]
    events = [json.loads(line) for line in lines]
    names = [event["event"] for event in events]
    assert (names.count("started"), names[-1]) == (1, "stopped")
    assert all(event["level"] and event["at"].endswith("Z") for event in events)
    assert "all other figures are since the database was created" in done.stdout


def test_a_folder_that_is_missing_and_a_second_instance_say_what_to_do(tmp_path: Path) -> None:
    missing = pointsman(tmp_path, "run", "--headless", "--db", "none/t.db", settings=ALWAYS)
    assert (missing.returncode, "does not exist" in missing.stderr) == (3, True), missing.stderr
    running = start(tmp_path, "--headless", "--db", "t.db")
    wait_for(tmp_path / "t.db")
    second = pointsman(tmp_path, "run", "--headless", "--db", "t.db", settings=ALWAYS)
    assert (second.returncode, "in use by process" in second.stderr) == (7, True)
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=30)


def test_quotes_on_standard_input_without_a_header_are_a_failure(tmp_path: Path) -> None:
    done = pointsman(tmp_path, "run", "--market", "-", "--db", "t.db", piped="")
    assert (done.returncode, "it is empty; start it with a header" in done.stderr) == (1, True)

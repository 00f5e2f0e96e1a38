"""`pointsman run` on a real venue, as a process: what is refused before anything leaves, what a
person is told at the start, and how it ends where the venue does not let it trade.

What the venue answers is said by a script; all around it is the program.
"""

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.sessions import ROOT, command, environment, pointsman

PATIENCE_SECONDS = 60.0
KEY, SECRET = "Zq1VenueKeyQ8r6tYw2p", "Zq2VenueSecretQ8r6tY"
SETTINGS = {
    "VENUE": "alpaca",
    "VENUE_KEY": KEY,
    "VENUE_SECRET": SECRET,
    "LOG_LEVEL": "debug",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
}
LIVE = {
    "VENUE_SANDBOX": "false",
    "VENUE_LIVE": "yes, with real money",
    "GLOBAL_MAX_DAILY_LOSS": "250",
    "VA002__MAX_DAILY_LOSS": "40",
}
SCRIPTED = """
import sys
from collections import deque
from pointsman.engine.open_venue import ADAPTERS
from pointsman.venues.adapter import NoAnswer
from pointsman.venues.outcome import Answer
from tests.scripted_adapter import ScriptedAdapter

ANSWERS = {"good": None, "refused": Answer(status=401, body={}), "silent": NoAnswer("no answer")}

def make(access):
    adapter = ScriptedAdapter()
    if ANSWERS[%(answer)r] is not None:
        adapter.answers["GET /account"] = deque([ANSWERS[%(answer)r]])
    return adapter

ADAPTERS["alpaca"] = make
from pointsman.cli.app import main
sys.exit(main())
"""


def scripted(answer: str, *arguments: str) -> list[str]:
    """The command line of a verb, at a venue that answers so."""
    line = command(*arguments)
    line[line.index("-c") + 1] = SCRIPTED % {"answer": answer}
    return line


def environment_with(**more: str) -> dict[str, str]:
    made = environment({**SETTINGS, **more})
    return {**made, "PYTHONPATH": f"{made['PYTHONPATH']}:{ROOT}"}


def session(folder: Path, **more: str) -> str:
    """All that an engine says that starts on the scripted venue, and is stopped once it runs."""
    log = folder / "log.txt"
    with log.open("w") as stream:
        process = subprocess.Popen(
            scripted("good", "run", "--headless", "--db", "t.db"),
            cwd=folder,
            env=environment_with(**more),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while "http listens" not in log.read_text() and time.monotonic() < give_up_at:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_SECONDS) == 128 + signal.SIGTERM, log.read_text()
    return log.read_text()


def fails(folder: Path, answer: str, *arguments: str, **more: str) -> tuple[int, str]:
    """The exit code of a run that does not come about, and what it says."""
    done = subprocess.run(
        scripted(answer, "run", "--headless", "--db", "t.db", *arguments),
        cwd=folder,
        env=environment_with(**more),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()


def test_rule_49_a_start_in_the_sandbox_says_so_with_the_limits_and_no_key(tmp_path: Path) -> None:
    said = session(tmp_path)
    assert "Trading on alpaca sandbox a" in said
    assert "no limit" in said, "nothing limits the losses, and that is said"
    assert "MAX_POSITION_SIZE" in said
    assert "REAL MONEY" not in said
    assert "venue='alpaca sandbox a'" in said.replace('"', "'")
    for name, content in written(tmp_path):
        assert KEY.encode()[:8] not in content, name
        assert SECRET.encode()[:8] not in content, name
    status = pointsman(tmp_path, "status", "--json", "--db", "t.db", settings=SETTINGS)
    assert json.loads(status.stdout)["venue"]["label"] == "alpaca sandbox a"


def test_rule_49_a_start_with_real_money_names_it_and_every_limit_on_losses(tmp_path: Path) -> None:
    said = session(tmp_path, **LIVE)
    assert "Trading on alpaca REAL MONEY a" in said
    assert "GLOBAL_MAX_DAILY_LOSS" in said
    assert "250" in said
    assert "VA002__MAX_DAILY_LOSS" in said


def test_a_start_that_logs_json_says_it_as_json(tmp_path: Path) -> None:
    said = session(tmp_path, LOG_FORMAT="json", **LIVE)
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    (line,) = (line for line in lines if line["event"] == "trading on alpaca REAL MONEY a")
    assert line["GLOBAL_MAX_DAILY_LOSS"] == "250"


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ("refused", 3, "refuses this key or account"),
        ("silent", 6, "GET /account"),
    ],
)
def test_a_venue_that_does_not_let_in_ends_the_start_with_its_code(
    tmp_path: Path, answer: str, code: int, words: str
) -> None:
    found, said = fails(tmp_path, answer)
    assert (found, words in said) == (code, True), said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "arguments", [("--market", "q.csv"), ("--market", "sim"), ("--market", "sim", "--speed", "max")]
)
def test_no_recorded_or_simulated_quote_leads_to_an_order_at_a_real_venue(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    (tmp_path / "q.csv").write_text("ts,symbol,bid,bid_size,ask,ask_size\n")
    code, said = fails(tmp_path, "good", *arguments, COLUMNS="200")
    assert (code, "orders go to alpaca; use venue, for its own quotes" in said) == (2, True), said
    assert not (tmp_path / "t.db").exists()


def test_rule_49_everything_that_is_missing_for_real_money_is_told_at_once(tmp_path: Path) -> None:
    code, said = fails(
        tmp_path,
        "good",
        COLUMNS="200",
        VENUE_SANDBOX="false",
        VENUE_URL="https://elsewhere.example",
        VENUE_KEY="",
    )
    assert code == 3
    for words in ("VENUE_LIVE", '"yes, with real money"', "MAX_DAILY_LOSS", "VENUE_URL"):
        assert words in said, said
    assert "VENUE_KEY" in said
    assert SECRET[:8] not in said


def test_records_of_the_paper_venue_are_kept_from_a_real_one(tmp_path: Path) -> None:
    flags = ("--headless", "--db", "t.db", "--market", "http", "--duration", "1")
    paper = pointsman(tmp_path, "run", *flags)
    assert paper.returncode == 0, paper.stderr
    code, said = fails(tmp_path, "good")
    assert (code, "trades on paper, and the settings say alpaca sandbox a" in said) == (5, True)
    with sqlite3.connect(tmp_path / "t.db") as connection:
        (found,) = connection.execute("SELECT traded_on FROM desk").fetchone()
    assert json.loads(found)["venue"] == "paper"

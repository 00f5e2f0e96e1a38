"""Signals and quotes to a real engine over a real socket: durable before they are answered, and
nothing decided while storage fails."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pointsman.client import ApiError, Client
from tests.integration.http_engines import HttpEngine, http_engine
from tests.integration.sessions import pointsman, rows

SIGNALS = "/api/v1/signals"
FLAGS = ("--market", "http")
PATIENCE_SECONDS = 30.0


def signal(signal_id: str, **changes: Any) -> dict[str, Any]:
    whole = {
        "signal_id": signal_id,
        "va_id": "VA001",
        "symbol": "AAPL",
        "side": "buy",
        "quantity": "1",
    }
    return whole | changes


def quote(bid: str = "99.99", ask: str = "100.01", symbol: str = "AAPL") -> dict[str, Any]:
    sized = {"bid": bid, "bid_size": "1000", "ask": ask, "ask_size": "1000"}
    return {"ts": time.time_ns(), "symbol": symbol, **sized}


# -- one answer, and a durable one -----------------------------------------------------------------


def test_f64_every_decision_that_was_answered_is_there_after_a_kill_9(tmp_path: Path) -> None:
    answered: dict[str, dict[str, Any]] = {}

    def send(engine: HttpEngine, sender: int) -> None:
        with Client(engine.url) as client:
            for number in range(10_000):
                signal_id = f"s{sender}-{number}"
                try:
                    answered[signal_id] = client.signal(**signal(signal_id))
                except OSError:
                    return

    with http_engine(tmp_path, flags=FLAGS) as engine, ThreadPoolExecutor(4) as senders:
        sending = [senders.submit(send, engine, number) for number in range(4)]
        while len(answered) < 200:
            assert not any(each.done() for each in sending), [each.exception() for each in sending]
            time.sleep(0.01)
        engine.kill_9()
    stored = dict(rows(tmp_path / "t.db", "SELECT signal_id, outcome FROM decisions"))
    for signal_id, decision in answered.items():
        assert stored[signal_id] == decision["outcome"]
    with http_engine(tmp_path, flags=FLAGS) as engine, Client(engine.url) as client:
        signal_id, decision = next(iter(answered.items()))
        assert client.signal(**signal(signal_id)) == {**decision, "duplicate": True}
        assert engine.end() == 143
    assert pointsman(tmp_path, "journal", "check", "--db", "t.db").returncode == 0


def test_rule_13_an_id_with_other_content_is_a_conflict_and_an_incident(tmp_path: Path) -> None:
    with http_engine(tmp_path, flags=FLAGS) as engine:
        first = engine.post(SIGNALS, signal("once"))
        assert engine.post(SIGNALS, signal("once")).document == {
            **first.document,
            "duplicate": True,
        }
        reused = engine.post(SIGNALS, signal("once", quantity="2"))
        assert (reused.status, reused.document["reason"]) == (409, "ID_REUSED")
        kinds = rows(engine.database, "SELECT kind, value FROM incidents")
        assert kinds == [("ID_REUSED", "once")]


def test_what_is_no_signal_is_counted_and_a_batch_is_decided_in_order(tmp_path: Path) -> None:
    with http_engine(tmp_path, flags=FLAGS) as engine, Client(engine.url) as client:
        with pytest.raises(ApiError) as refused:
            client.signal(**signal("bad", quantity="ten"))
        assert (refused.value.status, refused.value.field) == (422, "quantity")
        client.quotes([quote()])
        answers = client.signals(
            [signal("in"), signal("bad", side="hold"), signal("out", side="close", quantity=None)]
        )
        assert [each["status"] for each in answers] == [200, 422, 200]
        assert [each.get("outcome") for each in answers] == ["accepted", None, "refused"]
        assert answers[2]["reason"] == "NOTHING_TO_CLOSE", "decided before the entry has filled"
        malformed = "SELECT count(*) FROM incidents WHERE kind = 'MALFORMED_SIGNAL'"
        assert rows(engine.database, malformed) == [(2,)]


def test_rules_19_and_11_a_killed_engine_answers_with_a_refusal(tmp_path: Path) -> None:
    with http_engine(tmp_path, flags=FLAGS) as engine, Client(engine.url) as client:
        client.quotes([quote()])
        client.kill("drill")
        decision = client.signal(**signal("late"))
        assert (decision["outcome"], decision["reason"]) == ("refused", "KILLED")


# -- quotes ----------------------------------------------------------------------------------------


def is_covered(story: dict[str, Any]) -> bool:
    """Whether the venue has confirmed the stop."""
    return any(
        order["role"] == "stop" and order["status"] == "ACCEPTED" for order in story["orders"]
    )


def test_rule_35_posted_quotes_drive_the_paper_venue(tmp_path: Path) -> None:
    with http_engine(tmp_path, flags=FLAGS) as engine, Client(engine.url) as client:
        assert client.quotes([quote(), quote(symbol="MSFT")])["taken"] == 2
        assert client.signal(**signal("in", stop_loss="1%"))["outcome"] == "accepted"
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not is_covered(story := client.why("in")):
            client.quotes([quote()])
            assert time.monotonic() < give_up_at, story
        while not (story := client.why("in"))["trades"]:
            client.quotes([quote("98.90", "98.92")])  # through the stop at 99.00
            assert time.monotonic() < give_up_at, story
        assert story["trades"][0]["exit_reason"] == "STOP_LOSS"
        assert engine.end() == 143, "the end of quotes is not the end of the run"


def test_a_simulated_market_takes_no_quotes(tmp_path: Path) -> None:
    with http_engine(tmp_path) as engine, Client(engine.url) as client:
        with pytest.raises(ApiError, match="--market http") as refused:
            client.quotes([quote()])
        assert refused.value.status == 409


# -- storage that fails ----------------------------------------------------------------------------

FULL_DISK = """
import sqlite3, sys
from pathlib import Path
from pointsman.storage.errors import StorageFailed
from pointsman.storage.sqlite_manager import SqliteManager
append = SqliteManager.append
def fails(self, entries):
    if Path("full").exists():
        raise StorageFailed(sqlite3.OperationalError("database or disk is full"))
    return append(self, entries)
SqliteManager.append = fails
from pointsman.cli.app import main
sys.exit(main())
"""
"""The program, and a disk that is full while there is a file of that name."""


def test_rule_29_while_storage_fails_nothing_is_decided_and_503_says_so(tmp_path: Path) -> None:
    start = [sys.executable, "-c", FULL_DISK]
    with http_engine(tmp_path, flags=FLAGS, start=start) as engine:
        engine.post("/api/v1/quotes", {"quotes": [quote()]})
        (tmp_path / "full").touch()
        tried = 0
        while (found := engine.post(SIGNALS, signal(f"first-{tried}"))).status == 200:
            tried += 1
        assert "nothing will be sent" in found.document["detail"]
        for number in range(3):
            held = engine.post(SIGNALS, signal(f"held-{number}"))
            assert held.status == 503, held
            assert "storage" in held.document["detail"]
        bulk = engine.post_lines(f"{SIGNALS}/bulk", *(signal(f"held-{n}") for n in range(3)))
        assert [line["status"] for line in bulk] == [503, 503, 503]
        (tmp_path / "full").unlink()
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while (answer := engine.post(SIGNALS, signal("held-0"))).status == 503:
            assert time.monotonic() < give_up_at, answer
            time.sleep(0.1)
        assert answer.document["duplicate"] is False, "it was never decided before"
        stored = [row[0] for row in rows(engine.database, "SELECT signal_id FROM signals")]
        # The first that was told 503 may have been decided while storage began to fail.
        assert stored in (
            [*(f"first-{number}" for number in range(count)), "held-0"]
            for count in (tried, tried + 1)
        )
        assert engine.end() == 143
    assert pointsman(tmp_path, "journal", "check", "--db", "t.db").returncode == 0

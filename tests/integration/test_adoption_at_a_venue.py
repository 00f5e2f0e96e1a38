"""What the account at a real venue holds beside ours: shown and never touched, until a person gives
it to an account. A real engine process, a venue on loopback, and the commands of a user.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pointsman.engine.control_client import ask
from pointsman.engine.requests import Show
from tests.integration.http_engines import HttpEngine, http_engine
from tests.integration.sessions import pointsman
from tests.venue_servers.alpaca import AlpacaServer

PATIENCE_SECONDS = 30.0


@pytest.fixture
def venue() -> Iterator[AlpacaServer]:
    with AlpacaServer(key="K", secret="S") as server:
        server.quote("AAPL", "100.00", "100.02")
        yield server


def settings_for(venue: AlpacaServer) -> dict[str, str]:
    origin = f"127.0.0.1:{venue.port}"
    return {
        "VENUE": "alpaca",
        "VENUE_KEY": "K",
        "VENUE_SECRET": "S",
        "VENUE_URL": f"http://{origin}",
        "VENUE_STREAM_URL": f"ws://{origin}",
        "VENUE_DATA_URL": f"ws://{origin}",
        "RECONCILE_INTERVAL_SECONDS": "1",
    }


def shown(engine: HttpEngine, settings: dict[str, str], *verb: str) -> Any:
    done = pointsman(engine.database.parent, *verb, "--json", "--db", "t.db", settings=settings)
    return json.loads(done.stdout)


def until(found: Callable[[], Any]) -> Any:
    """What is found, once it is something."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not (what := found()):
        assert time.monotonic() < give_up_at, "it did not come"
        time.sleep(0.2)
    return what


def stops_at(venue: AlpacaServer) -> list[tuple[str, str]]:
    """Quantity and trigger of every stop that was sent to it."""
    found = [json.loads(arrived.body) for arrived in venue.requests if arrived.body]
    return [(body["qty"], body["stop_price"]) for body in found if body.get("type") == "stop"]


def test_rule_28_a_holding_is_not_touched_until_it_is_assigned_and_then_has_a_stop(
    tmp_path: Path, venue: AlpacaServer
) -> None:
    venue.foreign_order("AAPL", "buy", 7)
    settings = settings_for(venue)
    assign = ("accounts", "assign", "VA002", "AAPL")
    with http_engine(tmp_path, settings, ("--market", "http")) as engine:
        (held,) = until(lambda: shown(engine, settings, "status")["external_holdings"])
        assert (held["symbol"], held["quantity"]) == ("AAPL", "7")
        assert not stops_at(venue)
        row = {"ts": time.time_ns(), "symbol": "AAPL", "bid": "100.00", "ask": "100.02"}
        sizes = {"bid_size": "100", "ask_size": "100"}
        assert engine.post("/api/v1/quotes", {"quotes": [{**row, **sizes}]}).status == 200
        done = pointsman(
            tmp_path, *assign, "7", "--reason", "mine", "--db", "t.db", settings=settings
        )
        assert done.stdout == "assigned 7 AAPL to VA002\n", done.stderr
        (position,) = until(
            lambda: [
                row
                for row in ask(engine.database, Show())["positions"]
                if row["va_id"] == "VA002" and row["cover"] == "covered"
            ]
        )
        assert position["quantity"] == "7"
        assert stops_at(venue) == [("7", "98.00")]
        engine.kill_9()
    with http_engine(tmp_path, settings, ("--market", "http")) as again:
        assert [row["va_id"] for row in shown(again, settings, "positions")] == ["VA002"]
        assert not [
            h for h in shown(again, settings, "status")["external_holdings"] if h["quantity"] != "0"
        ]
        assert again.end() == 143
    check = pointsman(tmp_path, "journal", "check", "--db", "t.db", settings=settings)
    assert check.returncode == 0, check.stdout
    assert stops_at(venue) == [("7", "98.00")], "the stop that rests is not sent again"

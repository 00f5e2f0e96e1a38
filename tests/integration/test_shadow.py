"""Engines in shadow of an account, over real sockets: whatever they decide, no order leaves; they
trade on paper on the venue's live quotes, and say what the account itself holds.
"""

import json
import time
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pointsman.engine.control_client import ask
from pointsman.engine.requests import Show
from pointsman.service.recorded_run import report_on
from pointsman.storage.reader import account_readings, open_reader
from tests.integration.http_engines import HttpEngine, http_engine
from tests.integration.sessions import pointsman
from tests.integration.test_venue_quotes import VENUES, AtVenue, is_subscribed, until
from tests.optional import NEEDS_CCXT
from tests.venue_servers.base import VenueServer

pytestmark = NEEDS_CCXT

MARKET = ("--market", "venue")


def settings_for(at: AtVenue, server: VenueServer) -> dict[str, str]:
    stream_url = f"ws://127.0.0.1:{server.port}"
    return {
        "VENUE": at.market,
        "VENUE_KEY": server.key,
        "VENUE_SECRET": server.secret,
        "VENUE_SHADOW": "true",
        "VENUE_URL": server.url,
        "VENUE_STREAM_URL": stream_url,
        "VENUE_DATA_URL": stream_url,
        "SYMBOLS": at.symbol,
        "RECONCILE_INTERVAL_SECONDS": "1",
    }


def changes_at(server: VenueServer) -> list[tuple[str, str]]:
    """Every request that could have changed the account."""
    return [
        (arrived.method, arrived.route)
        for arrived in server.requests
        if arrived.method != "GET" and arrived.route != "listen_key"
    ]


def quoted(server: Any, at: AtVenue, engine: HttpEngine) -> None:
    """A live quote, taken in."""
    until(lambda: is_subscribed(server, at.theirs))
    server.quote(at.theirs, *map(Decimal, at.prices), bid_size=500, ask_size=500)
    until(lambda: ask(engine.database, Show())["health"]["feed_age_ms"] is not None)


def signal(engine: HttpEngine, at: AtVenue, number: int) -> dict[str, Any]:
    body = {"signal_id": f"s{number}", "va_id": f"VA00{number}", "symbol": at.symbol}
    wanted = {"side": "buy", "quantity": at.quantity}
    return engine.post("/api/v1/signals", {**body, **wanted}).document


def is_covered(engine: HttpEngine) -> bool:
    return [row["cover"] for row in ask(engine.database, Show())["positions"]] == ["covered"]


def status(engine: HttpEngine) -> Any:
    arguments = ("status", "--json", "--db", str(engine.database))
    return json.loads(pointsman(engine.database.parent, *arguments).stdout)


def held_at(engine: HttpEngine) -> Decimal:
    """What the account was last found to hold."""
    holdings = status(engine)["account_holds"]["holdings"]
    return sum((Decimal(row["quantity"]) for row in holdings), Decimal(0))


@pytest.mark.parametrize("at", VENUES, ids=lambda at: at.market)
def test_rule_49_no_order_leaves_also_through_a_kill_9_and_a_flatten(
    tmp_path: Path, at: AtVenue
) -> None:
    with at.server() as server:
        settings = settings_for(at, server)
        server.quote(at.theirs, *map(Decimal, at.prices), bid_size=500, ask_size=500)
        server.foreign_order(at.theirs, "buy", 2)
        with http_engine(tmp_path, settings, MARKET) as engine:
            quoted(server, at, engine)
            assert signal(engine, at, 1)["outcome"] == "accepted"
            until(lambda: is_covered(engine))
            label = status(engine)["venue"]["label"]
            assert f"{at.market} shadow of the sandbox account" in label
            assert (until(lambda: held_at(engine)), status(engine)["external_holdings"]) == (2, [])
            engine.kill_9()
        server.foreign_order(at.theirs, "buy", 1)
        with http_engine(tmp_path, settings, MARKET) as engine:
            assert is_covered(engine), "its stop rests on paper"
            until(lambda: held_at(engine) == 3)
            quoted(server, at, engine)
            pointsman(tmp_path, "kill", "--flatten", "--db", "t.db", settings=settings)
            until(lambda: ask(engine.database, Show())["kill"]["flat_at_ns"])
            assert engine.end() == 143
        assert changes_at(server) == []
    said = engine.log.read_text()
    assert "shadow: would have entered 0 times since" in said
    assert ", closed 1 position for" in said
    shadowed = report_on(engine.database)["shadow"]
    assert (shadowed["entries"], shadowed["closed"]) == (1, 1)
    check = pointsman(tmp_path, "journal", "check", "--db", "t.db")
    assert check.returncode == 0, check.stdout
    with closing(open_reader(engine.database)) as connection:
        assert len(account_readings(connection)) >= 2


def test_rule_46_an_account_that_is_out_of_reach_is_shown_and_stops_entries(tmp_path: Path) -> None:
    (at,) = (at for at in VENUES if at.market == "alpaca")
    with ExitStack() as reachable:
        server = reachable.enter_context(at.server())
        settings = settings_for(at, server)
        with http_engine(tmp_path, settings, ("--market", "http")) as engine:
            reachable.close()
            until(lambda: not link_of(engine, "account_stream")["is_up"])
            row = {"ts": time.time_ns(), "symbol": at.symbol, "bid_size": "9", "ask_size": "9"}
            prices = {"bid": at.prices[0], "ask": at.prices[1]}
            assert engine.post("/api/v1/quotes", {"quotes": [{**row, **prices}]}).status == 200
            decided = signal(engine, at, 1)
            assert (decided["outcome"], decided["reason"]) == ("refused", "VENUE_DOWN")
    assert changes_at(server) == []


def link_of(engine: HttpEngine, name: str) -> dict[str, Any]:
    links = ask(engine.database, Show())["health"]["venue_links"]
    (link,) = (each for each in links if each["link"] == name)
    return dict(link)

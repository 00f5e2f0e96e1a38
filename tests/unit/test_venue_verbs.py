"""`venue list`: what is built, what it needs and what it can do."""

import json
import os
import sys
from pathlib import Path

import pytest

from pointsman.cli.app import main
from pointsman.cli.venue_verbs import built_venues, draw_venues, venue_document
from pointsman.engine.open_venue import ADAPTERS
from pointsman.storage.sqlite_manager import SqliteManager
from tests.unit.test_tables import drawn


def shown(width: int) -> str:
    return "\n".join(drawn(draw_venues(list(built_venues())), width))


def test_exactly_the_venues_that_are_built_are_listed() -> None:
    assert {venue.name for venue in built_venues()} == {"paper", *ADAPTERS}


def test_a_venue_that_no_adapter_exists_for_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ADAPTERS, "alpaca")
    assert "alpaca" not in shown(160)


def test_a_person_sees_what_to_install_and_what_a_venue_forbids() -> None:
    words = shown(160)
    assert "VENUE_KEY, VENUE_SECRET, pip install ccxt==4.5.90" in words
    (line,) = (line for line in words.splitlines() if "opens the other side" in line)
    assert line.split()[:2] == ["alpaca", "net"]
    assert line.split()[-3:] == ["no", "no", "no"], "it forbids a stop beside an entry"


@pytest.mark.parametrize("width", [60, 80, 100, 160])
def test_it_fits_every_terminal(width: int) -> None:
    assert all(len(line) <= width for line in shown(width).splitlines())


def test_programs_get_hosts_and_abilities(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pointsman", "venue", "list", "--json"])
    assert main() == 0
    found = {venue["name"]: venue for venue in json.loads(capsys.readouterr().out)}
    assert found["alpaca"]["sandbox_hosts"] == [
        "data.alpaca.markets",
        "paper-api.alpaca.markets",
        "stream.data.alpaca.markets",
    ]
    assert found["alpaca"]["abilities"]["entry_beside_stop"] is False
    assert found["bybit"]["position_modes"] == ["net", "hedge"]
    assert found == {venue.name: venue_document(venue) for venue in built_venues()}


def test_rule_43_the_paper_venue_keeps_every_promise_and_status_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ["--json", "--db", str(tmp_path / "new.db")]
    monkeypatch.setattr(sys, "argv", ["pointsman", "venue", "check", "--orders", *given])
    assert main() == 0
    promises = json.loads(capsys.readouterr().out)["promises"]
    assert [one["promise"] for one in promises if not one["is_kept"]] == []
    monkeypatch.setattr(sys, "argv", ["pointsman", "status", *given])
    assert main() == 0
    kept = json.loads(capsys.readouterr().out)["last_check"]
    assert (kept["promises"], kept["is_whole"]) == (promises, True)
    assert (kept["venue"]["label"], kept["symbol"]) == ("paper", "BTC/USDT")


def test_where_an_engine_holds_the_database_nothing_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.engine.venue_check.Walk.run", unwanted)
    given = ["venue", "check", "--orders", "--db", str(tmp_path / "t.db")]
    monkeypatch.setattr(sys, "argv", ["pointsman", *given])
    engine = SqliteManager(tmp_path / "t.db")
    engine.open()
    try:
        assert main() == 7
    finally:
        engine.close()
    assert f"t.db is in use by process {os.getpid()}" in capsys.readouterr().err


def unwanted(*_given: object) -> None:
    pytest.fail("orders were sent")


def test_a_symbol_that_is_not_traded_is_refused_with_those_that_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["pointsman", "venue", "check", "--symbol", "DOGE/USDT"])
    assert main() == 3
    assert "the simulated market has AAPL" in capsys.readouterr().err


def test_rule_49_in_shadow_no_order_of_a_check_is_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = {"VENUE": "alpaca", "VENUE_KEY": "K", "VENUE_SECRET": "S", "VENUE_SHADOW": "true"}
    for name, value in shadow.items():
        monkeypatch.setenv(name, value)
    given = ["venue", "check", "--orders", "--db", str(tmp_path / "t.db")]
    monkeypatch.setattr(sys, "argv", ["pointsman", *given])
    assert main() == 3
    assert "nothing is sent in shadow" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "t.db").exists()

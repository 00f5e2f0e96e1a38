"""The list of desks: who is silent stands out."""

from rich.console import Console

from pointsman.engine.requests import Show
from pointsman.terminal.fleet import fleet_listing
from tests.unit.test_desk_requests import ask


def test_each_desk_has_a_row_and_a_silent_one_says_so() -> None:
    answers = {
        "btc": {**ask(Show())[0], "owner": "box, process 7"},
        "eth": {"ok": False, "error": "no engine answers for this desk", "owner": None},
    }
    console = Console(width=160, record=True)
    console.print(fleet_listing(answers))
    lines = console.export_text().splitlines()
    (btc,) = [line for line in lines if "btc" in line]
    (eth,) = [line for line in lines if "eth" in line]
    assert all(word in btc for word in ("ACTIVE", "box, process 7", "300.5", "bybit sandbox 7"))
    assert "no answer" in eth

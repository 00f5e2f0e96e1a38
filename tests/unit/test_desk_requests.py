"""What a desk answers to the fleet: in short, and only what a fleet may ask."""

import json
from typing import Any

from pointsman.engine.requests import Flatten, Kill, Pause, Show, encode
from pointsman.service.desk_requests import answer_the_fleet, answered

PICTURE: dict[str, Any] = {
    "venue": {"label": "bybit sandbox 7", "is_real_money": False},
    "is_ready": True,
    "trading_state": "ACTIVE",
    "kill": {"state": "off"},
    "accounts": [{"equity": "100.5"}, {"equity": "200"}],
    "positions": [{"cover": "covered"}, {"cover": "naked"}],
    "incidents": [{}],
    "health": {"unready": {}, "epoch": 3, "replica_lag_rows": 2},
    "http": "http://127.0.0.1:8080",
}


class Board:
    def document(self) -> dict[str, Any]:
        return PICTURE


class Controls:
    def __init__(self) -> None:
        self.asked: list[Any] = []

    def carry_out(self, request: Any) -> dict[str, Any]:
        self.asked.append(request)
        return {"durable": True}


def ask(request: Any) -> tuple[dict[str, Any], list[Any]]:
    controls: Any = Controls()
    board: Any = Board()
    content = request if isinstance(request, bytes) else encode(request)
    answer: dict[str, Any] = json.loads(answered(content, controls, board))
    return answer, controls.asked


def test_how_it_stands_is_told_in_short() -> None:
    answer, asked = ask(Show())
    assert not asked
    assert (answer["equity"], answer["positions"], answer["naked"]) == ("300.5", 2, 1)
    assert (answer["epoch"], answer["replica_lag_rows"], answer["is_ready"]) == (3, 2, True)


def test_what_a_fleet_asks_is_carried_out() -> None:
    pause = Pause(va=None, reason="r", by="b")
    assert ask(pause) == ({"ok": True, "durable": True}, [pause])
    assert ask(Kill())[1] == [Kill()]


def test_what_is_of_one_desk_alone_or_no_request_is_refused() -> None:
    answer, asked = ask(Flatten(va=None, reason="r", by="b"))
    assert (answer["ok"], answer["exit"], asked) == (False, 2, [])
    assert ask(b"{}")[0]["ok"] is False


def test_an_engine_of_one_machine_answers_nobody() -> None:
    given: Any = None
    answer_the_fleet(None, given, given)

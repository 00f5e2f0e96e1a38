"""Alerts to a real engine over a real socket, from the bytes that curl sends to a protected
position."""

import hmac
import json
import time
from pathlib import Path
from typing import Any

from pointsman.client import Client
from pointsman.engine.control_client import watch
from tests.integration.http_engines import PATIENCE_SECONDS, HttpEngine, http_engine
from tests.integration.sessions import pointsman, rows

TOKEN, SECRET = "hook-0123456789abcdef", "secret-0123456789"
SETTINGS = {"WEBHOOK_TOKEN": TOKEN, "WEBHOOK_SECRET": SECRET, "WEBHOOK_DEFAULT_NOTIONAL": "1000"}
HOOK = f"/webhook/{TOKEN}?va=VA002"
ALERT = b"""{
  "ticker": "NASDAQ:MSFT",
  "action": "buy",
  "contracts": "2",
  "market_position": "long",
  "order_id": "Long",
  "time": "2026-01-05T14:30:00Z"
}"""
FORM = "Content-Type: application/x-www-form-urlencoded"
"""What curl says of the bytes after -d."""


def covered(engine: HttpEngine, va_id: str) -> dict[str, Any]:
    """The one position of a VA, once its stop rests at the venue."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    for picture in watch(engine.database):
        held = [each for each in picture["positions"] if each["va_id"] == va_id]
        if [each["cover"] for each in held] == ["covered"]:
            return dict(held[0])
        assert time.monotonic() < give_up_at, picture
    raise AssertionError("the engine has ended")


def until_quoted(engine: HttpEngine) -> None:
    """Wait until the simulated market has opened, by trading on another account."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    alert = {"ticker": "MSFT", "action": "buy", "va": "VA005"}
    for number in range(10_000):
        body = json.dumps({**alert, "alertId": f"probe-{number}"}).encode()
        if engine.raw(HOOK, body).document["reason"] is None:
            return
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def test_a_tradingview_alert_becomes_a_protected_position_once_and_why_tells_it(
    tmp_path: Path,
) -> None:
    with http_engine(tmp_path, SETTINGS) as engine:
        assert engine.post("/api/v1/flatten", {"reason": "a stranger"}).status == 401
        with Client(engine.url, tokens_path=tmp_path / "t.db.tokens") as here:
            assert here.status()["trading_state"] == "ACTIVE"
        until_quoted(engine)
        began = time.monotonic()
        first = engine.raw(HOOK, ALERT, FORM)
        assert time.monotonic() - began < 10
        assert (first.status, first.document["outcome"]) == (200, "accepted"), first
        position = covered(engine, "VA002")
        assert (position["symbol"], position["side"]) == ("MSFT", "long")
        again = engine.raw(HOOK, ALERT.replace(b"\n ", b""), FORM)
        status = again.document["order_status"]
        assert status == "FILLED"
        told_again = {**first.document, "duplicate": True, "order_status": status}
        assert again == (200, told_again)
        signal_id = first.document["signal_id"]
        told = pointsman(tmp_path, "why", signal_id, "--db", "t.db")
        assert told.returncode == 0, told.stderr
        for word in ("webhook", "accepted", "MSFT", first.document["client_order_id"]):
            assert word in told.stdout, word
        ((orders, trades),) = rows(
            engine.database,
            "SELECT (SELECT count(*) FROM orders WHERE va_id = 'VA002'),"
            " (SELECT count(*) FROM fills WHERE va_id = 'VA002')",
        )
        assert (orders, trades) == (2, 1), "an entry that filled once, and its stop"
        closed = engine.raw(HOOK, b'{"ticker":"MSFT","action":"exit"}', "Content-Type: text/plain")
        assert closed.document["action"] == "exit"
        assert engine.end() == 143
    log = (tmp_path / "log.txt").read_text()
    assert f"http tokens made  path={tmp_path / 't.db.tokens'}" in log
    made = (tmp_path / "t.db.tokens").read_text().split()
    assert not any(secret.partition("=")[2] in log for secret in [*made, f"x={TOKEN}"])
    assert pointsman(tmp_path, "journal", "check", "--db", "t.db").returncode == 0


def test_rule_37_an_alert_before_a_kill_9_is_the_same_one_after_it(tmp_path: Path) -> None:
    timeless = b'{"ticker":"MSFT","action":"buy"}'
    with http_engine(tmp_path, SETTINGS) as engine:
        timed, untimed = engine.raw(HOOK, ALERT), engine.raw(HOOK, timeless)
        engine.kill_9()
    with http_engine(tmp_path, SETTINGS) as engine:
        for before, body in ((timed, ALERT), (untimed, timeless)):
            again = engine.raw(HOOK, body)
            state = {"order_status": again.document["order_status"]}
            assert again == (200, {**before.document, "duplicate": True, **state})


def test_f79_a_captured_signed_message_changes_nothing_not_even_after_a_restart(
    tmp_path: Path,
) -> None:
    body = b'{"ticker":"MSFT","action":"buy","qty":1,"va":"VA001"}'

    def signed(stamp: str) -> list[str]:
        digest = hmac.digest(SECRET.encode(), stamp.encode() + b"." + body, "sha256").hex()
        return [f"X-Pointsman-Timestamp: {stamp}", f"X-Pointsman-Signature: {digest}"]

    path, elsewhere = "/webhook", "/webhook?va=VA002"
    with http_engine(tmp_path, SETTINGS) as engine:
        captured = signed(f"{time.time():.3f}")
        first = engine.raw(path, body, *captured)
        assert first.status == 200, first
        assert engine.raw(path, body, *captured).status == 409
        second = engine.raw(path, body, *signed(f"{time.time():.3f}"))
        assert second.document["signal_id"] != first.document["signal_id"]
        stale = engine.raw(path, body, *signed(f"{time.time() - 61:.3f}"))
        assert (stale.status, engine.raw(path, body).status) == (401, 401)
        assert engine.raw(elsewhere, body, *signed(f"{time.time():.3f}")).status == 422
        engine.kill_9()
    with http_engine(tmp_path, SETTINGS) as engine:
        for where in (path, elsewhere):
            assert engine.raw(where, body, *captured).status == 409
        ((count,),) = rows(engine.database, "SELECT count(*) FROM signals")
        assert count == 2


def test_what_a_wrong_token_is_told_holds_no_token(tmp_path: Path) -> None:
    with http_engine(tmp_path, SETTINGS) as engine:
        for path in (f"/webhook/{TOKEN}x", "/webhook/guess-me-0123", f"/webhook/{TOKEN}?va=%FF"):
            answer = engine.raw(path, b"\x00")
            assert answer.status in (404, 422)
            assert TOKEN not in json.dumps(answer.document)
        guesses = [engine.raw("/webhook", b"{}", "X-Pointsman-Timestamp: 1") for _ in range(25)]
        assert (guesses[0].status, guesses[-1].status) == (401, 429), "guessing is slow"
        engine.end()
    log = (tmp_path / "log.txt").read_text()
    assert TOKEN not in log
    assert "guess-me" not in log

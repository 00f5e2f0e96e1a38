"""The webhook: what chart services send, as they send it."""

import asyncio
import hmac
import json
from concurrent.futures import Future
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointsman.api.webhook import signed_path
from pointsman.domain.commands import Step
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Signal
from pointsman.execution.outbox import StorageHeld
from tests.story_database import lived_day
from tests.unit.played_engine import (
    NOW_NS,
    Play,
    Played,
    accepted,
    accepts,
    has_no_room,
    is_deciding,
    leaves_waiting,
    post,
)

TOKEN, SECRET = "hook-0123456789abcdef", "secret-0123456789"
TIME = "2026-01-05T14:30:00Z"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of another day, which knows none of the alerts here."""
    return lived_day().store(tmp_path_factory.mktemp("stored") / "t.db")


def played(database: Path, play: Play = accepts, **changes: str) -> Played:
    names = {"WEBHOOK_TOKEN": TOKEN, "WEBHOOK_DEFAULT_NOTIONAL": "1000"}
    return Played(play, None, database, **(names | changes))


async def alert(
    engine: Played, fields: object, query: str = "?va=VA1", token: str = TOKEN
) -> httpx.Response:
    body = fields if isinstance(fields, str) else json.dumps(fields)
    return await post(engine, f"/webhook/{token}{query}", body)


# -- shapes ----------------------------------------------------------------------------------------

TRADINGVIEW_STRATEGY = {
    "ticker": "NASDAQ:AAPL",
    "action": "buy",
    "contracts": "10",
    "market_position": "long",
    "market_position_size": "10",
    "prev_market_position": "flat",
    "order_id": "Long",
    "price": "193.7",
    "time": TIME,
    "interval": "5",
}
TRADINGVIEW_EXIT = TRADINGVIEW_STRATEGY | {"action": "sell", "market_position": "flat"}
TRADERSPOST = {
    "ticker": "AMD",
    "action": "buy",
    "sentiment": "bullish",
    "signalPrice": 143.12,
    "quantity": 1,
    "takeProfit": {"percent": 10},
    "stopLoss": {"type": "stop", "percent": 5},
    "extras": {"any": ["thing"]},
}
TRADE_RELAY = {
    "Symbol": "BINANCE:BTCUSDT",
    "Side": "SHORT",
    "Qty": 0.5,
    "SL": "70000",
    "TP": "60000",
    "alertId": "tr-77",
    "account": "VA2",
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            TRADINGVIEW_STRATEGY,
            {
                "symbol": "AAPL",
                "side": SignalSide.BUY,
                "quantity": Decimal(10),
                "price": Decimal("193.7"),
                "reduce_only": False,
                "va_id": "VA1",
                "ts_ns": 1_767_623_400 * 10**9,
            },
        ),
        (TRADINGVIEW_EXIT, {"side": SignalSide.SELL, "reduce_only": True}),
        (
            TRADERSPOST,
            {
                "symbol": "AMD",
                "quantity": Decimal(1),
                "price": None,
                "stop_loss_percentage": Decimal(5),
                "take_profit_percentage": Decimal(10),
            },
        ),
        (
            {"ticker": "AMD", "action": "exit"},
            {"side": SignalSide.CLOSE, "quantity": None, "notional": None, "reduce_only": True},
        ),
        ({"ticker": "AMD", "action": "buy"}, {"quantity": None, "notional": Decimal(1000)}),
        (
            TRADE_RELAY,
            {
                "signal_id": "tr-77",
                "va_id": "VA2",
                "symbol": "BTCUSDT",
                "side": SignalSide.SELL,
                "quantity": Decimal("0.5"),
                "stop_loss": Decimal(70000),
                "take_profit": Decimal(60000),
            },
        ),
    ],
    ids=["strategy", "strategy exit", "traderspost", "exit", "no size", "trade-relay"],
)
async def test_an_alert_works_with_only_the_url_changed(
    database: Path, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    engine = played(database)
    response = await alert(engine, fields)
    assert response.status_code == 200, response.text
    ((signal, source),) = engine.offered
    assert {name: getattr(signal, name) for name in expected} == expected
    assert (source, response.json()["signal_id"]) == ("webhook", signal.signal_id)


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "text/plain", None])
async def test_the_content_type_says_nothing(database: Path, media_type: str | None) -> None:
    headers = {} if media_type is None else {"Content-Type": media_type}
    body = json.dumps(TRADERSPOST)
    response = await post(played(database), f"/webhook/{TOKEN}?va=VA1", body, headers)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("fields", "query", "field"),
    [
        ({**TRADERSPOST, "action": "cancel"}, "?va=VA1", "action"),
        ({**TRADERSPOST, "action": "add"}, "?va=VA1", "action"),
        ({**TRADERSPOST, "action": "breakeven"}, "?va=VA1", "action"),
        ({**TRADERSPOST, "action": "{{strategy.order.action}}"}, "?va=VA1", "action"),
        ({**TRADERSPOST, "stopLoss": {"type": "trailing_stop"}}, "?va=VA1", "stopLoss"),
        ({**TRADERSPOST, "quantity": "NaN"}, "?va=VA1", "quantity"),
        ({**TRADERSPOST, "quantityType": "percent_of_equity"}, "?va=VA1", "quantityType"),
        (TRADERSPOST, "", "va_id"),
        (TRADERSPOST, "?va=", "va_id"),
        (TRADERSPOST, "?va=VA%201", "va"),
        ("AAPL buy 10", "?va=VA1", "body"),
    ],
)
async def test_rule_37_what_we_do_not_do_is_said_and_never_ignored(
    database: Path, fields: object, query: str, field: str
) -> None:
    engine = played(database)
    response = await alert(engine, fields, query)
    assert (response.status_code, response.json()["field"]) == (422, field)
    assert (engine.offered, [event.source for event in engine.malformed]) == ([], ["webhook"])


async def test_rule_37_without_any_size_and_without_a_default_it_is_no_signal(
    database: Path,
) -> None:
    engine = played(database, WEBHOOK_DEFAULT_NOTIONAL="")
    response = await alert(engine, {"ticker": "AMD", "action": "buy"})
    assert (response.status_code, response.json()["field"]) == (422, "quantity")
    assert "contracts or quantity" in response.json()["detail"]
    assert "WEBHOOK_DEFAULT_NOTIONAL" in engine.malformed[0].remedy


@pytest.mark.parametrize("query", ["", "?va="])
async def test_rule_37_without_an_account_the_answer_names_the_place_in_the_url(
    database: Path, query: str
) -> None:
    engine = played(database)
    response = await alert(engine, TRADERSPOST, query)
    assert response.status_code == 422
    assert "?va=ACCOUNT" in response.json()["detail"]
    assert "?va=ACCOUNT" in engine.malformed[0].remedy


async def test_rule_58_an_order_against_what_is_held_is_done_whatever_else_stands_in_it(
    database: Path,
) -> None:
    """VA002 of the day is long of XXX."""
    broken = {"ticker": "XXX", "action": "sell", "contracts": "10", "time": "yesterday"}
    engine = played(database)
    response = await alert(engine, {**broken, "price": "{{close}}"}, "?va=VA002")
    assert response.status_code == 200, response.text
    ((signal, _),) = engine.offered
    assert (signal.reduce_only, signal.quantity, engine.malformed) == (True, Decimal(10), [])
    assert [each.partition(":")[0] for each in response.json()["unread"]] == ["time", "price"]
    for fields, va in (
        (broken, "VA001"),
        ({**broken, "action": "buy"}, "VA002"),
        ({**broken, "orderType": "limit", "limitPrice": 250}, "VA002"),
    ):
        assert (await alert(engine, fields, f"?va={va}")).status_code == 422
    assert len(engine.offered) == 1


# -- once ------------------------------------------------------------------------------------------


async def test_rule_37_the_same_alert_again_is_the_same_signal(database: Path) -> None:
    engine = played(database)
    async with engine.client() as client:
        for seconds in (0, 59, 60):
            engine.wall_ns = NOW_NS + seconds * 10**9
            response = await client.post(f"/webhook/{TOKEN}?va=VA1", json=TRADERSPOST)
            assert response.status_code == 200
    first, second, third = (signal.signal_id for signal, _ in engine.offered)
    assert first == second != third


async def test_rule_37_also_over_a_restart_for_its_id_is_in_the_database(
    database: Path, tmp_path: Path
) -> None:
    engine = played(database)
    await alert(engine, TRADERSPOST)
    ((first, _),) = engine.offered
    day = lived_day()
    day.signal(60_000, first.signal_id, va_id="VA1", symbol="AMD")
    again = Played(database=day.store(tmp_path / "again.db"), WEBHOOK_TOKEN=TOKEN)
    async with again.client() as client:
        again.wall_ns = NOW_NS + 30 * 10**9
        await client.post(f"/webhook/{TOKEN}?va=VA1", json=TRADERSPOST)
    assert again.offered[0][0].signal_id == first.signal_id


# -- in time ---------------------------------------------------------------------------------------


async def test_what_is_not_decided_within_a_second_stays_in_line(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointsman.api.webhook.DECIDE_SECONDS", 0.05)
    for play in (leaves_waiting, is_deciding):
        engine = played(database, play=play)
        response = await alert(engine, {**TRADERSPOST, "signal_id": "a/b"})
        assert (response.status_code, response.json()["status"]) == (202, "waiting")
        assert response.headers["location"] == "/api/v1/signals/a%2Fb"
        assert not engine.futures[0].cancelled(), "its sender will not send it again"


async def test_what_cannot_be_decided_at_all_is_said(database: Path) -> None:
    def holds(_signal: Signal, future: Future[Step]) -> None:
        future.set_exception(StorageHeld("storage fails; send the signal again"))

    def reuses(signal: Signal, future: Future[Step]) -> None:
        future.set_result(Step(decision=accepted(signal), is_reused_id=True))

    for play, status in ((holds, 503), (has_no_room, 503), (reuses, 409)):
        engine = played(database, play=play)
        assert (await alert(engine, TRADERSPOST)).status_code == status


# -- who may ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], f"{TOKEN}x", f"{TOKEN}//", "%C3%BC"])
async def test_a_wrong_token_learns_nothing(database: Path, token: str) -> None:
    engine = played(database)
    wrong = await alert(engine, "rubbish", token=token)
    none = await alert(Played(), "rubbish", token=TOKEN)
    assert wrong.status_code == none.status_code == 404
    assert wrong.json() == none.json()
    assert (engine.offered, engine.malformed) == ([], [])


async def test_a_token_may_hold_all_that_settings_allow(database: Path) -> None:
    token = "ab/cd+ef=._~-0123"
    engine = played(database, WEBHOOK_TOKEN=token)
    assert (await alert(engine, TRADERSPOST, token=token)).status_code == 200
    assert (await alert(engine, TRADERSPOST, token=token.replace("/", "%2F"))).status_code == 200


async def test_a_slash_after_the_token_changes_nothing(database: Path) -> None:
    assert (await alert(played(database), TRADERSPOST, token=f"{TOKEN}/")).status_code == 200


async def signed(
    client: httpx.AsyncClient, stamp: str, body: bytes, query: str = ""
) -> httpx.Response:
    digest = hmac.digest(SECRET.encode(), stamp.encode() + b"." + body, "sha256")
    headers = {"X-Pointsman-Timestamp": stamp, "X-Pointsman-Signature": digest.hex()}
    return await client.post(f"/webhook{query}", content=body, headers=headers)


async def test_f79_a_replay_is_refused_also_after_a_restart_and_two_honest_messages_both_count(
    database: Path,
) -> None:
    signed_path(database).unlink(missing_ok=True)
    engine = played(database, WEBHOOK_SECRET=SECRET, WEBHOOK_TOKEN="")
    body, now_s = json.dumps({**TRADERSPOST, "va": "VA1"}).encode(), NOW_NS // 10**9
    async with engine.client() as client:
        statuses = [
            (await signed(client, stamp, body)).status_code
            for stamp in (f"{now_s}", f"{now_s}", f"{now_s + 1}", f"{now_s - 61}")
        ]
        assert statuses == [200, 409, 200, 401]
        assert (await client.post("/webhook", content=body)).status_code == 401
        assert (await client.post(f"/webhook/{TOKEN}", content=body)).status_code == 404
    async with engine.client() as client:  # routes made anew, as after a restart
        assert (await signed(client, f"{now_s}", body)).status_code == 409
    signed_path(database).unlink()
    async with engine.client() as client:  # and as after a power cut
        assert (await signed(client, f"{now_s}", body)).status_code == 200
    ids = [signal.signal_id for signal, _ in engine.offered]
    assert ids[0] == ids[2] != ids[1], "without the file a replay is the signal that it was"
    assert (await post(played(database), "/webhook", body)).status_code == 404


@pytest.mark.parametrize("query", ["?va=VA1", "?va=VA9", "?va=", "?x=1"])
async def test_what_is_not_signed_cannot_say_which_account_trades(
    database: Path, query: str
) -> None:
    signed_path(database).unlink(missing_ok=True)
    engine = played(database, WEBHOOK_SECRET=SECRET, WEBHOOK_TOKEN="")
    body, now_s = json.dumps({**TRADERSPOST, "va": "VA1"}).encode(), NOW_NS // 10**9
    async with engine.client() as client:
        answer = await signed(client, f"{now_s}", body, query)
        assert (answer.status_code, "not signed" in answer.json()["detail"]) == (422, True)
        nowhere = await signed(client, f"{now_s + 1}", json.dumps(TRADERSPOST).encode())
        assert nowhere.json()["field"] == "va_id"
        assert "URL" not in nowhere.json()["detail"]
    assert not engine.offered


# -- whatever is sent ------------------------------------------------------------------------------

KEYS = st.sampled_from(
    ["ticker", "action", "qty", "stopLoss", "time", "va", "alertId", "quotes", "x"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)
PATHS = {
    f"/webhook/{TOKEN}?va=VA1": "text/plain",
    "/api/v1/signals": "application/json",
    "/api/v1/signals/bulk": "application/jsonl",
    "/api/v1/quotes": "application/json",
}


@settings(deadline=None)
@given(
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(TRADERSPOST | value if isinstance(value, dict) else value))
    | JSON.map(lambda value: json.dumps({"quotes": [value]}))
)
def test_no_body_breaks_a_route(database: Path, body: bytes | str) -> None:
    async def post_everywhere() -> None:
        engine = Played(accepts, len, database, WEBHOOK_TOKEN=TOKEN, SIGNAL_TOKEN=SECRET)
        async with engine.client() as client:
            for path, media_type in PATHS.items():
                headers = {"Content-Type": media_type, "Authorization": f"Bearer {SECRET}"}
                response = await client.post(path, content=body, headers=headers)
                assert response.status_code in (200, 413, 422), (path, response.text)

    asyncio.run(post_everywhere())

"""Executions that the stream of Bybit has not told, and how a connection begins."""

import asyncio
from collections import deque
from typing import Any

import pytest

from pointsman.domain.events import OrderReport, ReportWord
from pointsman.venues.adapter import Incomplete
from pointsman.venues.bybit import stream
from pointsman.venues.bybit.rows import Row
from pointsman.venues.bybit.stream import TRIES_MAX, MissingExecutions, authorize, hear

ORDER: dict[str, Any] = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "orderId": "v1",
    "orderLinkId": "ABCDEF1E1",
    "orderStatus": "Filled",
    "cumExecQty": "3",
    "updatedTime": "5",
}


def execution(number: int, quantity: str) -> dict[str, Any]:
    return {
        "category": "linear",
        "symbol": "BTCUSDT",
        "orderId": "v1",
        "orderLinkId": "ABCDEF1E1",
        "side": "Buy",
        "execId": f"x{number}",
        "execQty": quantity,
        "execPrice": "10",
        "execTime": "5",
        "execType": "Trade",
    }


def asked(missing: MissingExecutions, now: float) -> list[str]:
    return [row["orderId"] for row in missing.to_ask(now)]


def test_executions_that_come_before_or_soon_after_their_order_are_not_asked_for() -> None:
    missing = MissingExecutions()
    missing.note("execution.linear", execution(1, "1"), 10.0)
    missing.note("order.linear", ORDER, 10.0)
    assert missing.next_due() == 10.5
    missing.note("execution.linear", execution(2, "2"), 10.4)
    assert (missing.next_due(), asked(missing, 99.0)) == (None, [])


def test_what_an_order_was_filled_beyond_its_executions_is_asked_for() -> None:
    missing = MissingExecutions()
    missing.note("execution.linear", execution(1, "1"), 10.0)
    missing.note("execution.linear", execution(1, "1"), 10.0)  # a repeat adds nothing
    missing.note("order.linear", ORDER, 10.0)
    assert asked(missing, 10.4) == []
    assert asked(missing, 10.5) == ["v1"]
    assert asked(missing, 10.6) == []
    assert asked(missing, 11.5) == ["v1"]


def test_executions_that_never_come_give_the_connection_up() -> None:
    missing = MissingExecutions()
    missing.note("order.linear", ORDER, 0.0)
    for number in range(TRIES_MAX):
        assert asked(missing, 1.0 + number) == ["v1"]
    with pytest.raises(Incomplete, match="do not add up"):
        missing.to_ask(1.0 + TRIES_MAX)


def test_only_orders_of_ours_are_counted_and_funding_is_no_execution() -> None:
    missing = MissingExecutions()
    missing.note("order.linear", ORDER | {"orderLinkId": "web"}, 0.0)
    missing.note("order.linear", ORDER | {"cumExecQty": "0"}, 0.0)
    missing.note("execution.linear", {"execType": "Funding"}, 0.0)
    assert missing.next_due() is None


class Socket:
    """Gives what it was made of, one message each time; then nothing more comes."""

    def __init__(self, *messages: Any) -> None:
        self.messages = deque(messages)
        self.sent: list[Any] = []

    async def receive(self) -> Any:
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.popleft()

    async def send(self, message: Any) -> None:
        self.sent.append(message)


SUBSCRIBED = {"op": "subscribe", "success": True}


async def no_executions(row: Row) -> list[Row]:
    raise Incomplete(f"not now: {row['orderId']}")


async def heard(socket: Any, count: int) -> list[Any]:
    told = []
    async for replies in hear(socket, no_executions):
        told.append(replies)
        if len(told) == count:
            break
    return told


async def test_a_connection_is_signed_and_established_before_it_tells() -> None:
    early = {"topic": "execution.linear", "data": [execution(1, "1")]}
    socket: Any = Socket({"op": "auth", "success": True}, early, SUBSCRIBED)
    await authorize(socket, "K", "S", 1_000_000)
    established, told = await heard(socket, 2)
    assert established == []
    assert [reply.kind for reply in told if isinstance(reply, OrderReport)] == [ReportWord.TRADE]
    auth, subscribe = socket.sent
    signature = "25c858c75cbab7c0e1877be9ed76af85c61a84ece3e2cf724a4f2fb361ac0c5e"
    assert auth == {"op": "auth", "args": ["K", 1_010_000, signature]}
    assert subscribe == {"op": "subscribe", "args": ["order.linear", "execution.linear"]}


async def test_a_refused_or_silent_connection_is_incomplete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused: Any = Socket({"op": "auth", "success": False, "ret_msg": "Invalid sign"})
    with pytest.raises(Incomplete, match="refused auth: Invalid sign"):
        await authorize(refused, "K", "S", 1)
    monkeypatch.setattr(stream, "ANSWER_SECONDS", 0.01)
    silent: Any = Socket()
    with pytest.raises(Incomplete, match="did not answer to auth"):
        await authorize(silent, "K", "S", 1)


async def test_pings_are_sent_and_a_connection_that_answers_none_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "PING_SECONDS", 0.01)
    monkeypatch.setattr(stream, "SILENCE_SECONDS", 0.5)
    silent: Any = Socket(SUBSCRIBED)
    with pytest.raises(Incomplete, match="told nothing"):
        await heard(silent, 2)
    assert silent.sent.count({"op": "ping"}) >= 2


@pytest.mark.parametrize(
    "message",
    [
        [],
        {"topic": "order.linear"},
        {"topic": "order.linear", "data": [7]},
        {"topic": "order.linear", "data": [ORDER | {"orderStatus": "Sleeping"}]},
    ],
)
async def test_a_message_that_cannot_be_understood_is_incomplete(message: Any) -> None:
    broken: Any = Socket(SUBSCRIBED, message)
    with pytest.raises(Incomplete):
        await heard(broken, 2)


async def test_a_message_of_an_unknown_kind_is_ignored() -> None:
    told = {"topic": "execution.linear", "data": [execution(1, "1")]}
    socket: Any = Socket(SUBSCRIBED, {"op": "pong"}, {"topic": "wallet", "data": 7}, told)
    assert len((await heard(socket, 2))[1]) == 1


async def test_the_stream_is_heard_while_executions_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long that takes: the venue may want no questions for minutes."""
    monkeypatch.setattr(stream, "MISSING_SECONDS", 0.01)
    monkeypatch.setattr(stream, "TRIES_MAX", 2)
    is_asked, is_answered, asked = asyncio.Event(), asyncio.Event(), []

    async def slow(row: Row) -> list[Row]:
        asked.append(row["orderId"])
        is_asked.set()
        await is_answered.wait()
        return [execution(1, "3")]

    messages: asyncio.Queue[Any] = asyncio.Queue()
    socket: Any = Socket()
    socket.receive = messages.get
    replies = hear(socket, slow)
    messages.put_nowait(SUBSCRIBED)
    assert await anext(replies) == []
    messages.put_nowait({"topic": "order.linear", "data": [ORDER]})
    async with asyncio.timeout(5):
        other = {**execution(2, "1"), "orderId": "v2", "orderLinkId": "ABCDEF2E1"}
        heard_of = asyncio.ensure_future(anext(replies))
        await is_asked.wait()
        await asyncio.sleep(0.1)  # many times as long as until it would be asked again
        messages.put_nowait({"topic": "execution.linear", "data": [other]})
        (told,) = await heard_of
        assert getattr(told, "client_order_id", "") == "ABCDEF2E1"
        is_answered.set()
        (told,) = await anext(replies)
    assert getattr(told, "client_order_id", "") == "ABCDEF1E1"
    assert asked == ["v1"]

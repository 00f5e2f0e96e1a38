"""The account's stream of Bybit: orders and executions.

Each comes in messages of its own, in any order. What an order says was filled, and no execution
has shown within half a second, is asked for: so a message that was lost on the way costs no more
than that, and a position is not left without its stop until the next comparison. The stream is
heard meanwhile, however long an answer takes.
"""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any

from pointsman.domain.money import ZERO
from pointsman.execution.ports import VenueReply
from pointsman.venues.adapter import Incomplete
from pointsman.venues.bybit.rows import Row, is_funding, is_ours, number, reply_of, text
from pointsman.venues.http_client import Socket

ADDRESS = "wss://stream.bybit.com/v5/private"
SANDBOX_ADDRESS = "wss://stream-testnet.bybit.com/v5/private"
TOPICS = ["order.linear", "execution.linear"]
AUTHORIZED_MS = 10_000
"""For how long the signature of a connection is valid: it is used at once."""

PING_SECONDS = 20.0  # not money: seconds
SILENCE_SECONDS = 45.0  # not money: seconds
"""A connection on which not even pings are answered for so long is lost."""

ANSWER_SECONDS = 4.0  # not money: seconds
MISSING_SECONDS = 0.5  # not money: seconds
TRIES_MAX = 10
"""How often missing executions are asked for before the connection is given up, so that a
comparison follows."""

ENDED = ("Filled", "Cancelled", "Rejected", "Deactivated", "PartiallyFilledCanceled")

Executions = Callable[[Row], Awaitable[list[Row]]]
"""Asks for all executions of an order. Raises Incomplete."""


class MissingExecutions:
    """Which orders of ours were filled further, by their own word, than executions have told. Times
    are seconds of one connection's clock."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, Decimal]] = {}
        self._waiting: dict[str, Row] = {}
        self._due: dict[str, float] = {}  # not money: seconds
        self._tries: dict[str, int] = {}

    def note(self, topic: str, row: Row, now: float) -> None:  # not money: seconds
        """A row of a message, heard `now`."""
        if is_funding(row) or not is_ours(row):
            return
        order_id = text(row, "orderId")
        if topic.startswith("execution"):
            told = self._told.setdefault(order_id, {})
            told[text(row, "execId")] = number(row, "execQty")
            row = self._waiting.get(order_id, {})
        if not row:
            return
        if self._lacks(order_id, row):
            self._waiting[order_id] = row
            self._due.setdefault(order_id, now + MISSING_SECONDS)
            return
        self._waiting.pop(order_id, None)
        self._due.pop(order_id, None)
        self._tries.pop(order_id, None)
        if text(row, "orderStatus") in ENDED:
            self._told.pop(order_id, None)

    def next_due(self) -> float | None:  # not money: seconds
        """When executions have to be asked for next."""
        return min(self._due.values(), default=None)

    def to_ask(self, now: float) -> list[Row]:  # not money: seconds
        """The orders whose executions have to be asked for now; counts as asked. Raises Incomplete
        where they have been asked for too often."""
        ids = [order_id for order_id, due in self._due.items() if due <= now]
        for order_id in ids:
            self._due[order_id] = now + 2 * MISSING_SECONDS
            self._tries[order_id] = self._tries.get(order_id, 0) + 1
            if self._tries[order_id] > TRIES_MAX:
                raise Incomplete(f"executions of order {order_id} do not add up to what was filled")
        return [self._waiting[order_id] for order_id in ids]

    def put_off(self, order_ids: Iterable[str], now: float) -> None:  # not money: seconds
        """These orders are being asked about: what of that is missing is asked for later, and does
        not count as asked."""
        for order_id in self._due.keys() & set(order_ids):
            self._due[order_id] = now + 2 * MISSING_SECONDS

    def _lacks(self, order_id: str, row: Row) -> bool:
        told = sum(self._told.get(order_id, {}).values(), ZERO)
        return told < (number(row, "cumExecQty") if row.get("cumExecQty") else ZERO)


async def authorize(socket: Socket, key: str, secret: str, now_ms: int) -> None:
    """Say who we are, and what we want to hear. Raises Incomplete."""
    expires = now_ms + AUTHORIZED_MS
    signed = hmac.new(secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256)
    await _ask(socket, "auth", [key, expires, signed.hexdigest()])


async def hear(socket: Socket, executions: Executions) -> AsyncIterator[list[VenueReply]]:
    """What one connection tells once it is authorized: an empty list when it is established, then
    what happens. Raises Incomplete when it is lost."""
    seconds = asyncio.get_running_loop().time
    missing = MissingExecutions()
    early = await _ask(socket, "subscribe", TOPICS)
    yield []
    for message in early:
        if replies := replies_of(message, missing, seconds()):
            yield replies
    heard = seconds()
    ping_due = heard + PING_SECONDS
    receiving = asyncio.create_task(socket.receive())
    asking: dict[str, asyncio.Task[list[Row]]] = {}
    try:
        while True:
            wake_at = min(ping_due, missing.next_due() or ping_due)
            await asyncio.wait(
                {receiving, *asking.values()},
                timeout=max(0, wake_at - seconds()),
                return_when=asyncio.FIRST_COMPLETED,
            )
            now = seconds()
            if receiving.done():
                message, receiving = receiving.result(), asyncio.create_task(socket.receive())
                heard = now
                if replies := replies_of(message, missing, now):
                    yield replies
            if now - heard > SILENCE_SECONDS:
                raise Incomplete(f"the stream has told nothing for {SILENCE_SECONDS:.0f} s")
            if now >= ping_due:
                ping_due = now + PING_SECONDS
                await socket.send({"op": "ping"})
            for order_id in [each for each, task in asking.items() if task.done()]:
                rows = asking.pop(order_id).result()
                if replies := replies_of({"topic": TOPICS[1], "data": rows}, missing, now):
                    yield replies
            missing.put_off(asking, now)
            for row in missing.to_ask(now):
                asking[text(row, "orderId")] = asyncio.create_task(_found(row, executions))
    finally:
        tasks = (receiving, *asking.values())
        for task in tasks:
            task.cancel()
        # What else they ended by is of no more use, and has to be taken from them all the same.
        await asyncio.gather(*tasks, return_exceptions=True)


def replies_of(
    message: Any,
    missing: MissingExecutions,
    now: float,  # not money: s
) -> list[VenueReply]:
    """What a message tells; nothing where it is of a kind that we have not asked for."""
    if not isinstance(message, dict):
        raise Incomplete("the stream sent a message that is no object")
    topic, rows = message.get("topic"), message.get("data")
    if topic not in TOPICS:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Incomplete(f"the stream sent {topic} without rows")
    replies = []
    for row in rows:
        missing.note(topic, row, now)
        if (reply := reply_of(topic, row)) is not None:
            replies.append(reply)
    return replies


async def _found(order: Row, executions: Executions) -> list[Row]:
    """The executions of an order as a message would tell them; none where that does not succeed
    now."""
    try:
        return [{**row, "category": "linear"} for row in await executions(order)]
    except Incomplete:
        return []


async def _ask(socket: Socket, operation: str, arguments: list[Any]) -> list[Any]:
    """Ask for something on the stream, and wait for the answer; what comes before it is given."""
    await socket.send({"op": operation, "args": arguments})
    early = []
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while True:
                message = await socket.receive()
                if isinstance(message, dict) and message.get("op") == operation:
                    break
                early.append(message)
    except TimeoutError:
        raise Incomplete(f"the stream did not answer to {operation}") from None
    if message.get("success") is not True:
        raise Incomplete(f"the stream refused {operation}: {message.get('ret_msg')}")
    return early

"""Requests to the engine of a desk, wherever it runs: one message asks, one answers."""

import asyncio
from collections.abc import Callable

from nats.aio.msg import Msg

from pointsman.cluster.connection import FAULTS, Connection

AT_ONCE_MAX = 8


def control_subject(desk: str) -> str:
    """Where the engine of a desk is asked."""
    return f"pointsman.control.{desk}"


async def answer_requests(
    connection: Connection, desk: str, answer: Callable[[bytes], bytes]
) -> None:
    """Answer what is asked of a desk, from now on. `answer` may wait, and is called on a thread of
    its own."""
    free = asyncio.Semaphore(AT_ONCE_MAX)

    async def take(message: Msg) -> None:
        async with free:
            answered = await asyncio.to_thread(answer, message.data)
        try:
            await message.respond(answered)
        except FAULTS:
            return  # The asker has given up, or will ask again.

    async def begin(message: Msg) -> None:
        connection.begin(take(message))

    await connection.client.subscribe(control_subject(desk), cb=begin)

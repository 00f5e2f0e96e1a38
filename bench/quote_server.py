"""A venue that only quotes, on loopback and in a process of its own."""

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import web

Send = Callable[..., Awaitable[None]]
"""A function of a module, since another process calls it; its first argument is a socket."""


@contextmanager
def quote_server(send: Send, *given: Any) -> Iterator[str]:
    """Its address. For each connection, once it has said anything, `send(socket, *given)` is
    called."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(theirs, send, given), daemon=True)
    server.start()
    theirs.close()  # so that a server that has ended is noticed
    try:
        yield f"ws://127.0.0.1:{ours.recv()}"
    finally:
        server.kill()
        server.join()


async def read_all(socket: web.WebSocketResponse) -> None:
    """Until the other side ends; pings are answered by reading."""
    async for _ in socket:
        pass


def _serve(pipe: Connection, send: Send, given: tuple[Any, ...]) -> None:
    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        await send(socket, *given)
        return socket

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", stream)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(runner.addresses[0][1])
        await asyncio.Event().wait()

    asyncio.run(main())

"""What the client for HTTP and websockets says of requests and their answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from aiohttp import web

from pointsman.venues.adapter import ConnectionFailed, Incomplete, NoAnswer
from pointsman.venues.http_client import HttpClient, decoded, moved

Handler = Callable[[web.Request], Any]


@contextlib.asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    """A server on loopback that answers everything so; gives where it is."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def client(timeout_ms: int = 2000) -> AsyncIterator[HttpClient]:
    made = HttpClient(timeout_ms)
    try:
        yield made
    finally:
        await made.close()


async def test_an_answer_is_given_as_it_came() -> None:
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.raw_path, await request.text(), request.headers["X-Key"]))
        return web.Response(
            status=429, text='{"code": -1, "price": 0.1}', headers={"Retry-After": "7", "Used": "3"}
        )

    async with answering(answer) as url, client() as http:
        got, headers = await http.send("POST", f"{url}/a?b=c%2Fd+e", {"X-Key": "k"}, "x=1%2C")

    assert (got.status, got.retry_after_ms, headers["Used"]) == (429, 7000, "3")
    assert got.body == {"code": -1, "price": Decimal("0.1")}
    assert seen == [("/a?b=c%2Fd+e", "x=1%2C", "k")], "neither address nor body may be changed"


async def test_an_order_does_not_wait_for_the_answers_to_questions() -> None:
    """The fault: at a venue that answers slowly a stop had no free connection, and was given up
    without having left; that could not be told from an order that had."""
    may_answer, are_asked, asked = asyncio.Event(), asyncio.Event(), count(1)

    async def answer(request: web.Request) -> web.Response:
        if request.method == "GET":
            if next(asked) == 50:
                are_asked.set()
            await may_answer.wait()
        return web.Response(text="{}")

    async with answering(answer) as url, client(20_000) as http:
        questions = [asyncio.create_task(http.send("GET", url)) for _ in range(60)]
        await are_asked.wait()
        ordering = asyncio.create_task(http.send("POST", url, None, "x"))
        await asyncio.wait([ordering], timeout=10)
        is_answered = ordering.done()
        may_answer.set()
        await asyncio.gather(ordering, *questions)
    assert is_answered


async def test_no_redirection_is_followed_since_a_key_would_go_along() -> None:
    async def answer(_: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect("http://127.0.0.1:1/elsewhere")

    async with answering(answer) as url, client() as http:
        assert (await http.send("POST", url, {"X-Key": "k"}, ""))[0].status == 307


async def test_rule_49_a_websocket_follows_no_redirection_and_tells_no_key() -> None:
    arrived = []

    async def elsewhere(request: web.Request) -> web.Response:
        arrived.append(request.raw_path)
        raise web.HTTPServiceUnavailable

    async with answering(elsewhere) as target, client() as http:

        async def send_away(request: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(f"{target}{request.raw_path}")

        async with answering(send_away) as url:
            with pytest.raises(NoAnswer, match="it sends us to another address"):
                async with http.websocket(f"{url}/ws?listenKey=s3cret"):
                    pass
        assert arrived == []
        with pytest.raises(NoAnswer, match="503") as refused:
            async with http.websocket(f"{target}/ws?listenKey=s3cret"):
                pass
        assert "s3cret" not in str(refused.value)


async def test_only_where_nothing_listens_is_it_certain_that_nothing_was_sent() -> None:
    async def drop(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def wait(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 100
        await response.prepare(request)
        await response.write(b'{"orderId"')
        assert request.transport is not None
        request.transport.abort()
        return response

    async with client(timeout_ms=300) as http:
        with pytest.raises(ConnectionFailed):
            await http.send("POST", "http://127.0.0.1:1/", None, "")
        for handler in (drop, wait, half):
            async with answering(handler) as url:
                with pytest.raises(NoAnswer):
                    await http.send("POST", url, None, "")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_nothing_is_sent_twice_when_a_connection_breaks(method: str) -> None:
    arrived = []

    async def answer_the_first(request: web.Request) -> web.Response:
        arrived.append(request.method)
        if len(arrived) > 1:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="{}")

    async with answering(answer_the_first) as url, client() as http:
        await http.send(method, url, None, "")
        with pytest.raises(NoAnswer):
            await http.send(method, url, None, "")
    assert arrived == [method, method]


async def test_a_websocket_gives_each_frame_and_says_when_it_ends() -> None:
    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        said = await socket.receive_json()
        await socket.send_str(f'{{"said": {said["n"]}, "price": 1.10}}')
        await socket.send_bytes(b'{"binary": true}')
        await socket.send_str("no JSON")
        await socket.close(code=1001)
        return socket

    async with (
        answering(serve) as url,
        client() as http,
        http.websocket(moved("wss://venue/ws", url.replace("http", "ws"))) as socket,
    ):
        await socket.send({"n": 1})
        assert await socket.receive() == {"said": 1, "price": Decimal("1.10")}
        assert await socket.receive() == {"binary": True}
        with pytest.raises(Incomplete, match="no JSON"):
            await socket.receive()
        with pytest.raises(Incomplete, match="1001"):
            await socket.receive()


async def test_a_websocket_that_cannot_be_opened_says_whether_anything_left() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=503)

    async with client() as http:
        with pytest.raises(ConnectionFailed):
            async with http.websocket("ws://127.0.0.1:1/ws"):
                pass
        async with answering(refuse) as url:
            with pytest.raises(NoAnswer, match="503"):
                async with http.websocket(url):
                    pass


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", None),
        (b'{"orderId"', '{"orderId"'),
        (b"<html>", "<html>"),
        (b"[]", []),
        (b"\xff", "�"),
        (b"0.10", Decimal("0.10")),
    ],
)
def test_what_is_no_json_is_text(body: bytes, expected: object) -> None:
    assert decoded(body) == expected


@pytest.mark.parametrize(
    ("address", "origin", "expected"),
    [
        ("https://api.venue.com/v1", "", "https://api.venue.com/v1"),
        ("https://api.venue.com/v1", "http://127.0.0.1:80", "http://127.0.0.1:80/v1"),
        ("wss://s.venue.com:9443/ws?a=b", "ws://127.0.0.1:1/x", "ws://127.0.0.1:1/ws?a=b"),
        ("https://api.{hostname}", "http://[::1]:5", "http://[::1]:5"),
    ],
)
def test_an_address_moves_with_its_path(address: str, origin: str, expected: str) -> None:
    assert moved(address, origin) == expected


async def test_whether_it_may_be_sent_is_asked_last_of_all_and_not_of_what_only_reads() -> None:
    """When it is asked the connection is there; where the answer is no, not a byte arrives."""
    events: list[str] = []
    is_owner = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        events.append("connected")
        while line := await reader.readline():
            events.append(line.decode().split(" ")[0])
            while (await reader.readline()).strip():
                pass
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    def may_send() -> bool:
        events.append("asked")
        return is_owner

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    http = HttpClient(2000, may_send)
    async with server:
        await http.send("GET", url)
        with pytest.raises(ConnectionFailed, match="another engine"):
            await http.send("DELETE", url)
        is_owner = True
        await http.send("POST", url)
        await http.close()
    assert events == ["connected", "GET", "asked", "connected", "asked", "POST"]

"""What the venue servers of the tests have in common: HTTP and websockets on loopback, a thread
of their own, faults put in on purpose, a list of what arrived, and controls for the market's side.

A subclass names its routes and stream paths and answers them with plain functions. Invariants:
everything that touches the account runs on the server's one thread, and a request is done wholly
before the next begins; an error inside the server fails the test that used it when `with` ends.
"""

import asyncio
import contextlib
import json
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import asdict
from decimal import Decimal
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.venue_servers.calls import (
    Arrived,
    Call,
    Refusal,
    Reply,
    Route,
    as_response,
    question,
    read_call,
    to_json,
)
from tests.venue_servers.faults import Fault, Faults, Kind
from tests.venue_servers.streams import Socket, StreamRoute, Streams


class VenueServer:
    """One account at one venue. Use it as `with Server(key=..., secret=...) as server:`."""

    account: Any

    def __init__(self, *, key: str = "key", secret: str = "secret", port: int = 0) -> None:
        self.key = key
        self.secret = secret
        self.port = port
        self.requests: list[Arrived] = []
        self.faults = Faults()
        self.streams = Streams(self)
        self.errors: list[str] = []
        self.clock_ahead_ms = 0
        """How far the venue's clock is ahead of this machine's."""
        self._answers_before: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    # --- what a subclass says ---

    def routes(self) -> Iterable[Route]:
        raise NotImplementedError

    def stream_routes(self) -> Iterable[StreamRoute]:
        raise NotImplementedError

    def admit(self, call: Call, route: Route) -> dict[str, str]:
        """Checks key, signature, time and rate, raising a Refusal; gives headers of the answer."""
        raise NotImplementedError

    def name_of(self, route: Route, call: Call) -> str:  # noqa: ARG002 - for a subclass
        """What faults call this request, where one route takes several kinds."""
        return route.name

    def list_inside(self, body: Any) -> list[Any]:
        """Where an answer has its list, for the faults that shorten it."""
        return body if isinstance(body, list) else []

    def account_view(self) -> Any:
        """The account as JSON, for the control route."""
        raise NotImplementedError

    def controls(self) -> dict[str, Callable[..., Any]]:
        """What `POST /_control/NAME` does, with the fields of its JSON as arguments; run on the
        server's thread. Names of the shared shape: quote, foreign, liquidate, funding, halt."""
        raise NotImplementedError

    # --- life ---

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def data_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result(timeout=10)
        return self

    def __exit__(self, *raised: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)
        if self.errors and raised[0] is None:
            raise AssertionError("the venue server failed inside:\n" + "\n".join(self.errors))

    def call(self, function: Callable[..., Any], *args: Any, **words: Any) -> Any:
        """Runs a function on the server's thread and gives its result: also from that thread."""
        if threading.current_thread() is self._thread:
            return function(*args, **words)

        async def run() -> Any:
            return function(*args, **words)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(timeout=10)

    def later(self, seconds: float, function: Callable[..., Any], *args: Any) -> None:
        """Server side: runs it after these seconds."""
        self._loop.call_later(seconds, self._guarded, function, *args)

    def now_ms(self) -> int:
        """The venue's clock."""
        return time.time_ns() // 1_000_000 + self.clock_ahead_ms

    def _guarded(self, function: Callable[..., Any], *args: Any) -> None:
        try:
            function(*args)
        except Exception:  # noqa: BLE001 - shown when the test ends
            self.errors.append(traceback.format_exc())

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        runner = web.AppRunner(self._application(), shutdown_timeout=0.1)
        try:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", self.port)
            await site.start()
            self.port = runner.addresses[0][1]
        except OSError as error:
            await runner.cleanup()
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        await self._stop.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await runner.cleanup()

    def _application(self) -> web.Application:
        app = web.Application()
        for route in self.routes():
            app.router.add_route(route.method, route.path, self._http(route))
        for stream in self.stream_routes():
            app.router.add_get(stream.path, self._websocket(stream))
        app.router.add_route("*", "/_control/{name}", self._control)
        app.router.add_route("*", "/{path:.*}", self._unknown)
        return app

    # --- requests ---

    def _http(self, route: Route) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.StreamResponse:
            call = await read_call(request)
            name = self.name_of(route, call)
            arrived = self._note(name, call)
            fault = self.faults.take(name, call.path)
            reply = await self._through(fault, route, call, request)
            arrived.status = reply.status
            if fault is not None and fault.half:
                return await self._half(request, reply)
            return as_response(reply)

        return answer

    def _note(self, name: str, call: Call) -> Arrived:
        arrived = Arrived(
            at=time.time(),
            route=name,
            method=call.method,
            path=call.path,
            query=call.query,
            body=call.body.decode("utf-8", "replace"),
            headers=call.headers,
        )
        self.requests.append(arrived)
        return arrived

    async def _through(
        self, fault: Fault | None, route: Route, call: Call, request: web.Request
    ) -> Reply:
        """The answer to a request, with its fault on the way."""
        if fault is None:
            return self._do(route, call)
        match fault.kind:
            case Kind.ANSWER:
                return Reply(fault.body, fault.status, dict(fault.headers))
            case Kind.DROP_BEFORE:
                self._drop(request)
            case Kind.DELAY | Kind.LATE:
                await asyncio.sleep(fault.seconds)
                if request.transport is None and fault.kind is Kind.DELAY:
                    raise asyncio.CancelledError
            case Kind.SILENCE:
                await self._forever()
        before = self._answers_before.get(question(call))
        reply = self._do(route, call)
        match fault.kind:
            case Kind.ANSWER_AFTER_DOING:
                body = reply.body if fault.body is None else fault.body
                return Reply(body, fault.status, reply.headers | fault.headers)
            case Kind.DROP_AFTER_DOING:
                self._drop(request)
            case Kind.SILENCE_AFTER_DOING:
                await self._forever()
            case Kind.EMPTY_LIST:
                self.list_inside(reply.body).clear()
            case Kind.CUT_LIST:
                del self.list_inside(reply.body)[fault.keep :]
            case Kind.STALE_LIST if before is not None:
                self.list_inside(reply.body)[:] = self.list_inside(json.loads(before))
        return reply

    def _do(self, route: Route, call: Call) -> Reply:
        headers: dict[str, str] = {}
        try:
            headers = self.admit(call, route)
            answer = route.handler(call)
            reply = answer if isinstance(answer, Reply) else Reply(answer)
        except Refusal as refusal:
            reply = refusal.reply
        except Exception:  # noqa: BLE001 - shown when the test ends
            self.errors.append(traceback.format_exc())
            reply = Reply({"error": "the venue server failed inside"}, 500)
        if self.list_inside(reply.body):
            self._answers_before[question(call)] = to_json(reply.body)
        return Reply(reply.body, reply.status, headers | reply.headers)

    def _task(self, work: Any) -> "asyncio.Task[Any]":
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _drop(self, request: web.Request) -> None:
        if request.transport is not None:
            request.transport.abort()
        raise asyncio.CancelledError

    async def _forever(self) -> None:
        await self._stop.wait()
        raise asyncio.CancelledError

    async def _half(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        whole = as_response(reply)
        if whole.body is None:  # As of a 204: nothing of it arrives.
            self._drop(request)
        assert isinstance(whole.body, bytes)
        response = web.StreamResponse(status=whole.status, headers=whole.headers)
        response.content_length = len(whole.body)
        await response.prepare(request)
        await response.write(whole.body[: len(whole.body) // 2])
        self._drop(request)
        return response

    async def _unknown(self, request: web.Request) -> web.Response:
        """A client that asks for a route that is not built shows in `requests`."""
        self._note("unknown", await read_call(request)).status = 404
        return web.Response(status=404, text=f"no route {request.method} {request.path}")

    # --- streams ---

    def _websocket(self, stream: StreamRoute) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            web_socket = web.WebSocketResponse(autoping=True)
            socket = Socket(web_socket, stream.channel, await read_call(request))
            arrived = self._note(f"stream {stream.channel}", socket.call)
            try:
                stream.on_open(socket)
            except Refusal as refusal:
                arrived.status = refusal.reply.status
                return as_response(refusal.reply)
            arrived.status = 101
            await web_socket.prepare(request)
            self.streams.open.append(socket)
            writer = self._task(socket.write())
            try:
                async for message in web_socket:
                    if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                        self._guarded(stream.on_message, socket, message.data)
            finally:
                self.streams.open.remove(socket)
                writer.cancel()
            return web_socket

        return serve

    # --- controls ---

    async def _control(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if request.method == "GET":
            views: Mapping[str, Callable[[], Any]] = {
                "requests": self._requests_view,
                "account": self.account_view,
            }
            if name not in views:
                return web.Response(status=404, text=f"GET has {', '.join(views)}")
            return as_response(Reply(views[name]()))
        actions: Mapping[str, Callable[..., Any]] = {
            "fault": self._add_fault,
            "stream": self._stream,
            **self.controls(),
        }
        if name not in actions:
            return web.Response(status=404, text=f"POST has {', '.join(actions)}")
        try:
            words = json.loads(await request.text() or "{}", parse_float=Decimal)
            return as_response(Reply({"done": actions[name](**words)}))
        except (TypeError, ValueError, AttributeError, ArithmeticError, LookupError) as error:
            return as_response(Reply({"error": f"{name}: {error!r}"}, 400))

    def _requests_view(self) -> list[dict[str, Any]]:
        return [asdict(arrived) for arrived in self.requests]

    def _add_fault(self, **words: Any) -> None:
        self.faults.add(Fault(**words))

    def _stream(self, action: str, **words: Any) -> None:
        if action not in ("close", "silence", "drop", "repeat", "swap", "delay"):
            raise ValueError(f"action is close, silence, drop, repeat, swap or delay: {action}")
        getattr(self.streams, action)(**words)

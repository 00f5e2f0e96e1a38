"""The application, which is every route of docs/contract.md put together for one engine, and its
server, on a thread and an asyncio loop of its own (RULES 34).

The port is taken before the engine starts, so that a port in use is an error at start and never a
surprise later. Invariants: there is one path for every request, through admission and one table of
routes; requests are not logged, for the webhook's token stands in a URL.
"""

import asyncio
import errno
import logging
import socket
import threading
import time
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from pointsman.api.access import access_of, origins_of
from pointsman.api.admission import PREFIX, Admission
from pointsman.api.commands import command_routes
from pointsman.api.connections import Connection
from pointsman.api.health import health_routes
from pointsman.api.history import history_routes
from pointsman.api.limits import RequestLimits
from pointsman.api.metrics import metrics_routes
from pointsman.api.openapi import describe
from pointsman.api.page import page_routes
from pointsman.api.ports import EnginePort
from pointsman.api.problems import answer_problems
from pointsman.api.reads import read_routes
from pointsman.api.reference_page import reference_routes
from pointsman.api.signals import signal_routes
from pointsman.api.stream import stream_routes
from pointsman.api.webhook import webhook_routes
from pointsman.api.what_if import what_if_routes
from pointsman.version import __version__

KEEP_ALIVE_SECONDS = 60
"""How long a connection without a request stays open."""
STOP_SECONDS = 3.0  # not money: seconds
"""How long requests that are under way may take at the end."""


class PortTaken(OSError):
    """HTTP_HOST and HTTP_PORT cannot be listened on; the text says how to fix it."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Port 0 takes any free one.

    Raises PortTaken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Said to be TCP: only then asyncio sends what is small at once, not after an acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise PortTaken(
            f"HTTP cannot listen on {host} port {port} ({error.strerror}); {_fix(error)}"
        ) from error
    return listener


def _fix(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return "set HTTP_HOST to an address of this machine, such as 127.0.0.1"
    if isinstance(error, PermissionError):
        return "choose an HTTP_PORT above 1023"
    return "choose another HTTP_PORT, or 0 for any that is free"


def url_of(listener: socket.socket) -> str:
    """Where a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class HttpServer:
    """Serves from `start` to `stop`."""

    def __init__(self, app: FastAPI, listener: socket.socket) -> None:
        self._listener = listener
        self._stopping: threading.Event = app.state.stopping
        config = uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            # A proxy on this machine must not make others look as if they were on it, or the
            # other way round.
            proxy_headers=False,
            server_header=False,
            headers=[("X-Content-Type-Options", "nosniff")],
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=int(STOP_SECONDS),
        )
        _silence()
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether it serves."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to answer."""
        self._stopping.clear()
        self._thread.start()

    def stop(self) -> None:
        """Answer no new request, and end those under way, soon."""
        self._stopping.set()
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._listener.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._listener]))


def _silence() -> None:
    """The library logs tracebacks and addresses; what matters of them the application tells
    itself (`problems.answer_problems`)."""
    logger = logging.getLogger("uvicorn")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


_LIMITS = RequestLimits()
_SIGNALS = f"{PREFIX}/signals"


def build_app(
    engine: EnginePort, limits: RequestLimits = _LIMITS, wall_ns: Callable[[], int] = time.time_ns
) -> FastAPI:
    """The application for one engine. The caller serves it and sets `state.stopping` at the end, so
    that the streams end too. `wall_ns` gives the time of the wall clock."""
    app = FastAPI(title="pointsman", version=__version__, docs_url=None, redoc_url=None)
    app.state.stopping = stopping = threading.Event()
    answer_problems(app, engine.complain)
    access = access_of(engine.settings)
    app.add_middleware(Admission, access=access, origins=origins_of(engine.settings), limits=limits)
    rooms = (
        health_routes(engine),
        metrics_routes(engine.meters, engine.board),
        stream_routes(engine, stopping),
        read_routes(engine),
        history_routes(engine),
        what_if_routes(engine, stopping),
        command_routes(engine),
        signal_routes(engine, wall_ns),
        webhook_routes(engine, wall_ns),
        page_routes(),
        reference_routes(lambda: app.openapi()),
    )
    # One flat table: a router within a router is searched twice for each request, which would cost
    # a signal as much as reading and answering it does.
    table = [route for room in rooms for route in room.routes]
    describe(app, table, has_tokens=access.has_tokens)
    # The table is searched from the top, so the route that is asked for most often comes first.
    app.router.routes[:0] = sorted(table, key=lambda route: not _is_signal_route(route))
    return app


def _is_signal_route(route: BaseRoute) -> bool:
    """Whether it is POST /signals."""
    return isinstance(route, APIRoute) and (route.path, route.methods) == (_SIGNALS, {"POST"})

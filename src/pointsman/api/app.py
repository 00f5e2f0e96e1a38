"""The application: every route of docs/contract.md, put together for one engine.

Invariant: there is one path for every request, through admission and one table of routes.
"""

import threading
import time
from collections.abc import Callable

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from pointsman.api.access import access_of
from pointsman.api.admission import PREFIX, Door
from pointsman.api.commands import command_routes
from pointsman.api.health import health_routes
from pointsman.api.limits import Limits
from pointsman.api.metrics import metrics_routes
from pointsman.api.openapi import describe
from pointsman.api.origins import origins_of
from pointsman.api.ports import Engine
from pointsman.api.problems import answer_problems
from pointsman.api.reads import read_routes
from pointsman.api.signals import signal_routes
from pointsman.api.stream import stream_routes
from pointsman.api.webhook import webhook_routes
from pointsman.version import __version__

_LIMITS = Limits()
_SIGNALS = f"{PREFIX}/signals"


def build_app(
    engine: Engine, limits: Limits = _LIMITS, wall_ns: Callable[[], int] = time.time_ns
) -> FastAPI:
    """The application for one engine. The caller serves it and sets `state.stopping` at the end, so
    that the streams end too. `wall_ns` gives the time of the wall clock."""
    app = FastAPI(title="pointsman", version=__version__, redoc_url=None)
    app.state.stopping = stopping = threading.Event()
    answer_problems(app, engine.complain)
    access = access_of(engine.settings)
    app.add_middleware(Door, access=access, origins=origins_of(engine.settings), limits=limits)
    rooms = (
        health_routes(engine),
        metrics_routes(engine.meters, engine.board),
        stream_routes(engine, stopping),
        read_routes(engine),
        command_routes(engine),
        signal_routes(engine, wall_ns),
        webhook_routes(engine, wall_ns),
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

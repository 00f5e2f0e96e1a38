"""The application: every route of docs/contract.md, put together for one engine."""

import threading

from fastapi import FastAPI

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
from pointsman.api.shortcut import Shortcut
from pointsman.api.signals import quick_signal, signal_routes
from pointsman.api.stream import stream_routes
from pointsman.api.webhook import webhook_routes
from pointsman.version import __version__

_LIMITS = Limits()


def build_app(engine: Engine, limits: Limits = _LIMITS) -> FastAPI:
    """The application for one engine. The server sets `state.stopping` at the end, so that
    the streams end too."""
    app = FastAPI(title="pointsman", version=__version__, redoc_url=None)
    app.state.stopping = stopping = threading.Event()
    answer_problems(app, engine.complain)
    access = access_of(engine.settings)
    answer = quick_signal(engine, access)
    app.add_middleware(Shortcut, path=f"{PREFIX}/signals", answer=answer)
    app.add_middleware(Door, access=access, origins=origins_of(engine.settings), limits=limits)
    app.include_router(health_routes(engine))
    app.include_router(metrics_routes(engine.meters, engine.board))
    app.include_router(stream_routes(engine, access, stopping), prefix=PREFIX)
    app.include_router(read_routes(engine, access), prefix=PREFIX)
    app.include_router(command_routes(engine, access), prefix=PREFIX)
    app.include_router(signal_routes(engine, access), prefix=PREFIX)
    app.include_router(webhook_routes(engine, access))
    describe(app, has_tokens=access.has_tokens)
    return app

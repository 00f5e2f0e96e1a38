"""The parts: the threads that stand around one loop, as one thing to start, supervise and stop.

Kill signals, the watch on the latch, the picture, the control socket and HTTP can each be started
again by themselves, since nothing of the engine's state is theirs. They are stopped in the reverse
order, so that a kill is heard to the last.
"""

import socket
from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI

from pointsman.api.server import HttpServer, PortTaken, listen
from pointsman.config.settings import Settings
from pointsman.engine.control_client import engine_pid
from pointsman.engine.controls import Controls
from pointsman.engine.latch_watch import EVERY_SECONDS
from pointsman.engine.live_view import PICTURE_SECONDS, LiveView
from pointsman.engine.requests import Kill
from pointsman.engine.supervision import Part
from pointsman.engine.ticker import Ticker
from pointsman.service import control_server, kill_signals
from pointsman.service.control_server import ControlServer
from pointsman.service.kill_signals import KillSignals
from pointsman.storage.errors import DatabaseBusy


def take_port(settings: Settings, database: Path) -> socket.socket:
    """Listen where HTTP is to be served; done before anything else is touched.

    Raises PortTaken, and DatabaseBusy where an engine runs on the same database: that is the better
    reason.
    """
    try:
        return listen(settings.http_host, settings.http_port)
    except PortTaken:
        pid = engine_pid(database)
        if pid is None:
            raise
        raise DatabaseBusy(database, pid or None) from None


class Parts:
    """The threads around one loop. `heard` is called after a kill by process signal, once it holds,
    and whether it is on the disk."""

    def __init__(
        self,
        database: Path,
        board: LiveView,
        controls: Controls,
        look_at_latch: Callable[[], None],
        app: FastAPI,
        listener: socket.socket,
        heard: Callable[[Kill, bool], None],
    ) -> None:
        def press(request: Kill) -> None:
            heard(request, controls.carry_out(request)["durable"])

        self._signals = KillSignals(press)
        self._latch = Ticker("latch", EVERY_SECONDS, look_at_latch)
        self._picture = Ticker("picture", PICTURE_SECONDS, board.refresh)
        self._server = ControlServer(database, controls, board)
        self._app = app
        self._address = listener.getsockname()[:2]
        self._http = HttpServer(app, listener)

    def start(self) -> None:
        """Begin. Raises OSError where the control socket cannot be made."""
        self._signals.start()
        self._latch.start()
        self._picture.start()
        self._server.start()
        self._http.start()

    def stop(self) -> None:
        """End, what is under way within a few seconds."""
        self._http.stop()
        self._server.stop()
        self._picture.stop()
        self._latch.stop()
        self._signals.stop()

    def supervised(self) -> list[Part]:
        """Each of them, as supervision sees it."""
        return [
            Part(kill_signals.THREAD_NAME, lambda: self._signals.is_alive, self._signals.start),
            Part("latch", lambda: self._latch.is_alive, self._latch.start),
            Part("picture", lambda: self._picture.is_alive, self._picture.start),
            Part(control_server.THREAD_NAME, lambda: self._server.is_alive, self._server.go_on),
            Part("http", lambda: self._http.is_alive, self._serve_again),
        ]

    def _serve_again(self) -> None:
        """A server of its own, on the same address. Raises PortTaken."""
        self._http.stop()
        self._http = HttpServer(self._app, listen(*self._address))
        self._http.start()

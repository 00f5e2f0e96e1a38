"""The control server: what answers on the engine's Unix socket (RULES 34).

It has threads of its own, so that it answers and can set the kill latch while the loop is stuck or
storage fails. Invariants: a connection brings one request of bounded length, within a
bounded time; the number at once is limited; the socket is for its owner alone. It is started by
the process that holds the database, so a socket that is there already was left by one that died.
"""

import os
import socket
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec

from pointsman.engine.control_client import LINE_BYTES_MAX, is_private, socket_path
from pointsman.engine.controls import Controls
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.live_view import PICTURE_SECONDS, LiveView
from pointsman.engine.requests import Answer, Refusal, Request, Show, Watch, decode, refused

THREAD_NAME = "control"
CONNECTIONS_MAX = 16
TIMEOUT_SECONDS = 5.0  # not money: seconds
WATCH_SECONDS = 1.0  # not money: seconds
"""A picture at least this often, for those who watch."""


class ControlServer:
    """Listens from `start` to `stop`."""

    _listener: socket.socket

    def __init__(self, database: Path, controls: Controls, board: LiveView) -> None:
        self._path = socket_path(database)
        self._is_beside = self._path.parent == database.resolve().parent
        self._controls = controls
        self._board = board
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether connections are taken."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Listen. Raises OSError where the socket cannot be made."""
        if not self._is_beside:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            if not is_private(self._path.parent):
                raise PermissionError(f"{self._path.parent} belongs to somebody else; remove it")
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            self._listener.bind(os.fspath(self._path))
        finally:
            os.umask(before)
        self._listener.listen(CONNECTIONS_MAX)
        self.go_on()

    def go_on(self) -> None:
        """Take connections, or take them again after a fault."""
        self._thread = threading.Thread(target=self._accept, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hang up. The threads end by themselves."""
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                # Closed by `stop`, or out of file descriptors for a moment.
                self._stopping.wait(PICTURE_SECONDS)
                continue
            connection.settimeout(TIMEOUT_SECONDS)
            if not self._free.acquire(blocking=False):
                with suppress(OSError), closing(connection):
                    text = f"{CONNECTIONS_MAX} connections are open; try again later"
                    connection.sendall(_line(refused(text)))
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError), closing(connection):
                try:
                    request = _read(connection)
                    if isinstance(request, Watch):
                        self._watch(connection)
                        return
                    answer = answer_to(request, self._controls, self._board)
                except Refusal as refusal:
                    answer = refused(str(refusal), refusal.exit_code)
                connection.sendall(_line(answer))
        finally:
            self._free.release()

    def _watch(self, connection: socket.socket) -> None:
        number = -1
        while not self._stopping.is_set():
            connection.sendall(_line(self._board.document()))
            if self._stopping.wait(PICTURE_SECONDS):
                break
            number = self._board.wait(number, WATCH_SECONDS - PICTURE_SECONDS)


def answer_to(request: Request, controls: Controls, board: LiveView) -> Answer:
    """The answer to one request. Raises Refusal."""
    if isinstance(request, Show):
        return board.document()
    return {"ok": True, **controls.carry_out(request)}


def _read(connection: socket.socket) -> Request:
    """The request of a connection. Raises Refusal, which says what is wrong with it."""
    line = b""
    while b"\n" not in line:
        if len(line) > LINE_BYTES_MAX:
            raise Refusal(f"a request has at most {LINE_BYTES_MAX} bytes", ExitCode.USAGE)
        chunk = connection.recv(LINE_BYTES_MAX)
        if not chunk:
            break
        line += chunk
    return decode(line)


def _line(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document) + b"\n"

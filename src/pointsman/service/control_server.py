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
from typing import Any, Union

import msgspec

from pointsman.engine.control_client import LINE_BYTES_MAX, is_private, socket_path
from pointsman.engine.controls import Controls
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.live_view import PICTURE_SECONDS, Board
from pointsman.engine.request_queue import Refusal
from pointsman.engine.requests import Request

THREAD_NAME = "control"
CONNECTIONS_MAX = 16
TIMEOUT_SECONDS = 5.0  # not money: seconds
WATCH_SECONDS = 1.0  # not money: seconds
"""A picture at least this often, for those who watch."""


class Show(Request, frozen=True, tag="picture"):
    """The picture, once."""


class Watch(Request, frozen=True, tag="watch"):
    """The picture, again and again."""


_REQUESTS = tuple(Request.__subclasses__())
_ANY: Any = Union[_REQUESTS]  # noqa: UP007 - made from what there is
_DECODER: msgspec.json.Decoder[Request] = msgspec.json.Decoder(_ANY)
_VERBS = ", ".join(str(kind.__struct_config__.tag) for kind in _REQUESTS)


class ControlServer:
    """Listens from `start` to `stop`."""

    _listener: socket.socket

    def __init__(self, database: Path, controls: Controls, board: Board) -> None:
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
                    connection.sendall(_line(_refused(text)))
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with suppress(OSError), closing(connection):
                request = _read(connection)
                if isinstance(request, Watch):
                    self._watch(connection)
                else:
                    connection.sendall(_line(self._answer(request)))
        finally:
            self._free.release()

    def _watch(self, connection: socket.socket) -> None:
        number = -1
        while not self._stopping.is_set():
            connection.sendall(_line(self._board.document()))
            if self._stopping.wait(PICTURE_SECONDS):
                break
            number = self._board.wait(number, WATCH_SECONDS - PICTURE_SECONDS)

    def _answer(self, request: Request | str) -> dict[str, Any]:
        if isinstance(request, str):
            return _refused(request, ExitCode.USAGE)
        try:
            if isinstance(request, Show):
                return self._board.document()
            return {"ok": True, **self._controls.obey(request)}
        except Refusal as refusal:
            return _refused(str(refusal), refusal.exit_code)


def _read(connection: socket.socket) -> Request | str:
    """The request of a connection, or what is wrong with it."""
    line = b""
    while b"\n" not in line:
        if len(line) > LINE_BYTES_MAX:
            return f"a request has at most {LINE_BYTES_MAX} bytes"
        chunk = connection.recv(LINE_BYTES_MAX)
        if not chunk:
            break
        line += chunk
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError as error:
        return f"{error}; verbs: {_VERBS}"


def _refused(text: str, exit_code: int = 1) -> dict[str, Any]:
    return {"ok": False, "exit": int(exit_code), "error": text}


def _line(document: dict[str, Any]) -> bytes:
    return msgspec.json.encode(document) + b"\n"

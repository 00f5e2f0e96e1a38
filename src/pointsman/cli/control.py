"""Talking to a running engine: one line of JSON to its Unix socket, one line back (RULES 34).

The socket stands beside the database. Where that path is too long for a socket, it stands in a
private folder for temporary files instead, under a name that follows from the path, so that both
ends find it without being told.
"""

import hashlib
import json
import os
import socket
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

LINE_BYTES_MAX = 65_536
"""The longest request."""
ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""The longest answer: a picture of very many accounts."""
PATH_BYTES_MAX = 100
"""A socket's path may have 107 bytes on Linux, 103 on macOS."""
TIMEOUT_SECONDS = 8.0  # not money: seconds
"""Longer than the engine itself waits for its loop."""


class NoEngine(Exception):
    """No engine answers for a database: none runs, or it cannot be reached. The text says how to
    start one."""

    def __init__(self, database: Path) -> None:
        super().__init__(
            f"no engine runs on {database}; start one with `pointsman run --db {database}`"
        )
        self.database = database


def socket_path(database: Path) -> Path:
    """Where the engine of a database listens."""
    whole = database.resolve()
    beside = whole.with_name(f"{whole.name}.sock")
    if len(os.fsencode(beside)) <= PATH_BYTES_MAX:
        return beside
    name = hashlib.sha256(os.fsencode(whole)).hexdigest()[:24]
    return Path(tempfile.gettempdir()) / f"pointsman-{os.getuid()}" / f"{name}.sock"


def is_private(folder: Path) -> bool:
    """Whether a folder is ours alone: nobody else could have put a socket into it."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def ask(database: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Ask the engine of a database one thing, and give its answer.

    Raises NoEngine where none answers.
    """
    with closing(_connected(database)) as connection:
        try:
            connection.sendall(json.dumps(dict(request)).encode() + b"\n")
            line = next(_lines(connection), None)
        except OSError as error:
            raise NoEngine(database) from error
    if line is None:
        raise NoEngine(database)
    answer: dict[str, Any] = json.loads(line)
    return answer


def watch(database: Path) -> Iterator[dict[str, Any]]:
    """Pictures of a running engine, as they change: at most ten a second and at least one. Ends
    with the engine.

    Raises NoEngine where none answers.
    """
    with closing(_connected(database)) as connection:
        try:
            connection.sendall(b'{"verb": "watch"}\n')
            for line in _lines(connection):
                yield json.loads(line)
        except OSError:
            return


def _connected(database: Path) -> socket.socket:
    path = socket_path(database)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT_SECONDS)
    try:
        if path.parent != database.resolve().parent and not is_private(path.parent):
            raise NoEngine(database)
        connection.connect(os.fspath(path))
    except OSError as error:
        connection.close()
        raise NoEngine(database) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _lines(connection: socket.socket) -> Iterator[bytes]:
    """The lines that come, whole; a last one that breaks off is left out."""
    rest = b""
    while len(rest) <= ANSWER_BYTES_MAX and (chunk := connection.recv(LINE_BYTES_MAX)):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole

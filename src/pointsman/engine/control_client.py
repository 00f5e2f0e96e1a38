"""Talking to a running engine: one line of JSON to its Unix socket, one line back (RULES 34).

The socket stands beside the database. Where that path is too long for a socket, it stands in a
private folder for temporary files instead, under a name derived from the path, so that both ends
find it.
"""

import fcntl
import hashlib
import json
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from pointsman.engine.requests import Answer, Request, Watch, encode
from pointsman.storage.lock import lock_path

LINE_BYTES_MAX = 65_536
"""The longest request."""
ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""The longest answer: a picture of very many accounts."""
PATH_BYTES_MAX = 100
"""A socket's path may have 107 bytes on Linux, 103 on macOS."""
TIMEOUT_SECONDS = 8.0  # not money: seconds
"""Longer than the engine itself waits for its loop."""
_LISTENING_SECONDS = 0.5  # not money: seconds


class NoEngine(Exception):
    """No engine answers for a database. The text says whether none runs, and how to start one, or
    which process holds the database and does not answer. Where the request is on its way to that
    one (`is_sent`), it may still be carried out."""

    def __init__(self, database: Path, *, is_sent: bool = False) -> None:
        super().__init__(_why_no_answer(database, is_sent))
        self.database = database


def _why_no_answer(database: Path, is_sent: bool) -> str:
    try:
        pid, is_there = engine_pid(database), database.exists()
    except OSError as error:
        return f"whether an engine runs on {database} cannot be seen: {error.strerror}"
    if pid is None:
        # A database continues only with the market that it was begun with.
        again = ", with the same --market as before" if is_there else ""
        start = f"start one with `pointsman run --db {database}`{again}"
        return f"no engine runs on {database}; {start}"
    held = f"process {pid or '?'} holds {database} but does not answer"
    if not is_sent and not is_listening(database):
        return f"{held}: it has no control socket, like a Python program; it takes `kill` only"
    if not is_sent:
        return f"{held}; the request was not sent"
    return f"{held}: the command may still take effect; `pointsman status` shows whether it did"


def engine_pid(database: Path) -> int | None:
    """The process that holds a database, 0 if it has not said who it is, None if nobody does.

    The lock is tried for an instant, shared, and never waited for or written. Raises OSError where
    it cannot be read.
    """
    try:
        descriptor = os.open(lock_path(_real(database)), os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0)
        return int(holder) if holder.isdigit() else 0
    finally:
        os.close(descriptor)
    return None


def _real(database: Path) -> Path:
    """The database by its own name, also where that cannot be found out: it never fails."""
    return Path(os.path.realpath(database))


def socket_path(database: Path) -> Path:
    """Where the engine of a database listens."""
    whole = _real(database)
    beside = whole.with_name(f"{whole.name}.sock")
    if len(os.fsencode(beside)) <= PATH_BYTES_MAX:
        return beside
    name = hashlib.sha256(os.fsencode(whole)).hexdigest()[:24]
    return Path(tempfile.gettempdir()) / f"pointsman-{os.getuid()}" / f"{name}.sock"


def is_private(folder: Path) -> bool:
    """Whether a folder is ours alone: nobody else could have put a socket into it."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def is_listening(database: Path) -> bool:
    """Whether a process listens at the socket of a database, also if it never answers."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.settimeout(_LISTENING_SECONDS)
        try:
            connection.connect(os.fspath(socket_path(database)))
        except TimeoutError:
            return True
        except OSError:
            return False
    return True


def ask(database: Path, request: Request) -> Answer:
    """Send a request to the engine of a database, and give its answer.

    Raises NoEngine where none answers.
    """
    with closing(_connected(database)) as connection:
        try:
            _send(connection, request)
            line = next(_lines(connection), None)
        except OSError as error:
            raise NoEngine(database, is_sent=True) from error
    if line is None:
        raise NoEngine(database, is_sent=True)
    try:
        answer: Answer = json.loads(line)
    except ValueError as error:
        raise NoEngine(database, is_sent=True) from error
    return answer


def watch(database: Path) -> Iterator[Answer]:
    """Pictures of a running engine, as they change: at most ten a second and at least one. Ends
    with the engine.

    Raises NoEngine where none answers.
    """
    with closing(_connected(database)) as connection:
        try:
            _send(connection, Watch())
            for line in _lines(connection):
                yield msgspec.json.decode(line)
        except OSError:
            return


def _connected(database: Path) -> socket.socket:
    path = socket_path(database)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(TIMEOUT_SECONDS)
    try:
        if path.parent != _real(database).parent and not is_private(path.parent):
            raise NoEngine(database)
        connection.connect(os.fspath(path))
    except OSError as error:
        connection.close()
        raise NoEngine(database) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _send(connection: socket.socket, request: Request) -> None:
    """Send a request. An engine that has no room for it may answer and hang up before it is sent;
    that answer can still be read."""
    with suppress(ConnectionError):
        connection.sendall(encode(request) + b"\n")


def _lines(connection: socket.socket) -> Iterator[bytes]:
    """The lines that come, whole; a last one that breaks off is left out."""
    rest = b""
    while len(rest) <= ANSWER_BYTES_MAX and (chunk := connection.recv(LINE_BYTES_MAX)):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole

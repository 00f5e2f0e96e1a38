"""Engines as a user starts them, asked over real sockets."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pointsman.engine.control_client import NoEngine, ask
from pointsman.engine.requests import Show
from tests.integration.sessions import command, environment

LENIENT = {
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LATENCY_MS": "60000",
}
"""Open at any hour, and a slow machine refuses nothing."""

PATIENCE_SECONDS = 60.0


class Answer(NamedTuple):
    """What came back: the status, and the body as JSON."""

    status: int
    document: dict[str, Any]


class HttpEngine:
    """A running engine."""

    def __init__(self, process: subprocess.Popen[bytes], database: Path, log: Path) -> None:
        self.process = process
        self.database = database
        self.log = log
        self.url = self._wait()
        parts = urlsplit(self.url)
        self.address = (str(parts.hostname), int(parts.port or 0))

    def _wait(self) -> str:
        """Its address, once it is compared with the venue."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            try:
                picture = ask(self.database, Show())
            except NoEngine:
                picture = {}
            if picture.get("is_ready"):
                return str(picture["http"])
            time.sleep(0.02)
        raise AssertionError(self.log.read_text()[-3000:])

    def raw(self, path: str, body: bytes, *headers: str) -> Answer:
        """Post as curl does: one connection, these very bytes."""
        status, content = self._exchanged(path, body, headers)
        return Answer(status, json.loads(content))

    def post(self, path: str, body: object) -> Answer:
        """Post JSON."""
        content = json.dumps(body).encode()
        return self.raw(path, content, "Content-Type: application/json")

    def post_lines(self, path: str, *lines: object) -> list[dict[str, Any]]:
        """Post JSON Lines; the lines of the answer."""
        body = "\n".join(map(json.dumps, lines)).encode()
        _, content = self._exchanged(path, body, ("Content-Type: application/jsonl",))
        return [json.loads(line) for line in content.splitlines()]

    def _exchanged(self, path: str, body: bytes, headers: tuple[str, ...]) -> tuple[int, bytes]:
        head = [
            f"POST {path} HTTP/1.1",
            f"Host: {self.address[0]}:{self.address[1]}",
            "User-Agent: curl/8.5.0",
            "Accept: */*",
            *headers,
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        with socket.create_connection(self.address, 30) as connection:
            connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        first, _, rest = answer.partition(b"\r\n")
        _, _, content = rest.partition(b"\r\n\r\n")
        return int(first.split()[1]), content

    def kill_9(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def http_engine(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    flags: tuple[str, ...] = ("--speed", "5"),
    start: list[str] | None = None,
) -> Iterator[HttpEngine]:
    """An engine on the simulated market, without demo signals; it is gone at the end. Its database
    is `t.db` in the folder, and is gone on with."""
    database, log = folder / "t.db", folder / "log.txt"
    arguments = ["run", "--headless", "--signals", "none", "--db", str(database), *flags]
    with log.open("a") as stream:
        process = subprocess.Popen(
            [*start, *arguments] if start else command(*arguments),
            cwd=folder,
            env=environment({**LENIENT, **(settings or {})}),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
    try:
        yield HttpEngine(process, database, log)
    finally:
        process.kill()
        process.wait(30)

"""Notices of a real engine, to a receiver on this machine: what is told, what a crash tells, and
that a receiver which never answers holds up nothing."""

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue

import pytest

from tests.integration.sessions import command, environment, pointsman
from tests.integration.test_secrets import ALWAYS, CRASHES

PATIENCE_SECONDS = 60.0
STOP_SECONDS = 10.0
"""So long a clean stop may take."""


class Receiver:
    """Takes notices: (title, text)."""

    def __init__(self) -> None:
        self.got: Queue[tuple[str, str]] = Queue(1000)
        got = self.got

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                got.put((body["title"], body["message"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"json://127.0.0.1:{self.server.server_address[1]}/"

    def until(self, title: str) -> str:
        """The text of the first notice of that title from here on."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            found, text = self.got.get(timeout=max(0.0, give_up_at - time.monotonic()))
            if found == title:
                return text


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def run(folder: Path, url: str, start: list[str] | None = None) -> subprocess.Popen[bytes]:
    with (folder / "log.txt").open("w") as log:
        return subprocess.Popen(
            start or command("run", "--headless", "--db", "t.db"),
            cwd=folder,
            env=environment({**ALWAYS, "NOTIFY_URLS": url}),
            stdout=log,
            stderr=log,
        )


def ended(process: subprocess.Popen[bytes]) -> int:
    """The exit code of a process that was asked to end."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(PATIENCE_SECONDS)
    finally:
        process.kill()


def test_start_kill_and_rearm_are_told_with_who_and_why(tmp_path: Path, receiver: Receiver) -> None:
    engine = run(tmp_path, receiver.url)
    assert "ACTIVE" in receiver.until("pointsman: ENGINE_STARTED")
    pointsman(tmp_path, "kill", "--reason", "a drill", "--db", "t.db")
    killed = receiver.until("pointsman: KILL_PRESSED")
    assert "a drill" in killed
    assert "engine: t.db" in killed
    pointsman(tmp_path, "rearm", "--reason", "over", "--db", "t.db")
    assert "over" in receiver.until("pointsman: KILL_RELEASED")
    assert ended(engine) == 128 + signal.SIGTERM


def test_the_fault_that_ends_an_engine_is_told(tmp_path: Path, receiver: Receiver) -> None:
    start = command("run", "--headless", "--db", "t.db")
    start[start.index("-c") + 1] = CRASHES
    engine = run(tmp_path, receiver.url, start)
    assert engine.wait(PATIENCE_SECONDS) != 0
    assert "a rule of ours is broken" in receiver.until("pointsman: ENGINE_FAULT")


def test_a_receiver_that_never_answers_holds_up_neither_orders_nor_the_end(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(100)
        engine = run(tmp_path, f"json://127.0.0.1:{deaf.getsockname()[1]}/")
        deaf.settimeout(PATIENCE_SECONDS)
        connection, _ = deaf.accept()
        log = tmp_path / "log.txt"
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while "stop confirmed" not in log.read_text():
            assert time.monotonic() < give_up_at, log.read_text()
            time.sleep(0.1)
        pointsman(tmp_path, "kill", "--reason", "a drill", "--db", "t.db")
        began = time.monotonic()
        assert ended(engine) == 128 + signal.SIGTERM
        assert time.monotonic() - began < STOP_SECONDS
        connection.close()

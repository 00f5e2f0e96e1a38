"""Supervision of a real process: parts that die on purpose, and an end that comes in time."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.engine.control_client import NoEngine, ask
from pointsman.engine.requests import Show
from tests.integration.sessions import command, environment, pointsman, rows

PATIENCE_SECONDS = 60.0
SEEN_SECONDS = 5.0
END_SECONDS = 10.0
ALWAYS = {"TRADING_WINDOW_START": "00:00", "TRADING_WINDOW_END": "24:00"}
FAULTY = """
import signal, sys, threading
from pathlib import Path

def fault(name):
    file = Path("FAULT " + name)
    if file.exists():
        file.unlink()
        raise LookupError("made by the test")

def faulty(name, function):
    def wrapped(*given, **named):
        fault(name)
        return function(*given, **named)
    return wrapped

class Semaphore(threading.BoundedSemaphore):
    acquire = faulty("control", threading.BoundedSemaphore.acquire)

class Stream:
    write, flush = staticmethod(faulty("log", sys.stderr.write)), staticmethod(sys.stderr.flush)

real_wait = signal.sigwait
def wait(signals):
    heard = real_wait(signals)
    fault("kill signals")
    return heard

threading.BoundedSemaphore = Semaphore
signal.sigwait = wait
import uvicorn
from pointsman.service import arrivals
from pointsman.engine.supervision import Supervisor
from pointsman.engine.latch_watch import LatchWatch
from pointsman.engine.request_handler import RequestHandler
from pointsman.engine.live_view import LiveView
from pointsman.reading.vitals import Vitals
from pointsman.storage.sqlite_manager import SqliteManager
for owner, name, part in [
    (LiveView, "refresh", "picture"), (LatchWatch, "look", "latch"), (Vitals, "beat", "beat"),
    (uvicorn.Server, "on_tick", "http"), (SqliteManager, "append", "storage-writer"),
    (Supervisor, "look", "supervision"), (arrivals, "signals_in", "stdin"),
]:
    setattr(owner, name, faulty(part, getattr(owner, name)))
work = RequestHandler.work
def stuck(self):
    work(self)
    while Path("STUCK").exists():
        pass
RequestHandler.work = stuck
sys.stderr = Stream()
from pointsman.cli.app import main
sys.exit(main())
"""
"""A program each of whose parts dies once when a file of its name is there."""


class Running:
    """An engine on the simulated market."""

    def __init__(
        self, folder: Path, *flags: str, settings: Mapping[str, str] | None = None
    ) -> None:
        self.folder = folder
        self.database = folder / "t.db"
        self.log = folder / "log"
        arguments = ["run", "--headless", "--db", "t.db", "--speed", "5", *flags]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", FAULTY, *arguments],
                cwd=folder,
                env=environment({**ALWAYS, **(settings or {})}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def until(self, true: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
        """What `true` gives, once it gives something."""
        deadline = time.monotonic() + seconds
        while not (found := true()):
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)
        return found

    def picture(self) -> dict[str, Any]:
        try:
            return ask(self.database, Show())
        except NoEngine:
            return {}

    @property
    def address(self) -> str:
        found: str = self.until(self.picture)["http"].removeprefix("http://")
        return found

    def causes(self) -> dict[str, str]:
        """Why it is not ready, over HTTP; over the socket where HTTP does not answer."""
        try:
            with closing(http.client.HTTPConnection(self.address, timeout=1)) as connection:
                connection.request("GET", "/health/ready")
                response = connection.getresponse()
                document = json.loads(response.read())
                assert (response.status == 503) is bool(document["causes"])
                return dict(document["causes"])
        except OSError:
            return dict(self.picture()["health"]["unready"])

    def wait_until_ready(self) -> None:
        self.until(lambda: self.picture().get("positions") and not self.causes())

    def break_part(self, name: str) -> None:
        (self.folder / f"FAULT {name}").touch()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def start(*flags: str, settings: Mapping[str, str] | None = None) -> Running:
        running.append(Running(tmp_path, *flags, settings=settings))
        return running[-1]

    yield start
    for each in running:
        each.process.kill()
        each.process.wait(30)


# -- what dies -------------------------------------------------------------------------------------


def test_i21_what_dies_is_seen_held_told_and_started_again(
    start: Callable[..., Running],
) -> None:
    engine = start()
    engine.wait_until_ready()
    parts = ["picture", "latch", "beat", "http", "log", "control", "kill signals"]
    for part in parts:
        engine.break_part(part)
        if part == "kill signals":
            engine.process.send_signal(signal.SIGUSR1)
        causes = engine.until(engine.causes, SEEN_SECONDS)
        assert "made by the test" in causes[f"task {part}"], (part, causes)
        engine.until(lambda: not engine.causes(), SEEN_SECONDS)
    engine.process.send_signal(signal.SIGUSR1)
    engine.until(lambda: engine.picture()["trading_state"] == "HALTED")
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(30) == 143
    died = rows(engine.database, "SELECT value FROM incidents WHERE kind = 'TASK_DIED'")
    assert [name for (name,) in died] == parts
    log = engine.log.read_text()
    for part in parts:
        assert f"{part} is down: LookupError: made by the test" in log


@pytest.mark.parametrize("part", ["storage-writer", "supervision", "stdin"])
def test_what_cannot_be_started_again_ends_the_run_in_order(
    start: Callable[..., Running], tmp_path: Path, part: str
) -> None:
    engine = start(*(["--signals", "-"] if part == "stdin" else []))
    if part == "stdin":
        engine.break_part(part)
    else:
        engine.wait_until_ready()
        engine.break_part(part)
    assert engine.process.wait(30) == 1
    said = engine.log.read_text()
    assert "made by the test" in said
    assert "Traceback" not in said
    check = pointsman(tmp_path, "journal", "check", "--db", "t.db", settings=ALWAYS)
    assert check.returncode == 0, check.stdout
    again = start()
    again.wait_until_ready()
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(30) == 143


# -- an end that comes in time ---------------------------------------------------------------------


def open_orders(folder: Path) -> int:
    query = "SELECT count(*) FROM orders WHERE status IN ('ACCEPTED', 'PARTIALLY_FILLED')"
    ((count,),) = rows(folder / "t.paper.db", query)
    return int(count)


def test_sigterm_ends_in_time_with_slow_clients_and_stops_stay_at_the_venue(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    engine = start()
    engine.wait_until_ready()
    host, _, port = engine.address.partition(":")
    slow = socket.create_connection((host, int(port)))
    slow.sendall(
        b"POST /api/v1/signals HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n\r\n{"
    )
    stream = http.client.HTTPConnection(engine.address, timeout=20)
    stream.request("GET", "/api/v1/stream")
    assert stream.getresponse().status == 200
    engine.until(lambda: engine.picture()["positions"])
    began = time.monotonic()
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(30) == 143
    assert time.monotonic() - began < END_SECONDS
    slow.close()
    stream.close()
    held = rows(tmp_path / "t.db", "SELECT count(*) FROM positions WHERE state = 'open'")
    assert open_orders(tmp_path) >= held[0][0]
    assert not rows(tmp_path / "t.db", "SELECT * FROM incidents WHERE kind = 'TASK_DIED'")


def test_sigterm_ends_in_time_although_the_loop_is_stuck(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    engine = start()
    engine.wait_until_ready()
    (tmp_path / "STUCK").touch()
    engine.until(lambda: "loop" in engine.causes())
    began = time.monotonic()
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(30) == 143
    assert time.monotonic() - began < END_SECONDS
    (tmp_path / "STUCK").unlink()
    again = start()
    again.wait_until_ready()


def test_a_port_in_use_is_said_before_anything_is_touched(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        ended = pointsman(tmp_path, "run", "--db", "t.db", settings={"HTTP_PORT": port})
    assert ended.returncode == 1
    assert f"port {port}" in ended.stderr
    assert "HTTP_PORT" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_second_instance_is_refused_as_such_also_on_the_same_port(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = str(free.getsockname()[1])
    engine = start(settings={"HTTP_PORT": port})
    engine.wait_until_ready()
    ended = pointsman(tmp_path, "run", "--db", "t.db", settings={"HTTP_PORT": port})
    assert ended.returncode == 7
    assert f"in use by process {engine.process.pid}" in ended.stderr


def test_the_command_line_names_the_kill_signals(tmp_path: Path) -> None:
    told = subprocess.run(
        command("run", "--help"), cwd=tmp_path, env=environment({}), capture_output=True, check=True
    )
    assert b"SIGUSR1" in told.stdout
    assert b"SIGUSR2" in told.stdout

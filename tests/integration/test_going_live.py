"""The documents about real venues, done as a reader does them: each command as it stands, beside a
server on loopback in place of the venue; and what it prints is what they say it must print."""

import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from pointsman.cli.command_line import app
from pointsman.config.fields import NAMES
from pointsman.domain.reasons import Reason
from tests.as_installed import ROOT, as_installed
from tests.optional import NEEDS_CCXT
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.base import VenueServer
from tests.venue_servers.binance import BinanceServer
from tests.venue_servers.bybit import BybitServer

pytestmark = NEEDS_CCXT

PATIENCE_SECONDS = 60.0
QUOTE_SECONDS = 0.1
URL = "http://127.0.0.1:8080"
"""Where the document says that an engine listens."""
REPEATED = (
    "pointsman status",
    "pointsman positions",
    f"curl -s {URL}/metrics",
    f"curl -s {URL}/health",
)
"""What only looks, and may look too early."""
KEY, SECRET = "key-of-a-reader", "secret-of-a-reader"

GOING_LIVE = (ROOT / "docs/going-live.md").read_text("utf-8")
VENUES = (ROOT / "docs/venues.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """What stands between two fences."""

    language: str
    text: str


class Typed(NamedTuple):
    """A command, and the lines that it must print among others."""

    command: str
    printed: tuple[str, ...]


def blocks(text: str) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(text)]


def typed(text: str) -> list[Typed]:
    """The commands of a console block."""
    found = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *printed = part.strip().splitlines()
        found.append(Typed(command, tuple(printed)))
    return found


def is_printed(line: str, output: str) -> bool:
    """Whether a line of the document is in what was printed; … stands for anything."""
    words = (
        ".*".join(re.escape(part) for part in word.split("…")) for word in line.strip().split()
    )
    return re.search(r"\s+".join(words).replace(r"\s+.*\s+", r"\s.*\s"), output) is not None


@contextmanager
def quoting(server: VenueServer, symbol: str) -> Iterator[None]:
    """Within this block the market is quoted ten times a second."""
    stop = threading.Event()

    def quote() -> None:
        while not stop.wait(QUOTE_SECONDS):
            put(symbol, "65000.0", "65000.1", bid_size="50", ask_size="50")

    put = server.controls()["quote"]
    put(symbol, "65000.0", "65000.1", bid_size="50", ask_size="50")
    thread = threading.Thread(target=quote)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


class Reader:
    """A person with a folder, a terminal or two, and the keys of the documents in files."""

    def __init__(self, folder: Path, server: VenueServer) -> None:
        self._folder = folder
        self._environment = as_installed(folder) | {
            "VENUE_URL": server.url,
            "VENUE_STREAM_URL": server.stream_url,
            "VENUE_DATA_URL": server.data_url,
            "MAX_LATENCY_MS": "60000",  # of a machine on which tests run side by side
        }
        self._settings: dict[str, str] = {}
        self._engine: subprocess.Popen[bytes] | None = None

    def write(self, text: str) -> None:
        """Put settings into .env, in place of those of the same name."""
        lines = dict(line.split("=", 1) for line in text.splitlines())
        self._settings |= lines
        told = "".join(f"{name}={value}\n" for name, value in self._settings.items())
        (self._folder / ".env").write_text(told)
        for name, value in lines.items():
            if name.endswith("_FILE"):
                (self._folder / value).write_text(KEY if "KEY" in name else SECRET)
                (self._folder / value).chmod(0o600)

    def do(self, one: Typed) -> None:
        """Type a command, and see what it prints; what takes a moment is typed again."""
        if one.command.startswith("pointsman run"):
            self.end()
            self._begin(one)
            return
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            code, output = self._shell(one.command)
            missing = [line for line in one.printed if not is_printed(line, output)]
            if code == 0 and not missing:
                return
            is_repeated = one.command.startswith(REPEATED)
            said = f"{one.command}\n{missing}\n{code}\n{output}"
            assert is_repeated, said
            assert time.monotonic() < give_up_at, said
            time.sleep(0.2)

    def end(self) -> None:
        """End the engine that runs, as Ctrl-C does."""
        if self._engine is not None and self._engine.poll() is None:
            self._engine.send_signal(signal.SIGINT)
            self._engine.wait(PATIENCE_SECONDS)

    def _begin(self, one: Typed) -> None:
        with self._log.open("w") as log:
            self._engine = subprocess.Popen(
                ["bash", "-c", f"exec {one.command}"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while missing := [
            line for line in (*one.printed, "http listens") if not is_printed(line, self._said)
        ]:
            assert self._engine.poll() is None, (one, self._said)
            assert time.monotonic() < give_up_at, (one, missing, self._said)
            time.sleep(0.05)

    def _shell(self, command: str) -> tuple[int, str]:
        if URL in command:
            found = re.search(r"http listens\s+url=(\S+)", self._said)
            assert found is not None
            command = command.replace(URL, found[1])
        if self._engine is not None:
            command = command.replace("PID", str(self._engine.pid))
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def _said(self) -> str:
        return self._log.read_text()


def test_the_checklist_can_be_done_as_it_stands(tmp_path: Path) -> None:
    with BinanceServer(key=KEY, secret=SECRET) as server, quoting(server, "BTCUSDT"):
        server.gate.weight_limit *= 10  # what takes a reader weeks is done in a minute here
        reader = Reader(tmp_path, server)
        done = 0
        try:
            for block in blocks(GOING_LIVE):
                if block.language == "ini":
                    reader.write(block.text)
                for one in typed(block.text) if block.language == "console" else ():
                    reader.do(one)
                    done += 1
        finally:
            reader.end()
        assert done > 30
        assert not server.call(server.account.position, "BTCUSDT").quantity


SERVERS = {
    "binanceusdm": (BinanceServer, "BTCUSDT"),
    "bybit": (BybitServer, "BTCUSDT"),
    "alpaca": (AlpacaServer, "AAPL"),
}
SETTINGS = [block.text for block in blocks(VENUES) if block.language == "ini"]
OF_A_VENUE = [text for text in SETTINGS if text.startswith("VENUE=")]


@pytest.mark.parametrize("settings", OF_A_VENUE, ids=lambda text: text.split()[0])
def test_the_settings_for_a_sandbox_open_the_account_and_every_promise_is_kept(
    settings: str, tmp_path: Path
) -> None:
    name = settings.splitlines()[0].removeprefix("VENUE=")
    kind, symbol = SERVERS[name]
    (commands,) = (block.text for block in blocks(VENUES) if block.language == "sh")
    with kind(key=KEY, secret=SECRET) as server, quoting(server, symbol):
        reader = Reader(tmp_path, server)
        reader.write(settings)
        for command in commands.splitlines():
            said = ("All 14 promises were kept.",) if "--orders" in command else ()
            reader.do(Typed(command, said))


def test_settings_of_the_other_sandbox_are_those_of_a_known_host(tmp_path: Path) -> None:
    (other,) = [text for text in SETTINGS if text not in OF_A_VENUE]
    with BinanceServer(key=KEY, secret=SECRET) as server:
        reader = Reader(tmp_path, server)
        reader.write(OF_A_VENUE[0])
        names = other.replace("\n", " ").strip()
        reader.do(Typed(f"{names} pointsman config check", ("the settings are sound",)))


@pytest.mark.parametrize("text", [GOING_LIVE, VENUES], ids=["going-live", "venues"])
def test_every_setting_and_reason_that_they_name_exists(text: str) -> None:
    named = set(re.findall(r"`((?:[A-Z]+_)+[A-Z]+)(?:=\S*)?`", text))
    states = {"UNKNOWN", "ACCEPTED"}
    known = {*NAMES, *(f"{name}_FILE" for name in NAMES), *(one.value for one in Reason), *states}
    assert named <= known
    assert len(named) > 15


def test_every_verb_that_they_name_exists() -> None:
    text = GOING_LIVE + VENUES
    named = set(re.findall(r"\bpointsman ([a-z]+)", text))
    shown = {one.name or getattr(one.callback, "__name__", "") for one in app.registered_commands}
    shown |= {group.name for group in app.registered_groups if group.name}
    assert named <= shown
    assert len(named) > 10

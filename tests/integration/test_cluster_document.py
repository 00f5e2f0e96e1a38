"""docs/cluster.md, done as a reader does it: each command as it stands, with a NATS server and at a
server on loopback in place of the venue; and what it prints is what it must print."""

import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from pointsman.config.fields import NAMES
from tests.as_installed import ROOT, as_installed
from tests.integration.test_going_live import (
    KEY,
    PATIENCE_SECONDS,
    SECRET,
    Typed,
    blocks,
    is_printed,
    quoting,
    typed,
)
from tests.nats_server import NEEDS_NATS
from tests.optional import NEEDS_CCXT
from tests.ports import free_port
from tests.venue_servers.base import VenueServer
from tests.venue_servers.binance import BinanceServer

pytestmark = [NEEDS_NATS, NEEDS_CCXT]

TEXT = (ROOT / "docs/cluster.md").read_text("utf-8")
LASTING = ("nats-server", "pointsman run", "pointsman standby")
"""What runs in a terminal of its own."""


class Reader:
    """A person with a folder and some terminals."""

    def __init__(self, folder: Path, server: VenueServer, closing: ExitStack) -> None:
        self._folder = folder
        self._closing = closing
        self._port = str(free_port())
        self._terminals: dict[str, subprocess.Popen[bytes]] = {}
        self._environment = as_installed(folder) | {
            "VENUE_URL": server.url,
            "VENUE_STREAM_URL": server.stream_url,
            "VENUE_DATA_URL": server.data_url,
        }
        (folder / "key.txt").write_text(KEY)
        (folder / "secret.txt").write_text(SECRET)
        for name in ("key.txt", "secret.txt"):
            (folder / name).chmod(0o600)

    def write(self, text: str) -> None:
        names = {line.split("=")[0].removesuffix("_FILE") for line in text.splitlines()}
        assert names <= {*NAMES}
        (self._folder / ".env").write_text(text.replace("4222", self._port))

    def do(self, one: Typed) -> None:
        command = one.command.replace("4222", self._port)
        if command.startswith(LASTING):
            self._wait_for(one.printed, self._begin(command))
        else:
            self._shell(one, command)

    def sees(self, text: str) -> None:
        """What the terminal of the standby says by and by."""
        self._wait_for(tuple(text.splitlines()), self._log("standby two.db"))

    def _wait_for(self, printed: tuple[str, ...], log: Path) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while missing := [line for line in printed if not is_printed(line, log.read_text())]:
            assert time.monotonic() < give_up_at, (missing, log.read_text())
            time.sleep(0.05)

    def _begin(self, command: str) -> Path:
        name = "run" if " run " in command else command.replace("--db ", "").split(" ", 1)[1]
        log = self._log(name)
        with log.open("w") as stream:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        self._closing.callback(process.wait)
        self._closing.callback(process.kill)
        self._terminals[name] = process
        return log

    def _log(self, name: str) -> Path:
        return self._folder / f"{re.sub(r'[^a-z]+', '-', name)}.log"

    def _shell(self, one: Typed, command: str) -> None:
        command = command.replace("PID", str(self._terminals["run"].pid))
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
        output = done.stdout + done.stderr
        assert done.returncode == 0, (one, output)
        assert not [line for line in one.printed if not is_printed(line, output)], (one, output)


@pytest.mark.timeout(180)
def test_the_page_can_be_done_as_it_stands(tmp_path: Path) -> None:
    with (
        BinanceServer(key=KEY, secret=SECRET) as server,
        quoting(server, "BTCUSDT"),
        ExitStack() as closing,
    ):
        reader = Reader(tmp_path, server, closing)
        for block in blocks(TEXT):
            if block.language == "ini":
                reader.write(block.text)
            elif block.language == "text":
                reader.sees(block.text)
            for one in typed(block.text) if block.language == "console" else ():
                reader.do(one)

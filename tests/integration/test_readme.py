"""The README, copied and pasted: its blocks as they stand, in their order, in one folder.

The reader has a second terminal, so a block that starts an engine goes on beside those that follow,
until the next engine is started. Three things are replaced: the port by a free one, `make run` by
what it runs, and Docker by the commands that it would run in the container, beside an engine with
the settings of the image. Each must succeed the first time.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.domain.signal_text import parse_signal
from tests.as_installed import ROOT, as_installed
from tests.ports import free_port

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```", README, re.M | re.S)
PATIENCE_SECONDS = 90.0
PORT = "8080"
ENGINE_OF_DOCKER = (
    "DATABASE_PATH=data/trading.db TOKENS_PATH=data/tokens HTTP_ALLOWED_HOSTS=trading-engine "
    "pointsman run --headless"
)
IN_DOCKER = """#!/bin/sh
[ "$1 $2" = "compose exec" ] || exit 64
shift 2
[ "$1" = -T ] && shift
[ "$1" = trading-engine ] || exit 65
shift
export DATABASE_PATH=data/trading.db
[ "$*" = "cat /data/tokens" ] && exec cat data/tokens
exec "$@"
"""
LINES_MAX = 180


class Reader:
    """Somebody with two terminals in the folder of a fresh clone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self._engine: subprocess.Popen[bytes] | None = None
        self._env = as_installed(folder)
        self._env["HTTP_PORT"] = str(free_port())
        (folder / "main.py").symlink_to(ROOT / "main.py")
        (folder / ".venv" / "bin").mkdir(parents=True)
        (folder / ".venv" / "bin" / "activate").touch()
        (folder / "data").mkdir()
        (folder / "bin" / "docker").write_text(IN_DOCKER)
        (folder / "bin" / "docker").chmod(0o755)

    def does(self, language: str, text: str) -> None:
        """Paste one block."""
        text = text.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{self._env['HTTP_PORT']}")
        if language == "python":
            (self.folder / "example.py").write_text(text)
            self._runs("python example.py")
        elif language == "sh" and "pip install" in text:
            # Instead of `make run`, so it is not beside it.
            assert (ROOT / text.split()[3]).exists()
            self._runs(f"HTTP_PORT=0 {text.splitlines()[1]} --db other.db")
        elif language == "sh" and text.startswith("make run"):
            self._starts("pointsman run --headless")
        elif language == "sh" and "pointsman run --headless" in text:
            self._starts(text)
        elif language == "sh" and text.startswith("docker compose up"):
            self._starts(ENGINE_OF_DOCKER)
            self._runs("\n".join(text.splitlines()[1:-1]))
            assert text.splitlines()[-1].endswith("pointsman dashboard")
        elif language == "sh":
            self._runs(text)

    def _runs(self, text: str) -> None:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", text],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        self.said.append(done.stdout)

    def _starts(self, text: str) -> None:
        self.stops()
        log = self.folder / f"log-{len(self.said)}"
        with log.open("wb") as out:
            self._engine = subprocess.Popen(
                ["bash", "-e", "-c", text],
                cwd=self.folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while "http listens" not in log.read_text("utf-8"):
            assert self._engine.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < give_up_at, log.read_text("utf-8")
            time.sleep(0.1)

    def stops(self) -> None:
        """Ctrl-C."""
        if self._engine is not None:
            os.killpg(self._engine.pid, signal.SIGINT)
            self._engine.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader who has done all of it."""
    reader = Reader(tmp_path_factory.mktemp("reader"))
    try:
        for language, text in BLOCKS:
            reader.does(language, text)
        yield reader
    finally:
        reader.stops()


def test_every_example_in_its_order_succeeds_the_first_time(reader: Reader) -> None:
    said = "".join(reader.said)
    assert len(reader.said) == 7
    for signal_id in ("h-1", "d-1"):
        assert re.search(rf'"signal_id": ?"{signal_id}"', said), said
    assert len(re.findall(r'"outcome": ?"accepted"', said)) == 3, "two signals and an alert"
    assert "accepted None" in said, "the Python client"
    assert "ACCEPTED" in said, "the story of the first one"
    assert "Signals: 2 received: 2 accepted, 0 refused." in said, "the recorded quotes"


def test_the_alert_of_the_example_becomes_a_signal() -> None:
    """As TradingView sends it, its placeholders filled in."""
    filled = {
        "strategy.order.action": "buy",
        "ticker": "NASDAQ:NVDA",
        "strategy.order.contracts": "1",
        "close": "126.00",
        "strategy.market_position": "long",
        "strategy.market_position_size": "1",
        "timenow": "2026-01-05T14:30:02Z",
    }
    (alert,) = [text for language, text in BLOCKS if language == "json"]
    body = re.sub(r"\{\{([a-z_.]+)\}\}", lambda name: filled[name[1]], alert)
    signal = parse_signal(body, default_va_id="VA001", default_signal_id="alert")
    assert (signal.symbol, signal.side, signal.quantity) == ("NVDA", "buy", 1)


def test_it_is_a_tour_and_not_a_reference() -> None:
    assert len(README.splitlines()) <= LINES_MAX


def test_the_numbers_that_it_boasts_of_are_counted() -> None:
    scenarios = (ROOT / "docs" / "scenarios.md").read_text("utf-8")
    invariants = (ROOT / "docs" / "invariants.md").read_text("utf-8")
    failures = len(re.findall(r"^\| F\d+", scenarios, re.M))
    assert f"[{failures} failures](docs/scenarios.md)" in README
    promises = len(re.findall(r"^\| \*\*I\d+", invariants, re.M))
    assert f"[{promises} invariants](docs/invariants.md)" in README


def test_every_file_that_it_names_exists() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert "docs/dashboard.svg" in links
    for link in links:
        assert (ROOT / link.partition("#")[0]).exists(), link

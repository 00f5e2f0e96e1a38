"""Secrets appear nowhere: a real engine is given canaries for all of them, is asked rightly and
wrongly, fails to deliver its notices, and crashes; then all that it has said and written is
searched for as little as the first letters of one.
"""

import json
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.integration.sessions import command, environment, pointsman
from tests.ports import free_port

PATIENCE_SECONDS = 60.0
READ, SIGNAL, CONTROL = "Zq1ReadQ8r6tYw2p", "Zq2SigxQ8r6tYw2p", "Zq3CtlxQ8r6tYw2p"
WEBHOOK, SIGNED = "Zq4HookQ8r6tYw2p", "Zq5SecrQ8r6tYw2p"
USER, PASSWORD, PATH = "Zq6UserQ8r6t", "Zq7PassQ8r6t", "Zq8PathQ8r6t"
VENUE_KEY, VENUE_SECRET = "Zq9VkeyQ8r6tYw2p", "Zr1VsecQ8r6tYw2p"
CANARIES = (READ, SIGNAL, CONTROL, WEBHOOK, SIGNED, USER, PASSWORD, PATH, VENUE_KEY, VENUE_SECRET)
PREFIX_CHARS = 8

ALWAYS = {"TRADING_WINDOW_START": "00:00", "TRADING_WINDOW_END": "24:00"}
CRASHES = """
import sys
from pointsman.engine.live_loop import LiveLoop
step, seen = LiveLoop._step, []
def crash(self, due_ns):
    seen.append(1)
    if len(seen) > 50:
        raise RuntimeError("a rule of ours is broken")
    step(self, due_ns)
LiveLoop._step = crash
from pointsman.cli.app import main
sys.exit(main())
"""


def settings_with_canaries(port: int) -> dict[str, str]:
    """Nobody listens at the address for notices."""
    return {
        **ALWAYS,
        "READ_TOKEN": READ,
        "SIGNAL_TOKEN": SIGNAL,
        "CONTROL_TOKEN": CONTROL,
        "WEBHOOK_TOKEN": WEBHOOK,
        "WEBHOOK_SECRET": SIGNED,
        "VENUE_KEY": VENUE_KEY,
        "VENUE_SECRET": VENUE_SECRET,
        "NOTIFY_URLS": f"json://{USER}:{PASSWORD}@127.0.0.1:1/{PATH}",
        "LOG_LEVEL": "debug",
        "HTTP_PORT": str(port),
    }


class Said:
    """All that was said and written, by where."""

    def __init__(self) -> None:
        self._found: dict[str, bytes] = {}

    def add(self, where: str, what: bytes | str) -> None:
        self._found[where] = what.encode() if isinstance(what, str) else what

    def add_files(self, folder: Path) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                self.add(str(path), path.read_bytes())

    def text(self, where: str) -> str:
        return self._found[where].decode()

    def gives_away(self) -> list[tuple[str, str]]:
        prefixes = [canary[:PREFIX_CHARS] for canary in CANARIES]
        return [
            (where, prefix)
            for where, what in self._found.items()
            for prefix in prefixes
            if prefix.encode() in what
        ]


class Engine:
    """A running engine with canaries, in a folder of its own."""

    def __init__(self, folder: Path, said: Said) -> None:
        self.folder = folder
        self.port = free_port()
        self.settings = settings_with_canaries(self.port)
        self._said = said
        self.log = folder.parent / "log.txt"
        with self.log.open("w") as stream:
            self.process = subprocess.Popen(
                command("run", "--headless", "--db", "t.db", "--speed", "5"),
                cwd=folder,
                env=environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def becomes_ready(self) -> bool:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None and time.monotonic() < give_up_at:
            try:
                if self.ask("GET", "/health/ready") == 200:
                    return True
            except ConnectionError:
                pass
            time.sleep(0.1)
        return False

    def ask(self, method: str, path: str, token: str = "", body: str = "", **extra: str) -> int:
        """The status of the answer; all of the answer is noted."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/json", **extra}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            number = len(self._said._found)
            told = f"{answer.headers}\n".encode() + answer.read()
            self._said.add(f"{number}: {method} {path.partition('/webhook')[0]}", told)
            return answer.status
        finally:
            connection.close()

    def say(self, *words: str) -> None:
        """Run a verb beside it, with the same settings."""
        done = pointsman(self.folder, *words, settings=self.settings)
        self._said.add(f"pointsman {' '.join(words)}", done.stdout + done.stderr)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def engine(tmp_path: Path, said: Said) -> Iterator[Engine]:
    folder = tmp_path / "engine"
    folder.mkdir()
    engine = Engine(folder, said)
    yield engine
    if engine.process.poll() is None:
        engine.process.kill()
        engine.process.wait()


def wrong(token: str) -> str:
    """Nearly that token."""
    return f"{token[:-1]}#"


def test_no_secret_is_said_or_written_by_a_running_engine(engine: Engine, said: Said) -> None:
    assert engine.becomes_ready(), engine.log.read_text()
    signal_body = json.dumps(
        {"signal_id": "s1", "va_id": "VA001", "symbol": "AAPL", "side": "buy", "quantity": "1"}
    )
    assert engine.ask("GET", "/api/v1/status", READ) == 200
    assert engine.ask("GET", "/api/v1/config", READ) == 200
    assert engine.ask("POST", "/api/v1/signals", SIGNAL, signal_body) == 200
    assert engine.ask("POST", "/api/v1/kill", CONTROL, '{"reason": "a drill"}') == 200
    for token in (READ, SIGNAL, CONTROL, WEBHOOK, SIGNED):
        assert engine.ask("GET", "/api/v1/status", wrong(token)) == 401
        engine.ask("POST", "/api/v1/signals", token, "{not json")
        engine.ask("POST", "/api/v1/rearm", token, '{"reason": 7}')
        engine.ask("POST", f"/webhook/{token}", "", signal_body)
        engine.ask("POST", f"/webhook/{wrong(token)}", "", "buy")
        engine.ask("GET", "/api/v1/status", "", "", Authorization=f"Basic {token}")
        engine.ask("GET", f"/api/v1/status?token={token}", Origin=f"http://{token}.example")
    for secret in CANARIES:
        for broken in (
            f'{{"passphrase": "{secret}", "action": buy}}',
            f'{{"action": "{secret}", "ticker": "AAPL", "qty": 1}}',
            f'{{"key": 1, "key": "{secret}"}}',
            f"buy AAPL {secret}",
        ):
            assert engine.ask("POST", "/api/v1/signals", SIGNAL, broken) == 422
            assert engine.ask("POST", f"/webhook/{WEBHOOK}?va=VA001", "", broken) == 422
    for path in ("/metrics", "/openapi.json", "/docs", "/api/v1/incidents", "/api/v1/signals"):
        engine.ask("GET", path, READ)
    for words in (
        ("config", "show"),
        ("config", "show", "--json"),
        ("config", "check"),
        ("status", "--json", "--db", "t.db"),
        ("incidents", "--json", "--db", "t.db"),
        ("signals", "--json", "--db", "t.db"),
        ("why", "s1", "--db", "t.db"),
    ):
        engine.say(*words)
    said.add("command line", Path(f"/proc/{engine.process.pid}/cmdline").read_bytes())
    said.add_files(engine.folder)  # while it runs: with its -wal
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(PATIENCE_SECONDS) == 128 + signal.SIGTERM
    said.add_files(engine.folder)
    engine.say("journal", "check", "--db", "t.db")
    said.add("log", engine.log.read_bytes())
    assert "was not delivered" in said.text("log"), "the address for notices was tried"
    assert not said.gives_away()


def test_everything_that_an_engine_writes_is_for_its_owner_alone(engine: Engine) -> None:
    assert engine.becomes_ready(), engine.log.read_text()
    open_ones = {
        path.name: oct(path.lstat().st_mode)
        for path in engine.folder.rglob("*")
        if path.lstat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    }
    names = {path.name for path in engine.folder.iterdir()}
    assert {"t.db", "t.db-wal", "t.paper.db"} <= names
    assert not open_ones


@pytest.mark.parametrize("form", ["console", "json"])
def test_no_secret_is_said_by_an_engine_that_crashes(tmp_path: Path, said: Said, form: str) -> None:
    folder = tmp_path / "engine"
    folder.mkdir()
    start = command("run", "--headless", "--db", "t.db")
    start[start.index("-c") + 1] = CRASHES
    done = subprocess.run(
        start,
        cwd=folder,
        env=environment({**settings_with_canaries(0), "LOG_FORMAT": form}),
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode != 0
    assert b"a rule of ours is broken" in done.stderr
    said.add("output", done.stdout + done.stderr)
    said.add_files(folder)
    assert not said.gives_away()


@pytest.mark.parametrize(
    "bad",
    [
        {"READ_TOKEN": f"{READ} {READ}"},
        {"WEBHOOK_TOKEN": READ},
        {"WEBHOOK_SECRET": CONTROL},
        {"NOTIFY_URLS": f"slack://{PASSWORD} {PATH}"},
        {"VENUE_KEY": f"{VENUE_KEY} {VENUE_KEY}"},
        {"VENUE_SECRET_FILE": "none", "VENUE_SECRET": VENUE_SECRET},
        {"VENUE_URL": "https://elsewhere.example", "VENUE": "alpaca"},
        {"VENUE_LIVE": "yes", "VENUE_SANDBOX": "false", "VENUE": "alpaca"},
        {"CONTROL_TOKEN_FILE": "tokens", "CONTROL_TOKEN": CONTROL},
    ],
    ids=lambda bad: " ".join(bad),
)
def test_a_bad_secret_is_pointed_out_and_not_shown(
    tmp_path: Path, said: Said, bad: dict[str, str]
) -> None:
    settings = {**settings_with_canaries(0), **bad}
    done = pointsman(tmp_path, "run", "--headless", "--db", "t.db", settings=settings)
    assert done.returncode == 3, done.stderr
    assert next(iter(bad)).removesuffix("_FILE") in done.stderr
    said.add("output", done.stdout + done.stderr)
    assert not said.gives_away()


def test_the_search_finds_the_first_letters_of_a_secret(said: Said) -> None:
    said.add("a log", f"token {PASSWORD[:PREFIX_CHARS]}...")
    said.add("another", "token ********")
    assert said.gives_away() == [("a log", PASSWORD[:PREFIX_CHARS])]

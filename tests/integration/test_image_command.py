"""What the image starts, run as an ordinary process with the same environment: no Docker is needed.

Only the folder for /data and the port are others.
"""

import json
import re
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.as_installed import as_installed
from tests.image_files import (
    SERVICE,
    health_command,
    image_environment,
    settings_of,
    start_command,
)
from tests.ports import free_port

PATIENCE_SECONDS = 60.0


class Container:
    """The process, in place of the container."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.tokens = folder / "tokens"
        self.port = free_port()
        own = {
            "DATABASE_PATH": str(folder / "trading.db"),
            "TOKENS_PATH": str(self.tokens),
            "HTTP_PORT": str(self.port),
        }
        self.environment = {
            **image_environment(),
            **settings_of(SERVICE),
            **as_installed(folder),
            **own,
        }
        with self.log.open("w") as stream:
            self.process = subprocess.Popen(
                start_command(),
                env=self.environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def health(self) -> int:
        """The exit code of the health check."""
        done = subprocess.run(
            health_command(),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            check=False,
        )
        return done.returncode

    def get(self, path: str, token: str = "", host: str = "") -> tuple[int, str]:
        """Status and body; status 0 while nothing listens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            connection.request("GET", path, headers={**headers, **({"Host": host} if host else {})})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except ConnectionError:
            return 0, ""
        finally:
            connection.close()

    def becomes_ready(self) -> bool:
        """Whether it says so before patience ends."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None and time.monotonic() < give_up_at:
            if self.get("/health/ready")[0] == 200:
                return True
            time.sleep(0.1)
        return False

    def stop(self) -> int:
        """Ask it to end as `docker stop` does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Container]:
    container = Container(tmp_path)
    yield container
    if container.process.poll() is None:
        container.process.kill()
        container.process.wait()


def test_rule_38_it_becomes_ready_makes_its_tokens_and_stops_cleanly(container: Container) -> None:
    assert container.becomes_ready(), container.log.read_text()
    assert container.health() == 0

    assert stat.S_IMODE(container.tokens.stat().st_mode) == 0o600
    made = dict(re.findall(r"^(\w+)=(\S+)$", container.tokens.read_text(), re.MULTILINE))
    assert set(made) == {"READ_TOKEN", "SIGNAL_TOKEN", "CONTROL_TOKEN", "WEBHOOK_TOKEN"}
    assert len({*made.values()}) == 4
    assert container.get("/api/v1/status")[0] == 401
    status, body = container.get("/api/v1/status", made["READ_TOKEN"])
    assert (status, json.loads(body)["source"]) == (200, "engine")

    assert container.stop() == 128 + signal.SIGTERM, container.log.read_text()
    assert container.health() != 0, "nothing runs any more"
    lines = container.log.read_text()
    assert "started" in lines
    assert str(container.tokens) in lines
    assert not [token for token in made.values() if token in lines]
    assert "\x1b" not in lines
    private = [each for each in container.folder.iterdir() if each.name.startswith("trading.db")]
    assert len(private) >= 2
    assert {stat.S_IMODE(each.stat().st_mode) for each in private} == {0o600}


def test_prometheus_may_ask_it_by_the_name_of_its_service(container: Container) -> None:
    assert container.becomes_ready(), container.log.read_text()
    status, text = container.get("/metrics", host=f"trading-engine:{container.port}")
    assert status == 200
    assert "trading_equity" in text
    assert container.get("/metrics", host="elsewhere.example")[0] == 421
    assert container.stop() == 128 + signal.SIGTERM

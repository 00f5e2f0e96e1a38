"""A NATS server with JetStream, as a process of its own, on this machine."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

import pytest

from tests.ports import free_port

NEEDS_NATS = pytest.mark.skipif(
    shutil.which("nats-server") is None,
    reason="nats-server is not installed: apt-get install nats-server",
)
PATIENCE_SECONDS = 20.0


class NatsServer:
    """Runs from `start` until `stop`, or within a `with` block. What it stores is kept in a folder,
    so that it can be killed and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["nats-server", "-a", "127.0.0.1", "-p", str(self.port), "-js",
             "-sd", str(self._folder), *self._options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.02)
            else:
                return

    def send(self, signum: signal.Signals) -> None:
        """Send the process a signal, such as SIGSTOP and SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signum)

    def kill(self) -> None:
        """Kill it with -9; `start` starts it again on the same port and folder."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class NatsCluster:
    """Three servers that are one cluster: what is stored in it is stored three times."""

    def __init__(self, folder: Path) -> None:
        routes = [free_port() for _ in range(3)]
        self.servers = [
            NatsServer(
                folder / str(number),
                "--name", f"n{number}",
                "--cluster_name", "tests",
                "--cluster", f"nats://127.0.0.1:{own}",
                "--routes", ",".join(f"nats://127.0.0.1:{port}" for port in routes if port != own),
            )
            for number, own in enumerate(routes)
        ]  # fmt: skip

    @property
    def url(self) -> str:
        return ",".join(server.url for server in self.servers)

    def __enter__(self) -> Self:
        for server in self.servers:
            server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.kill()

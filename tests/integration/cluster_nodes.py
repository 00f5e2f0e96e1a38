"""Nodes of a desk as real processes, an owner and standbys at a loopback Bybit and a NATS server,
and what a trader and the venue see of them."""

import contextlib
import http.client
import json
import random
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

from pointsman.domain.client_order_ids import parse_client_order_id
from tests.integration.bybit_account import BTC
from tests.integration.sessions import command, environment
from tests.integration.venue_engine import SETTINGS
from tests.nats_server import NatsServer
from tests.ports import free_port
from tests.venue_servers.bybit import BybitServer
from tests.wire import Wire

PATIENCE_SECONDS = 60.0
LEASE_SECONDS = "4"
"""Longer than a process stands still while it loads its modules on a busy machine."""
SIGNALS_PART = 0.15
"""How many quotes are followed by a signal."""
ACCOUNTS = ("VA001", "VA002")


class Node:
    """One process with a database of its own. `verb` is run or standby."""

    def __init__(
        self, folder: Path, settings: dict[str, str], wires: tuple[Wire, ...] = ()
    ) -> None:
        """`wires` lead to what it needs: its NATS server, and its venue."""
        folder.mkdir(exist_ok=True)
        self.wires = wires
        self.database = folder / "t.db"
        self.port = free_port()
        self._folder = folder
        self._settings = {**settings, "HTTP_PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = count()
        self.log = folder / "log.txt"

    def start(self, verb: str) -> None:
        headless = ["--headless"] if verb == "run" else []
        with self.log.open("a") as stream:
            self._process = subprocess.Popen(
                command(verb, *headless, "--market", "http", "--db", str(self.database)),
                cwd=self._folder,
                env=environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def send(self, signum: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(signum)

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ended(self) -> int:
        """The exit code, once it has ended."""
        assert self._process is not None
        code = self._process.wait(PATIENCE_SECONDS)
        self._process = None
        return code

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, route: str, body: Any = None) -> Any:
        """What its HTTP answers; None where it does not, or refuses."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{route}", data, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=2) as answer:
                return json.load(answer)
        except (OSError, ValueError, http.client.HTTPException):
            return None

    @property
    def is_ready(self) -> bool:
        return self.ask("/health/ready") is not None


class Trader(threading.Thread):
    """Sends quotes and signals to whichever node takes them, at random, until it is stopped."""

    def __init__(self, nodes: list[Node], server: BybitServer, seed: int) -> None:
        super().__init__(daemon=True)
        self.told: dict[str, dict[str, Any]] = {}
        self.is_trading = True
        self._nodes = nodes
        self._server = server
        self._chance = random.Random(seed)
        self._ids = count()
        self._is_over = threading.Event()

    def run(self) -> None:
        price = 60_000
        while not self._is_over.wait(0.02):
            price += self._chance.randint(-60, 60)
            self._server.quote("BTCUSDT", str(price), str(price + 1))
            row = {"symbol": BTC, "ts": time.time_ns(), "bid": str(price), "bid_size": "1000",
                   "ask": str(price + 1), "ask_size": "1000"}  # fmt: skip
            for node in self._nodes:
                is_due = self.is_trading and self._chance.random() < SIGNALS_PART
                if node.ask("/api/v1/quotes", {"quotes": [row]}) is not None and is_due:
                    self._signal(node)

    def _signal(self, node: Node) -> None:
        side = self._chance.choice(("buy", "sell", "close"))
        size = {} if side == "close" else {"quantity": self._chance.choice(("0.01", "0.05"))}
        signal_id = f"s-{next(self._ids)}"
        sent = {"signal_id": signal_id, "va_id": self._chance.choice(ACCOUNTS), "symbol": BTC,
                "side": side, **size}  # fmt: skip
        answer = node.ask("/api/v1/signals", sent)
        if answer is not None:
            self.told[signal_id] = answer

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()


def until(is_so: Callable[[], bool], told: Callable[[], object] = lambda: "") -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, told()
        time.sleep(0.05)


def epochs_sent(server: BybitServer) -> list[int]:
    """The epochs of our orders, in the order in which the venue took them."""
    parts = [parse_client_order_id(each.client_id) for each in list(server.account.orders.values())]
    return [each.epoch for each in parts if each is not None]


@contextmanager
def desk(
    folder: Path, nats: NatsServer, nodes: int, **more: str
) -> Iterator[tuple[list[Node], BybitServer]]:
    """Nodes that are not started yet, and their venue."""
    with BybitServer(key="K", secret="S") as server, contextlib.ExitStack() as closing:
        server.behave(orders_per_second=1000, queries_per_second=1000)
        settings = {
            **SETTINGS,
            "VENUE": "bybit",
            "SYMBOLS": BTC,
            "STOP_LOSS_PERCENTAGE": "0.3",
            "MAX_LOSS_COOLDOWN": "0",
            "LEASE_SECONDS": LEASE_SECONDS,
            **more,
        }
        made = []
        for number in range(nodes):
            to_nats, to_venue = (
                closing.enter_context(Wire(port)) for port in (nats.port, server.port)
            )
            own = {
                **settings,
                "REPLICATE_TO": f"nats://127.0.0.1:{to_nats.port}",
                "VENUE_URL": f"http://127.0.0.1:{to_venue.port}",
                "VENUE_STREAM_URL": f"ws://127.0.0.1:{to_venue.port}",
            }
            made.append(Node(folder / f"node-{number}", own, (to_nats, to_venue)))
            closing.callback(made[-1].stop)
        yield made, server

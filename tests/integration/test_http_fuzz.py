"""20,000 bodies that nobody should send, over one kept-alive connection: no error of ours but "not
now", no order, no press, and no lasting growth of memory."""

import gc
import gzip
import json
import os
import random
import resource
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from pointsman.api.server import HttpServer, listen
from tests.as_installed import ROOT
from tests.http_stories import CONTROL, TOKENS, UNLIMITED, Served

SEED = 20_240_611
BODIES = 20_000
WEBHOOK_TOKEN = "webhook-0123456789"
JSON = "application/json"
GROWTH_BYTES_MAX = 16 * 1024 * 1024
"""Between a quarter of the bodies and the end, the large ones included."""
FIELDS = (
    "reason", "flatten", "va", "signal_id", "va_id", "symbol", "side", "action", "quantity",
    "qty", "price", "stop_loss", "take_profit", "ts", "ttl", "reduce_only", "bid", "ask",
)  # fmt: skip


def paths(served: Served) -> list[str]:
    """Every route that takes a body, but those that stop: what is not asked for is tried there
    too, in `test_api_problems`."""
    posts = [path for path, routes in served.app.openapi()["paths"].items() if "post" in routes]
    return [path.replace("{token}", WEBHOOK_TOKEN) for path in posts]


def value(dice: random.Random, depth: int = 0) -> Any:
    """Something of no use as any field: never a plain word, amount or switch alone."""
    odd: list[Callable[[], Any]] = [
        lambda: None,
        lambda: dice.choice([1e308, -1e308, 10**400, -1, 0, 2**63]),
        lambda: "x" * dice.choice([0, 10_000]),
        lambda: dice.choice(["\x00", "\u202e", "NaN", "Infinity", "1e999999999", "' OR 1=1 --"]),
        lambda: [value(dice, depth + 1) for _ in range(dice.randrange(4))],
        lambda: {dice.choice(FIELDS): value(dice, depth + 1) for _ in range(dice.randrange(4))},
    ]
    return dice.choice(odd[: 4 if depth > 3 else 6])()


def nonsense(dice: random.Random) -> tuple[bytes, dict[str, str]]:
    """One body, and the headers that it comes with. No body is a whole signal or command."""
    headers = {"Content-Type": dice.choice([JSON, JSON, JSON, "text/plain", "application/jsonl"])}
    fields = {name: value(dice) for name in dice.sample(FIELDS, dice.randrange(1, 8))}
    fields["nobody knows this"] = value(dice)
    fields["reason"] = dice.choice([None, 7, "", " ", [], {}])
    fields["side"] = fields["action"] = dice.choice([None, 7, "", "sideways", [], {}])
    text = json.dumps(fields)
    kind = dice.randrange(16)
    if kind == 0:
        return b"[" * dice.randrange(1, 60_000), headers
    if kind == 1:
        return b'{"a":' * dice.randrange(1, 10_000), headers
    if kind == 2:
        twice = text[:-1] + "," + text[1:]
        return twice.encode(), headers
    if kind == 3:
        return text.encode(dice.choice(["utf-16", "utf-32", "utf-7"])), headers
    if kind == 4:
        return dice.randbytes(dice.randrange(1, 2_000)), headers
    if kind == 5:
        return gzip.compress(text.encode() * 50), {**headers, "Content-Encoding": "gzip"}
    if kind == 6:
        return text.encode()[: dice.randrange(1, len(text))], headers
    if kind == 7:
        return b"x" * dice.randrange(60_000, 70_000), headers
    return text.encode(), headers


def fuzz(folder: Path) -> None:
    """Send all of it, and look at what came of it."""
    with Served(folder, {**TOKENS, "WEBHOOK_TOKEN": WEBHOOK_TOKEN}, UNLIMITED) as served:
        listener = listen("127.0.0.1", 0)
        server = HttpServer(served.app, listener)
        server.start()
        send_all(served, listener.getsockname()[1])
        server.stop()


def send_all(served: Served, port: int) -> None:
    dice, routes = random.Random(SEED), paths(served)
    sender = Sender(port)
    used: list[int] = []
    for number in range(1, BODIES + 1):
        sender.send(dice.choice(routes), *nonsense(dice))
        if number % (BODIES // 4) == 0:
            used.append(memory_bytes(served))
    for path in routes:
        sender.send_100_mb(path)
    used.append(memory_bytes(served))
    sender.close()
    assert sum(sender.counts.values()) == BODIES + len(routes)
    assert all(status < 500 or status == 503 for status in sender.counts), sender.counts
    assert sender.counts[422] > BODIES / 5, sender.counts
    assert not served.offered
    assert not served.complaints
    assert not served.latch.latched.is_set
    assert used[-1] - used[0] < GROWTH_BYTES_MAX, used


@pytest.mark.timeout(300)
def test_20_000_bodies_lead_to_no_order_no_error_of_ours_and_no_growth(tmp_path: Path) -> None:
    """In a process of its own, whose memory is that of the server."""
    code = "import sys; from tests.integration.test_http_fuzz import *; fuzz(Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def memory_bytes(served: Served) -> int:
    """What the process holds, without the malformed signals that only the test's own loop keeps."""
    served.malformed.clear()
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


class Sender:
    """Sends over one connection as long as it stays, and counts the answers."""

    def __init__(self, port: int) -> None:
        self.counts: dict[int, int] = {}
        self._port = port
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)

    def send(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        given = {**headers, "Authorization": f"Bearer {CONTROL}"}
        self._connection.request("POST", path, body, given)
        answer = self._connection.getresponse()
        answer.read()
        self.counts[answer.status] = self.counts.get(answer.status, 0) + 1

    def send_100_mb(self, path: str) -> None:
        """It is refused before it is read; who goes on writing is hung up on."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.putrequest("POST", path)
        connection.putheader("Content-Type", JSON)
        connection.putheader("Authorization", f"Bearer {CONTROL}")
        connection.putheader("Content-Length", str(100_000_000))
        connection.endheaders()
        sent = 0
        try:
            while sent < 100_000_000:
                connection.send(b"x" * 65_536)
                sent += 65_536
        except ConnectionError:
            pass
        assert sent < 50_000_000
        connection.close()
        self.counts[413] = self.counts.get(413, 0) + 1

    def close(self) -> None:
        self._connection.close()

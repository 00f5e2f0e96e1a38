"""What proxies and tunnels on this machine really send, byte for byte, over a real socket: no
stranger behind one of them may do anything without a token (RULES 57), and floods of strangers
neither slow nor shut out a caller whose token is right.
"""

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.http_stories import CONTROL, TOKENS, Served
from tests.unit.test_connections import Listening

HOOK = "hook-0123456789abcdef"
ELSEWHERE = {"WEBHOOK_TOKEN": HOOK}

# The head of a request as it arrives here, after its first line. HOST is replaced.
NGINX = "HTTP/1.0|Host: 127.0.0.1:8080|Connection: close|User-Agent: curl/8.5.0|Accept: */*"
NGINX_1_1 = "HTTP/1.1|Host: 127.0.0.1:8080|Connection: close|User-Agent: curl/8.5.0|Accept: */*"
HAPROXY = "HTTP/1.1|host: HOST|user-agent: curl/8.5.0|accept: */*"
TUNNEL = "HTTP/1.1|Host: HOST|User-Agent: curl/8.5.0|Accept: */*"
APACHE = f"{NGINX_1_1}|X-Forwarded-For: 203.0.113.9|X-Forwarded-Host: bot.example.com"
CADDY = f"{TUNNEL}|X-Forwarded-For: 203.0.113.9|X-Forwarded-Proto: https|Via: 1.1 Caddy"
CLOUDFLARED = f"{NGINX_1_1}|Cf-Connecting-Ip: 203.0.113.9|Cf-Ray: 8a|Cdn-Loop: cloudflare"
LEAVE_NO_SIGN = {"nginx 1.1": NGINX_1_1, "haproxy": HAPROXY, "ssh -R, stunnel, socat": TUNNEL}
LEAVE_A_SIGN = {"nginx": NGINX, "apache": APACHE, "caddy": CADDY, "cloudflared": CLOUDFLARED}

STEER = json.dumps({"reason": "a stranger"})
SIGNAL = json.dumps(
    {"signal_id": "x1", "va_id": "VA001", "symbol": "AAPL", "side": "buy", "quantity": 1}
)
VERBS = ("kill", "rearm", "pause", "resume", "flatten", "reconcile")
ROUTES = [
    *(("POST", verb, STEER) for verb in VERBS),
    ("POST", "signals", SIGNAL),
    ("POST", "signals/bulk", SIGNAL),
    ("POST", "quotes", "{}"),
    ("GET", "config", ""),
    ("GET", "status", ""),
    ("GET", "stream", ""),
]


def status(listening: Listening, method: str, path: str, head: str, body: str) -> int:
    version, *headers = head.replace("HOST", f"127.0.0.1:{listening.port}").split("|")
    kind = ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    lines = [f"{method} {path} {version}", *headers, *kind]
    return asked(listening, "\r\n".join(lines).encode() + b"\r\n\r\n" + body.encode())


def asked(listening: Listening, sent: bytes) -> int:
    """The status of the answer to what is sent on a connection of its own."""
    with socket.create_connection(listening.address, 20) as connection:
        connection.sendall(sent)
        return int(connection.recv(12)[9:])


@contextmanager
def served(folder: Path, settings: Mapping[str, str]) -> Iterator[Listening]:
    with Served(folder, settings) as there:
        listening = Listening(there)
        yield listening
        listening.close()


@pytest.mark.parametrize(
    "settings",
    [ELSEWHERE, {"HTTP_ALLOWED_HOSTS": "bot.example.com"}, {**TOKENS, **ELSEWHERE}],
    ids=["webhook", "host", "tokens"],
)
def test_rule_57_a_stranger_behind_any_proxy_gets_401_everywhere(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    with served(tmp_path, settings) as listening:
        for proxy, head in (LEAVE_NO_SIGN | LEAVE_A_SIGN).items():
            told = {
                path: status(listening, method, f"/api/v1/{path}", head, body)
                for method, path, body in ROUTES
            }
            assert set(told.values()) == {401}, (proxy, told)
        assert not listening.served.latch.latched.is_set
        assert not listening.served.offered


def test_rule_57_a_sign_of_a_proxy_is_enough_where_no_setting_speaks_of_others(
    tmp_path: Path,
) -> None:
    with served(tmp_path, {}) as listening:
        for proxy, head in LEAVE_A_SIGN.items():
            for method, path, body in ROUTES:
                told = status(listening, method, f"/api/v1/{path}", head, body)
                assert told == 401, (proxy, path)
        assert not listening.served.latch.latched.is_set
        assert status(listening, "GET", "/api/v1/status", TUNNEL, "") == 200, "this machine"


def test_what_is_open_and_the_webhook_work_through_every_proxy(tmp_path: Path) -> None:
    with served(tmp_path, ELSEWHERE) as listening:
        for head in (LEAVE_NO_SIGN | LEAVE_A_SIGN).values():
            for path in ("/health/live", "/health/ready", "/metrics", "/api/v1/ping"):
                assert status(listening, "GET", path, head, "") == 200
            # What it says is at fault, not who says it.
            assert status(listening, "POST", f"/webhook/{HOOK}", head, "{}") == 422
            assert status(listening, "POST", f"/webhook/{HOOK}/", head, "{}") == 422
            assert status(listening, "POST", "/webhook/guess", head, "{}") == 404


GUESS = (
    b"POST /api/v1/kill HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess-%016d\r\n"
    b"Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{"
)


def test_wrong_tokens_on_one_connection_get_at_most_100_answers_a_second(tmp_path: Path) -> None:
    count = 40
    with served(tmp_path, TOKENS) as listening:
        began = time.monotonic()
        sent = b"".join(GUESS % number for number in range(count))
        connection, answers = listening.connect(sent), b""
        while answers.count(b"HTTP/1.1 401") < count:
            answers += connection.recv(65_536)
        assert time.monotonic() - began >= count / 100
        assert b"422" not in answers


FLOODS = {
    "no token": GUESS.replace(b"Authorization: Bearer guess-%016d\r\n", b""),
    "wrong tokens": GUESS,
    "webhook": b"POST /webhook/guess-%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    "scanner": b"POST /webhook.php HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    "reads": b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


def test_a_flood_of_strangers_neither_delays_nor_shuts_out_who_is_known(tmp_path: Path) -> None:
    """More than their connections may hold, from the address of the one who is known."""
    ended = threading.Event()

    def flood(listening: Listening, request: bytes, worker: int) -> None:
        for number in range(worker * 10**6, (worker + 1) * 10**6):
            if ended.is_set():
                return
            sent = request % number if b"%" in request else request
            with suppress(OSError, ValueError):
                asked(listening, sent)

    with served(tmp_path, {**TOKENS, **ELSEWHERE}) as listening:
        workers = [
            threading.Thread(target=flood, args=(listening, request, worker), daemon=True)
            for worker, request in enumerate([*FLOODS.values()] * 3)
        ]
        for worker in workers:
            worker.start()
        try:
            time.sleep(0.3)
            for _ in range(10):
                connection = HTTPConnection("127.0.0.1", listening.port, timeout=20)
                for method, path, body in (
                    ("POST", "/api/v1/kill", STEER),
                    ("POST", f"/webhook/{HOOK}", "{}"),
                    ("GET", "/health/live", None),
                    ("GET", "/metrics", None),
                ):
                    headers = {"Authorization": f"Bearer {CONTROL}"}
                    kind = {"Content-Type": "application/json"} if body else {}
                    connection.request(method, path, body, {**headers, **kind})
                    answer = connection.getresponse()
                    answer.read()
                    assert answer.status == (422 if "webhook" in path else 200), path
                connection.close()
        finally:
            ended.set()
            for worker in workers:
                worker.join(20)

"""How much one caller may ask for: requests, wrong tokens, headers, bodies.

Invariants: what is kept of callers is bounded however many there are; a body is read whole
within its limit and its time before anything is done with it, and counted as it comes, whatever its
`Content-Length` says.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from pointsman.api.problems import HttpProblem

HEADERS_MAX = 64
HEADER_BYTES_MAX = 16 * 1024
BODY_BYTES_MAX = 64 * 1024
BATCH_BYTES_MAX = 1024 * 1024
FORGOTTEN_BYTES_MAX = 1024 * 1024
"""So much of a body beyond its limit is still read, to answer politely."""
KEYS_MAX = 4096
"""At most this many keys are kept; beyond them the least recently used is forgotten."""
HOLD = "pointsman.hold"
"""Under this name the state of a request holds `Connection.hold`."""
REFUSAL_SECONDS = 0.01
"""The answer to a missing or wrong token takes so long: at most 100 a second on a connection."""
GUESSING_SECONDS = 1.0
"""The answer to a wrong token beyond the limits takes so long."""


class Rate(NamedTuple):
    """At most `burst` at once, and `per_second` in the long run."""

    burst: int
    per_second: float


class RequestLimits(NamedTuple):
    """The limits of one server. Requests are counted for each right: a token, or a caller of this
    machine; what is open to everybody for each address. Wrong tokens are counted for each one
    tried, and in all."""

    signals: Rate = Rate(10_000, 5_000)
    reads: Rate = Rate(500, 100)
    controls: Rate = Rate(1_000, 200)
    same_guess: Rate = Rate(20, 20 / 60)
    guesses: Rate = Rate(100, 10)
    body_seconds: float = 10.0


class Buckets:
    """One token bucket for each key. `what` is counted, in words; `clock` gives seconds that only
    grow."""

    def __init__(
        self, rate: Rate, what: str = "requests", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._what = what
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Count one. Raises Problem 429 where there is none left."""
        now = self._clock()
        level, at = self._levels.get(key, (float(self._rate.burst), now))
        level = min(self._rate.burst, level + (now - at) * self._rate.per_second)
        if level < 1:
            seconds = ceil((1 - level) / self._rate.per_second)
            raise HttpProblem(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"too many {self._what}; try again in {seconds} s",
                {"Retry-After": str(seconds)},
            )
        self._levels[key] = (level - 1, now)
        self._levels.move_to_end(key)
        if len(self._levels) > KEYS_MAX:
            self._levels.popitem(last=False)


class Guesses:
    """Wrong tokens. They slow their own kind and nothing else: a right one is never looked up
    here."""

    def __init__(self, limits: RequestLimits) -> None:
        self._same = Buckets(limits.same_guess, "requests with this wrong token")
        self._all = Buckets(limits.guesses, "wrong tokens")

    def take(self, guess: str) -> None:
        """Count one. Raises Problem 429 after too many of the same, or in all."""
        self._same.take(sha256(guess.encode("utf-8", "replace")).hexdigest())
        self._all.take("")


def address_key(host: str) -> str:
    """What stands for a caller: the address, or the network of 64 bits that an IPv6 caller has for
    itself."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return host


def check_headers(headers: Headers) -> None:
    """Raises Problem 431 for too many or too long headers."""
    raw = headers.raw
    if len(raw) > HEADERS_MAX or sum(len(n) + len(v) for n, v in raw) > HEADER_BYTES_MAX:
        text = f"at most {HEADERS_MAX} headers of {HEADER_BYTES_MAX} bytes together"
        raise HttpProblem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, text, {"Connection": "close"})


async def read_whole(
    receive: Receive, headers: Headers, bytes_max: int, seconds: float
) -> bytes | None:
    """The body of a request; None where the caller went away.

    Raises Problem 413 for one beyond `bytes_max`, 415 for one that is packed, 408 for one that is
    not there in time. What is a little too much is read and forgotten, so that the caller hears
    why; on more than that the connection is closed.
    """
    refusal = _packed(headers)
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > bytes_max:
        refusal = _too_large(bytes_max)
        if int(declared) > bytes_max + FORGOTTEN_BYTES_MAX:
            raise _closing(refusal)
    body, count = bytearray(), 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return None
                part = message.get("body", b"")
                count += len(part)
                if count > bytes_max:
                    refusal = refusal or _too_large(bytes_max)
                    body.clear()
                if count > bytes_max + FORGOTTEN_BYTES_MAX:
                    raise _closing(refusal or _too_large(bytes_max))
                if refusal is None:
                    body += part
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        text = f"the request was not complete within {seconds:g} s"
        raise _closing(refusal or HttpProblem(HTTPStatus.REQUEST_TIMEOUT, text)) from None
    if refusal is not None:
        raise refusal
    return bytes(body)


def _packed(headers: Headers) -> HttpProblem | None:
    if headers.get("content-encoding", "identity").strip().lower() in ("", "identity"):
        return None
    text = "the body is compressed; send it without Content-Encoding"
    return HttpProblem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, text)


def _too_large(bytes_max: int) -> HttpProblem:
    text = f"a body may have at most {bytes_max} bytes"
    return HttpProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)


def _closing(problem: HttpProblem) -> HttpProblem:
    """The same, after which the connection is closed: the rest of the body is not read."""
    return HttpProblem(problem.status, problem.detail, {"Connection": "close"})


def replayed(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already, then whatever comes after it."""
    left = [body]

    async def replay() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return replay

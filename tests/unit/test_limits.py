"""Limits: buckets per key, and bodies that are too large, packed, slow or cut off."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from pointsman.api.limits import (
    HEADER_BYTES_MAX,
    HEADERS_MAX,
    KEYS_MAX,
    Buckets,
    Guesses,
    Rate,
    RequestLimits,
    address_key,
    check_headers,
    read_whole,
    replayed,
)
from pointsman.api.problems import HttpProblem


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def status(call: Callable[[], object]) -> int:
    try:
        call()
    except HttpProblem as problem:
        return problem.status.value
    return 200


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 12)), max_size=30))
def test_no_more_than_a_burst_and_the_rate_pass_in_any_time(turns: list[tuple[float, int]]) -> None:
    clock = Clock()
    buckets, passed = Buckets(Rate(5, 0.5), clock=clock), 0
    for seconds, asked in turns:
        clock.now += seconds
        passed += sum(status(lambda: buckets.take("a")) == 200 for _ in range(asked))
        assert passed <= 5 + (clock.now - 1000) * 0.5 + 1e-6


def test_whoever_is_refused_may_come_again_when_it_was_told_to() -> None:
    clock = Clock()
    buckets = Buckets(Rate(1, 0.1), clock=clock)
    buckets.take("a")
    buckets.take("b")
    with pytest.raises(HttpProblem) as refused:
        buckets.take("a")
    assert refused.value.headers == {"Retry-After": "10"}
    clock.now += 10
    buckets.take("a")
    assert status(lambda: buckets.take("a")) == 429


def test_a_million_addresses_are_not_remembered() -> None:
    buckets = Buckets(Rate(1, 1e-9))
    for number in range(KEYS_MAX + 10):
        buckets.take(str(number))
    assert len(buckets._levels) == KEYS_MAX
    assert status(lambda: buckets.take(str(KEYS_MAX))) == 429
    assert status(lambda: buckets.take("0")) == 200, "the oldest is forgotten"


def test_wrong_tokens_are_counted_for_each_one_and_in_all() -> None:
    guesses = Guesses(RequestLimits(same_guess=Rate(3, 1e-9), guesses=Rate(8, 1e-9)))
    assert [status(lambda: guesses.take("same")) for _ in range(5)] == [200] * 3 + [429] * 2
    others = [status(lambda n=n: guesses.take(f"guess-{n}")) for n in range(7)]  # type: ignore[misc]
    assert others == [200] * 5 + [429] * 2
    assert "same" not in str(vars(guesses._same)), "what was tried is not kept"


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_caller_is_its_network(host: str, key: str) -> None:
    assert address_key(host) == key


def test_headers_are_few_and_short() -> None:
    def many(count: int, length: int) -> Headers:
        return Headers(raw=[(b"x" * length, b"")] * count)

    assert status(lambda: check_headers(many(HEADERS_MAX, 10))) == 200
    assert status(lambda: check_headers(many(HEADERS_MAX + 1, 10))) == 431
    assert status(lambda: check_headers(many(1, HEADER_BYTES_MAX + 1))) == 431


def sending(*messages: Message) -> Receive:
    left = list(messages)

    async def receive() -> Message:
        if left:
            return left.pop(0)
        await asyncio.sleep(60)
        raise AssertionError("nobody waits that long")

    return receive


def chunk(body: bytes, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize(
    ("headers", "messages", "expected", "closes"),
    [
        ({}, [chunk(b"12345678")], 200, False),
        ({}, [chunk(b"1234", True), chunk(b"5678")], 200, False),
        ({"content-encoding": "identity"}, [chunk(b"")], 200, False),
        ({"content-length": "9"}, [chunk(b"123456789")], 413, False),
        ({"content-length": "1"}, [chunk(b"123456789")], 413, False),
        ({"content-length": "lies"}, [chunk(b"1234", True), chunk(b"56789")], 413, False),
        ({"content-encoding": "gzip"}, [chunk(b"1")], 415, False),
        ({"content-encoding": "identity, gzip"}, [chunk(b"1")], 415, False),
        ({"content-length": "99"}, [chunk(b"1", True)], 413, True),
        ({"content-encoding": "gzip"}, [chunk(b"1", True)], 415, True),
        ({"content-length": "2000000"}, [], 413, True),
        ({}, [chunk(b"x" * 70_000, True)] * 20, 413, True),
        ({}, [chunk(b"1234", True)], 408, True),
    ],
)
async def test_a_body_is_read_whole_within_its_limits(
    headers: dict[str, str], messages: list[Message], expected: int, closes: bool
) -> None:
    reading = read_whole(sending(*messages), Headers(headers), 8, 0.05)
    if expected == 200:
        assert await reading == b"".join(message["body"] for message in messages)
        return
    with pytest.raises(HttpProblem) as refused:
        await reading
    assert refused.value.status == expected
    assert refused.value.headers == ({"Connection": "close"} if closes else None)


async def test_a_caller_who_goes_away_has_no_body() -> None:
    gone: Message = {"type": "http.disconnect"}
    assert await read_whole(sending(chunk(b"1", True), gone), Headers(), 8, 1) is None


async def test_a_body_that_was_read_is_there_for_the_route_and_then_what_follows() -> None:
    gone: Message = {"type": "http.disconnect"}
    receive = replayed(b"123", sending(gone))
    assert [await receive(), await receive()] == [chunk(b"123"), gone]

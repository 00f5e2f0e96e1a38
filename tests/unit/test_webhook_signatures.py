"""Signed messages: a time that is signed, and nothing twice (F79)."""

import hmac
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import Request
from pydantic import SecretStr

from pointsman.api import webhook as module
from pointsman.api.problems import HttpProblem
from pointsman.api.webhook import Signatures, signed_path

NOW_S = 1_767_609_000
BODY = b'{"side": "buy"}'


def message(stamp: str | None, body: bytes = BODY, key: bytes = b"secret") -> Request:
    headers = []
    if stamp is not None:
        signed = hmac.digest(key, stamp.encode() + b"." + body, "sha256").hex()
        headers = [
            (b"x-pointsman-timestamp", stamp.encode()),
            (b"x-pointsman-signature", signed.encode()),
        ]
    return Request({"type": "http", "headers": headers})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return signed_path(tmp_path / "t.db")


def started(path: Path, at_s: int = NOW_S, told: Callable[[str], None] = print) -> Signatures:
    return Signatures(SecretStr("secret"), path, at_s * 10**9, told)


@pytest.fixture
def signatures(path: Path) -> Signatures:
    return started(path)


def status(signatures: Signatures, request: Request, body: bytes = BODY, at_s: int = NOW_S) -> int:
    try:
        signatures.check(request, body, at_s * 10**9)
    except HttpProblem as problem:
        return int(problem.status)
    return 200


@pytest.mark.parametrize(
    ("stamp", "wanted"),
    [
        (f"{NOW_S}", 200),
        (f"{NOW_S}.123456789", 200),
        (f"{NOW_S - 60}", 200),
        (f"{NOW_S + 60}", 200),
        (f"{NOW_S - 61}", 401),
        (f"{NOW_S + 61}", 401),
        (f"{NOW_S}000", 401),
        (f" {NOW_S}", 401),
        (f"{NOW_S}e0", 401),
        ("nan", 401),
        ("", 401),
        (None, 401),
    ],
)
def test_the_time_is_mandatory_and_of_this_minute(
    signatures: Signatures, stamp: str | None, wanted: int
) -> None:
    assert status(signatures, message(stamp)) == wanted


def test_what_was_changed_on_the_way_or_signed_by_another_is_refused(
    signatures: Signatures,
) -> None:
    stamp = str(NOW_S)
    assert status(signatures, message(stamp), b'{"side": "sell"}') == 401
    assert status(signatures, message(stamp, key=b"guess")) == 401
    restamped = message(stamp)
    restamped.scope["headers"][0] = (b"x-pointsman-timestamp", str(NOW_S + 1).encode())
    assert status(signatures, restamped) == 401
    unsigned = message(stamp)
    unsigned.scope["headers"].pop()
    assert status(signatures, unsigned) == 401
    odd = message(stamp)
    odd.scope["headers"][1] = (b"x-pointsman-signature", b"\xff\xfe")
    assert status(signatures, odd) == 401


def test_f79_a_captured_message_is_refused_within_the_window_and_after_it(
    signatures: Signatures,
) -> None:
    captured = message(str(NOW_S))
    assert status(signatures, captured) == 200
    assert [status(signatures, captured, at_s=NOW_S + s) for s in (0, 59, 60)] == [409] * 3
    assert status(signatures, captured, at_s=NOW_S + 61) == 401


def test_f79_two_honest_messages_that_are_alike_both_count(signatures: Signatures) -> None:
    assert status(signatures, message(f"{NOW_S}.1")) == 200
    assert status(signatures, message(f"{NOW_S}.2")) == 200


def test_what_is_remembered_is_bounded_and_no_replay_passes_for_it(
    signatures: Signatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REMEMBERED_MAX", 2)
    first = message(str(NOW_S))
    assert status(signatures, first) == 200
    assert status(signatures, message(str(NOW_S + 30))) == 200
    assert status(signatures, message(str(NOW_S + 1))) == 429
    assert status(signatures, first) == 409
    assert status(signatures, message(str(NOW_S + 61)), at_s=NOW_S + 61) == 200


def test_rule_57_what_came_within_the_window_is_known_after_a_restart(path: Path) -> None:
    captured, early = message(str(NOW_S)), message(str(NOW_S + 50))
    first = started(path)
    assert (status(first, captured), status(first, early)) == (200, 200)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open("a") as file:
        file.write("17676091")  # broke off
    again = started(path, NOW_S + 59)
    assert [status(again, each, at_s=NOW_S + 59) for each in (captured, early)] == [409, 409]
    assert status(again, message(str(NOW_S + 59)), at_s=NOW_S + 59) == 200
    last = started(path, NOW_S + 100)
    assert status(last, early, at_s=NOW_S + 100) == 409
    assert len(path.read_text().splitlines()) == 2, "what is over its time is not kept"
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_file_that_cannot_be_used_is_told_once_and_stops_no_message(tmp_path: Path) -> None:
    told: list[str] = []
    signatures = started(tmp_path / "gone" / "t.db.signed", told=told.append)
    assert [status(signatures, message(str(NOW_S + n))) for n in range(3)] == [200] * 3
    assert status(signatures, message(str(NOW_S))) == 409
    assert len(told) == 1
    assert "restart" in told[0]

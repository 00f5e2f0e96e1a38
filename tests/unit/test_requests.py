"""Requests: one spelling of each, as the control socket carries it, and what it refuses to read."""

from typing import get_args

import pytest

from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.requests import (
    AddAccount,
    AnyRequest,
    Assign,
    Flatten,
    Kill,
    MoveCash,
    Pause,
    Rearm,
    Reconcile,
    Refusal,
    Resume,
    Show,
    Watch,
    decode,
    encode,
)

SPELLED: list[tuple[AnyRequest, bytes]] = [
    (
        Kill(flatten=True, reason="fire", by="ann"),
        b'{"verb": "kill", "flatten": true, "reason": "fire", "by": "ann"}',
    ),
    (Rearm(reason="over", by="ann"), b'{"verb": "rearm", "reason": "over", "by": "ann"}'),
    (
        Pause(va=None, reason="lunch", by="ann"),
        b'{"verb": "pause", "va": null, "reason": "lunch", "by": "ann"}',
    ),
    (
        Resume(va="VA001", reason="b\u00e4ck", by="ann"),
        b'{"verb": "resume", "va": "VA001", "reason": "b\\u00e4ck", "by": "ann"}',
    ),
    (
        Flatten(va="VA001", reason="x", by="ann"),
        b'{"verb": "flatten", "va": "VA001", "reason": "x", "by": "ann"}',
    ),
    (Reconcile(), b'{"verb": "reconcile"}'),
    (AddAccount(va="V", balance="5"), b'{"verb": "add_account", "va": "V", "balance": "5"}'),
    (MoveCash(va="V", amount="-5"), b'{"verb": "move_cash", "va": "V", "amount": "-5"}'),
    (
        Assign(va="V", symbol="XXX", quantity="3", reason="ours", by="ann"),
        b'{"verb": "assign", "va": "V", "symbol": "XXX", "quantity": "3", "reason": "ours", '
        b'"by": "ann"}',
    ),
    (Show(), b'{"verb": "picture"}'),
    (Watch(), b'{"verb": "watch"}'),
]


@pytest.mark.parametrize(("request_", "content"), SPELLED)
def test_a_request_is_written_and_read_in_one_spelling(
    request_: AnyRequest, content: bytes
) -> None:
    assert encode(request_) == content
    assert decode(content) == request_
    assert f'"verb": "{request_.verb}"' in content.decode()


def test_each_request_has_its_spelling_here() -> None:
    assert {type(request) for request, _ in SPELLED} == {*get_args(AnyRequest)}


def test_a_kill_needs_nothing_but_its_verb() -> None:
    assert decode(b'{"verb": "kill"}') == Kill(flatten=False, reason="", by="unknown")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"verb":"pause","va":null,"reason":"x","by":"y","extra":1}', "unknown field `extra`"),
        (b'{"verb":"pause","reason":"x","by":"y"}', "missing required field `va`"),
        (
            b'{"verb":"dance"}',
            "verbs: kill, rearm, pause, resume, flatten, reconcile, add_account, move_cash, "
            "assign, picture, watch",
        ),
    ],
)
def test_what_is_no_request_is_refused_as_bad_usage(content: bytes, says: str) -> None:
    with pytest.raises(Refusal, match=says) as refusal:
        decode(content)
    assert refusal.value.exit_code is ExitCode.USAGE


def test_an_argument_that_is_no_utf_8_is_sent_and_refused_by_the_engine() -> None:
    content = encode(Pause(va="\udcff", reason="x", by="ann"))
    assert content == b'{"verb": "pause", "va": "\\udcff", "reason": "x", "by": "ann"}'
    with pytest.raises(Refusal):
        decode(content)

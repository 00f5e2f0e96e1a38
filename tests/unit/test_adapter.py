"""The seam to one venue: what is not known says what the venue answered."""

import asyncio
from typing import Any

import pytest

from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Access, Adapter, Call, Incomplete
from pointsman.venues.outcome import Answer, Proof, Stage, interpret
from tests.scripted_adapter import ScriptedAdapter


def test_key_and_secret_are_not_shown() -> None:
    access = Access(
        key="PKTEST",
        secret="hush",
        is_sandbox=True,
        position_mode=PositionMode.NET,
        symbols=("AAPL",),
    )
    assert "PKTEST" not in repr(access)
    assert "hush" not in f"{access!s} {access!r} {[access]}"


def test_what_could_not_be_read_keeps_the_ruling_on_the_answer() -> None:
    adapter: Adapter = ScriptedAdapter()
    refused = interpret(adapter.table, Stage.QUERY, Answer(status=401, body="no such key"))

    async def read(_call: Call) -> Any:
        raise Incomplete(refused.told, refused)

    with pytest.raises(Incomplete, match="no such key") as raised:
        asyncio.run(adapter.open_orders(read))
    assert raised.value.ruling is not None
    assert raised.value.ruling.outcome is Proof.KEY_REFUSED

"""What a venue trades is asked again and again, and what is new is told (RULES 48)."""

import asyncio
from decimal import Decimal

import pytest
from msgspec.structs import replace

from pointsman.domain.market import Instrument
from pointsman.venues import instrument_watch
from pointsman.venues.adapter import Call, Incomplete
from tests.scripted_adapter import ScriptedAdapter

X = Instrument("X", Decimal("0.01"), Decimal(1), Decimal(1), Decimal(0), "USD")
Y = replace(X, symbol="Y")
FINER = replace(X, tick=Decimal("0.001"))


async def test_only_what_is_new_is_told_and_what_could_not_be_read_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(instrument_watch, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(instrument_watch, "AGAIN_SECONDS", 0.0)
    adapter, told = ScriptedAdapter(), list[tuple[Instrument, ...]]()
    answers: list[dict[str, Instrument] | Incomplete] = [
        {"X": X, "Y": Y},
        Incomplete("half a page"),
        {"X": FINER},
        {"X": FINER, "Y": Y},
        {},
    ]
    everything = asyncio.Event()

    async def read(_: Call) -> None:
        answer = answers.pop(0)
        if not answers:
            everything.set()
            await asyncio.Event().wait()
        if isinstance(answer, Incomplete):
            raise answer
        adapter.traded = answer

    watch = instrument_watch.watch_instruments(adapter, read, {"X": X}, told.append)
    task = asyncio.create_task(watch)
    await asyncio.wait_for(everything.wait(), 10)
    task.cancel()
    assert told == [(Y,), (FINER,)]

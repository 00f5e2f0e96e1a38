"""Whole engines of a cluster, at the loopback Bybit and on a real NATS server."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pointsman.cluster.errors import DeskOwned, NotOwner
from pointsman.domain.client_order_ids import parse_client_order_id
from pointsman.engine.embedded import EngineStopped
from pointsman.engine.joining import health_of, joining, watched
from pointsman.execution.outbox import StorageHeld
from tests.integration.clusters import connected, new_desk, rows_of, settings_for, streamed
from tests.integration.linear_engine import BUY, trading
from tests.nats_server import NEEDS_NATS, NatsServer
from tests.optional import NEEDS_CCXT
from tests.unit.interrupted import IDENTITY
from tests.venue_servers.bybit import BybitServer

pytestmark = [NEEDS_NATS, NEEDS_CCXT]


@pytest.fixture
def venue() -> Iterator[BybitServer]:
    with BybitServer(key="K", secret="S") as started:
        yield started


def test_an_engine_of_one_machine_joins_nothing() -> None:
    assert joining(settings_for("", "main"), None) is None
    assert joining(settings_for("nats://127.0.0.1:9", "main"), IDENTITY) is None
    assert (watched(None), health_of(None)) == ((), {})


@pytest.mark.parametrize("replication", ["sync", "async"])
async def test_journal_and_stream_are_alike_and_ids_tell_the_owner(
    nats: NatsServer, venue: BybitServer, tmp_path: Path, replication: str
) -> None:
    given = {"REPLICATE_TO": nats.url, "REPLICATION": replication, "DESK": new_desk()}
    for epoch in (1, 2):
        async with trading(venue, tmp_path, **given) as engine:
            await engine.hold()
            await engine.close()
        ids = [parse_client_order_id(each.client_id) for each in venue.account.orders.values()]
        assert [each.epoch for each in ids if each is not None][-3:] == [epoch] * 3
    with connected(nats.url) as connection:
        assert streamed(connection, given["DESK"]) == rows_of(tmp_path / "t.db")


async def test_a_desk_has_one_engine(nats: NatsServer, venue: BybitServer, tmp_path: Path) -> None:
    given = {"REPLICATE_TO": nats.url, "DESK": new_desk(), "LEASE_SECONDS": "2"}
    (tmp_path / "other").mkdir()
    async with trading(venue, tmp_path, **given):
        with pytest.raises(DeskOwned):
            async with trading(venue, tmp_path / "other", **given):
                pass


async def test_without_its_servers_nothing_is_decided_and_soon_the_engine_ends(
    venue: BybitServer, tmp_path: Path
) -> None:
    """In sync nothing is told that is not copied; and what may be sent without being durable, a
    stop or an exit, is not sent either once the lease is over."""
    sent: list[str] = []

    async def trade(own: NatsServer) -> None:
        given = {"REPLICATE_TO": own.url, "LEASE_SECONDS": "4"}
        async with trading(venue, tmp_path, **given) as engine:
            await engine.hold()
            own.kill()
            sent.extend(each.route for each in venue.requests)
            with pytest.raises(StorageHeld):
                await engine.signal(**BUY)
            while True:
                with suppress(StorageHeld):
                    await engine.signal(**BUY)
                await asyncio.sleep(0.05)

    with NatsServer(tmp_path / "nats") as own, pytest.raises(EngineStopped) as stopped:
        await trade(own)
    assert isinstance(stopped.value.__cause__, NotOwner)
    after = [each.route for each in venue.requests[len(sent) :]]
    assert not {"create", "stop"} & {*after}

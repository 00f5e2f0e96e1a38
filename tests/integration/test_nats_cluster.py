"""Three NATS servers: one may die, whichever it is, and the owner stays and loses nothing; without
two of them it decides nothing, and soon ends. Elections take ten seconds, so this is not for every
run of the tests."""

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pointsman.cluster.connection import Connection
from pointsman.cluster.errors import ClusterUnreachable, NotOwner
from pointsman.cluster.journal_stream import stream_name
from pointsman.engine.embedded import EngineStopped
from pointsman.execution.outbox import StorageHeld
from tests.integration.clusters import SECONDS, connected, rows_of, settings_for, streamed
from tests.integration.linear_engine import BUY, CLOSE, Trading, trading
from tests.nats_server import NEEDS_NATS, PATIENCE_SECONDS, NatsCluster
from tests.optional import NEEDS_CCXT
from tests.venue_servers.bybit import BybitServer

pytestmark = [
    NEEDS_NATS,
    NEEDS_CCXT,
    pytest.mark.skipif(
        "CLUSTER_ROUNDS" not in os.environ, reason="takes minutes: make cluster-test"
    ),
]
GIVEN = {"LEASE_SECONDS": "15", "REPLICATION": "sync"}


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsCluster]:
    with NatsCluster(tmp_path / "nats") as started:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            assert time.monotonic() < until
            with suppress(ClusterUnreachable), connected(started.url) as connection:
                connection.ask(connection.stream_api.account_info(), SECONDS)
                break
            time.sleep(0.2)
        yield started


def leader(connection: Connection, stream: str) -> int:
    """The number of the server that leads a stream, all of whose copies are there."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        assert time.monotonic() < until
        with suppress(ClusterUnreachable):
            found = connection.ask(connection.stream_api.stream_info(stream), SECONDS)
            cluster = found.cluster
            if (
                cluster is not None
                and cluster.leader
                and all(each.current for each in cluster.replicas or ())
            ):
                assert found.config.num_replicas == 3
                return int(cluster.leader.removeprefix("n"))
        time.sleep(0.2)


async def decides_again(engine: Trading) -> float:
    """How long until a signal is decided."""
    began = time.monotonic()
    while True:
        assert time.monotonic() - began < PATIENCE_SECONDS
        try:
            await engine.signal(**CLOSE)
        except StorageHeld:
            await asyncio.sleep(0.05)
        else:
            return time.monotonic() - began


@pytest.mark.timeout(300)
async def test_any_one_of_three_servers_may_die(nats: NatsCluster, tmp_path: Path) -> None:
    with BybitServer(key="K", secret="S") as venue:
        venue.behave(orders_per_second=1000, queries_per_second=1000)
        async with trading(venue, tmp_path, REPLICATE_TO=nats.url, **GIVEN) as engine:
            for stream in (stream_name("main"), "KV_POINTSMAN"):
                with connected(nats.url) as connection:
                    dies = nats.servers[leader(connection, stream)]
                dies.kill()
                assert await decides_again(engine) < 13
                await engine.hold()
                await engine.close()
                dies.start()
            with connected(nats.url) as connection:
                leader(connection, "KV_POINTSMAN")
        with connected(nats.url) as connection:
            assert streamed(connection, "main") == rows_of(tmp_path / "t.db")


@pytest.mark.timeout(300)
async def test_without_two_of_three_nothing_is_decided_and_the_owner_ends(
    nats: NatsCluster, tmp_path: Path
) -> None:
    sent: list[int] = []

    async def trade(venue: BybitServer) -> None:
        async with trading(venue, tmp_path, REPLICATE_TO=nats.url, **GIVEN) as engine:
            await engine.hold()
            sent.append(len(venue.account.orders))
            for server in nats.servers[:2]:
                server.kill()
            while True:
                with pytest.raises(StorageHeld):
                    await engine.signal(**BUY)
                await asyncio.sleep(0.1)

    with BybitServer(key="K", secret="S") as venue:
        with pytest.raises(EngineStopped) as stopped:
            await trade(venue)
        assert isinstance(stopped.value.__cause__, NotOwner)
        assert [len(venue.account.orders)] == sent
        for server in nats.servers[:2]:
            server.start()
        with connected(nats.url) as connection:
            for stream in (stream_name("main"), "KV_POINTSMAN"):
                leader(connection, stream)
        async with trading(venue, tmp_path, REPLICATE_TO=nats.url, **GIVEN) as engine:
            await engine.close()


def test_settings_name_several_servers() -> None:
    urls = "nats://10.0.0.1:4222,nats://10.0.0.2:4222"
    given = settings_for(urls, "main").replicate_to
    assert given is not None
    assert given.get_secret_value() == urls

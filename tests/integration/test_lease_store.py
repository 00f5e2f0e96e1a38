"""The key of a lease on a real server: it is changed from what was seen, and from nothing else."""

from collections.abc import Iterator

import pytest

from pointsman.cluster.bucket import BUCKET, Changed
from pointsman.cluster.connection import Connection
from pointsman.cluster.errors import WrongStream
from pointsman.cluster.lease import LeaseRecord, SeenLease
from pointsman.cluster.lease_store import LeaseStore
from tests.integration.clusters import SECONDS, connected, new_desk
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


@pytest.fixture
def connection(nats: NatsServer) -> Iterator[Connection]:
    with connected(nats.url) as made:
        yield made


def record(desk: str, epoch: int) -> LeaseRecord:
    return LeaseRecord(desk=desk, holder="h", token=f"t{epoch}", epoch=epoch, length_ns=5)


def test_one_of_two_gets_it_and_no_older_revision_replaces_it(connection: Connection) -> None:
    desk = new_desk()
    one, two = LeaseStore(connection, desk), LeaseStore(connection, desk)
    for store in (one, two):
        connection.ask(store.open(), SECONDS)
    assert connection.ask(one.read(), SECONDS) is None
    first = connection.ask(one.write(record(desk, 1), 0), SECONDS)
    with pytest.raises(Changed):
        connection.ask(two.write(record(desk, 2), 0), SECONDS)
    assert connection.ask(two.read(), SECONDS) == SeenLease(record(desk, 1), first)
    second = connection.ask(two.write(record(desk, 2), first), SECONDS)
    with pytest.raises(Changed):
        connection.ask(one.write(record(desk, 1), first), SECONDS)
    assert connection.ask(one.read(), SECONDS) == SeenLease(record(desk, 2), second)


def test_what_is_no_lease_is_refused(connection: Connection) -> None:
    desk = new_desk()
    store = LeaseStore(connection, desk)
    connection.ask(store.open(), SECONDS)

    async def spoil() -> None:
        bucket = await connection.stream_api.key_value(BUCKET)
        await bucket.put(f"lease.{desk}", b"{}")

    connection.ask(spoil(), SECONDS)
    with pytest.raises(WrongStream, match="is not what pointsman writes there"):
        connection.ask(store.read(), SECONDS)

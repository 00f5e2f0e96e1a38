"""Keys with records: written from what was seen, or over everything; listed by what they are."""

from pathlib import Path

import pytest

from pointsman.cluster.bucket import BucketKey, Changed, names_of, open_bucket
from pointsman.cluster.fleet_kill import FleetKill
from tests.integration.clusters import SECONDS, connected
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


def test_a_key_is_written_from_what_was_seen_or_over_everything(tmp_path: Path) -> None:
    with NatsServer(tmp_path / "nats") as server, connected(server.url) as connection:
        bucket = connection.ask(open_bucket(connection), SECONDS)
        assert connection.ask(names_of(bucket, "kill."), SECONDS) == []
        key = BucketKey(bucket, "kill.b", FleetKill)
        assert connection.ask(key.read(), SECONDS) is None
        on, off = FleetKill(is_set=True), FleetKill(is_set=False)
        first = connection.ask(key.write(on, 0), SECONDS)
        assert connection.ask(key.put(off), SECONDS) > first
        with pytest.raises(Changed):
            connection.ask(key.write(on, first), SECONDS)
        found = connection.ask(key.read(), SECONDS)
        assert found is not None
        assert found[0] == off
        connection.ask(BucketKey(bucket, "kill.a", FleetKill).put(on), SECONDS)
        connection.ask(BucketKey(bucket, "other.c", FleetKill).put(on), SECONDS)
        assert connection.ask(names_of(bucket, "kill."), SECONDS) == ["a", "b"]
        again = connection.ask(open_bucket(connection), SECONDS)
        assert connection.ask(names_of(again, "other."), SECONDS) == ["c"]

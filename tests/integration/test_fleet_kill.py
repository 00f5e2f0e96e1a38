"""A kill of the fleet reaches an engine within a second, and binds the next one."""

import time
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.cluster.bucket import BucketKey
from pointsman.cluster.fleet import Fleet
from pointsman.cluster.fleet_kill import FleetKill, Obeyed
from pointsman.cluster.membership import join
from tests.integration.clusters import connected, database, settings_for
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


def test_a_kill_is_latched_within_a_second_and_before_anything_is_begun(tmp_path: Path) -> None:
    pressed: list[tuple[float, str]] = []

    def press(kill: FleetKill) -> bool:
        pressed.append((time.monotonic(), kill.reason))
        return True

    with (
        NatsServer(tmp_path / "nats") as nats,
        connected(nats.url) as connection,
        database(tmp_path / "t.db", 1) as manager,
    ):
        settings = settings_for(nats.url, "main")
        with closing(join(settings, manager, 0)) as member:
            member.obey_fleet(press)
            told = Fleet(connection)
            assert told.desks() == ["main"]
            asked = time.monotonic()
            done = told.kill(["main"], FleetKill(is_set=True, reason="first"))
            assert done["main"]["ok"] is True
            assert pressed[0][0] - asked < 1
        assert [reason for _, reason in pressed] == ["first"]
        with closing(join(settings, manager, 0)) as member:
            member.obey_fleet(press)
            assert [reason for _, reason in pressed] == ["first", "first"]
            done = told.kill(["main"], FleetKill(is_set=False))
            assert done["main"]["ok"] is True
        assert len(pressed) == 2


def test_what_was_obeyed_is_told_though_the_servers_fail_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the engine that obeys nor the person who waits for it gives up at once."""
    pressed: list[str] = []
    faults = {"put": 1, "read": 1}
    put, read = BucketKey.put, BucketKey.read

    def fail(kind: str) -> None:
        faults[kind] -= 1
        if faults[kind] >= 0:
            raise TimeoutError

    async def fails_to_put(key: BucketKey[Obeyed], record: Obeyed) -> int:
        if isinstance(record, Obeyed):
            fail("put")
        return await put(key, record)

    async def fails_to_read(key: BucketKey[Obeyed]) -> tuple[Obeyed, int] | None:
        if key._kind is Obeyed:
            fail("read")
        return await read(key)

    def press(kill: FleetKill) -> bool:
        pressed.append(kill.reason)
        return True

    monkeypatch.setattr(BucketKey, "put", fails_to_put)
    monkeypatch.setattr(BucketKey, "read", fails_to_read)
    with (
        NatsServer(tmp_path / "nats") as nats,
        connected(nats.url) as connection,
        database(tmp_path / "t.db", 1) as manager,
        closing(join(settings_for(nats.url, "main"), manager, 0)) as member,
    ):
        member.obey_fleet(press)
        done = Fleet(connection).kill(["main"], FleetKill(is_set=True, reason="first"))
        assert done["main"]["ok"] is True
    assert pressed == ["first"]
    assert max(faults.values()) < 0, "both have failed once, and were tried again"

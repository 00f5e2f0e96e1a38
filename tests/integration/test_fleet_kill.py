"""A kill of the fleet reaches an engine within a second, and binds the next one."""

import time
from contextlib import closing
from pathlib import Path

from pointsman.cluster.fleet import Fleet
from pointsman.cluster.fleet_kill import FleetKill
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

"""Desks asked at once, on a real server: each answers for itself, and a silent one is named. A
release does not undo a kill that came in between."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.cluster import fleet as asking
from pointsman.cluster.bucket import BucketKey
from pointsman.cluster.fleet import Fleet
from pointsman.cluster.fleet_kill import FleetKill, kill_of
from pointsman.cluster.membership import join
from tests.integration.clusters import SECONDS, connected, database, settings_for
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with NatsServer(tmp_path / "nats") as started:
        yield started


def test_each_desk_answers_for_itself_and_a_silent_one_is_named(
    server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 0.5)
    with (
        connected(server.url) as connection,
        database(tmp_path / "a.db", 1) as one,
        database(tmp_path / "b.db", 1) as two,
        closing(join(settings_for(server.url, "one"), one, 0)) as member,
    ):
        join(settings_for(server.url, "two"), two, 0).close()
        member.answer_requests(lambda content: b'{"ok": true, "heard": "%b"}' % content)
        fleet = Fleet(connection)
        assert fleet.desks() == ["one", "two"]
        answers = fleet.ask(fleet.desks(), b"hello")
        assert answers["one"] == {"ok": True, "heard": "hello"}
        assert answers["two"] == asking.NO_ANSWER
        leases = fleet.leases(fleet.desks())
        assert [leases[desk].is_released for desk in ("one", "two")] == [False, True]


def test_a_rearm_does_not_undo_a_kill_that_came_in_between(
    server: NatsServer, tmp_path: Path
) -> None:
    again = FleetKill(is_set=True, reason="again")
    with (
        connected(server.url) as connection,
        connected(server.url) as other,
        database(tmp_path / "a.db", 1) as manager,
        closing(join(settings_for(server.url, "one"), manager, 0)) as member,
    ):
        member.obey_fleet(lambda _kill: True)
        fleet, fast = Fleet(connection), Fleet(other)
        assert fleet.kill(["one"], FleetKill(is_set=True))["one"]["ok"] is True

        def rearmed(_content: bytes) -> bytes:
            fast.kill(["one"], again)
            return b'{"ok": true}'

        member.answer_requests(rearmed)
        answers = fleet.rearm(["one"], b"rearm", FleetKill(is_set=False))
        assert answers["one"]["error"] == "the fleet was killed again meanwhile"
        found = connection.ask(kill_of(fleet._bucket, "one").read(), SECONDS)
        assert found is not None
        assert found[0] == again


def test_a_rearm_that_would_not_last_is_not_called_done(
    server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine is rearmed, and the servers keep the kill: it binds the next start."""
    failing = ["kill.one"]
    write = BucketKey.write

    async def fails_to_write(key: BucketKey[FleetKill], record: FleetKill, revision: int) -> int:
        if key._key in failing:
            raise TimeoutError
        return await write(key, record, revision)

    monkeypatch.setattr(BucketKey, "write", fails_to_write)
    with (
        connected(server.url) as connection,
        database(tmp_path / "a.db", 1) as one,
        database(tmp_path / "b.db", 1) as two,
        closing(join(settings_for(server.url, "one"), one, 0)) as first,
        closing(join(settings_for(server.url, "two"), two, 0)) as second,
    ):
        for member in (first, second):
            member.obey_fleet(lambda _kill: True)
            member.answer_requests(lambda _content: b'{"ok": true}')
        fleet = Fleet(connection)
        fleet.kill(["one", "two"], FleetKill(is_set=True))
        answers = fleet.rearm(["one", "two"], b"rearm", FleetKill(is_set=False))
        assert "killed again at its next start" in answers["one"]["error"]
        assert answers["two"]["ok"] is True
        found = connection.ask(kill_of(fleet._bucket, "two").read(), SECONDS)
        assert found is not None
        assert not found[0].is_set
        failing.clear()
        assert fleet.rearm(["one"], b"rearm", FleetKill(is_set=False))["one"]["ok"] is True


def test_there_may_be_no_desks(server: NatsServer) -> None:
    with connected(server.url) as connection:
        assert Fleet(connection).desks() == []

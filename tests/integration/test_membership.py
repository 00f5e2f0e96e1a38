"""Joining a cluster, on a real server: who gets a desk, with which database, and when it may
send."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pointsman.cluster import connection
from pointsman.cluster.errors import ClusterUnreachable, DeskOwned, NotOwner, WrongStream
from pointsman.cluster.membership import Membership, join
from pointsman.config.settings import Settings
from pointsman.storage.sqlite_manager import SqliteManager
from tests.integration.clusters import database, grow, new_desk, settings_for
from tests.nats_server import NEEDS_NATS, PATIENCE_SECONDS, NatsServer
from tests.unit.stored_samples import turn

pytestmark = NEEDS_NATS


@contextmanager
def member(settings: Settings, manager: SqliteManager) -> Iterator[Membership]:
    joined = join(settings, manager, 0)
    try:
        yield joined
    finally:
        joined.close()


def begin(joined: Membership, manager: SqliteManager) -> None:
    grow(manager, 1)
    joined.begin(manager.head)


def test_nothing_may_be_sent_before_the_first_row_is_copied(
    nats: NatsServer, tmp_path: Path
) -> None:
    settings = settings_for(nats.url, new_desk())
    with database(tmp_path / "t.db") as manager, member(settings, manager) as joined:
        assert (joined.epoch, joined.has_taken_over, joined.is_alive) == (1, False, True)
        assert not joined.may_send()
        begin(joined, manager)
        assert joined.may_send()
        joined.require()
    assert not joined.may_send()
    with pytest.raises(NotOwner, match="released"):
        joined.require()


def test_what_was_released_is_the_next_ones_at_once(nats: NatsServer, tmp_path: Path) -> None:
    settings = settings_for(nats.url, new_desk(), LEASE_SECONDS="30")
    with database(tmp_path / "t.db") as manager:
        for epoch in (1, 2, 3):
            with member(settings, manager) as joined:
                assert (joined.epoch, joined.has_taken_over) == (epoch, False)
                begin(joined, manager)
                assert joined.may_send()


def test_a_desk_whose_owner_lives_is_refused(nats: NatsServer, tmp_path: Path) -> None:
    settings = settings_for(nats.url, new_desk())
    with (
        database(tmp_path / "t.db") as manager,
        database(tmp_path / "u.db") as other,
        member(settings, manager),
        pytest.raises(DeskOwned, match="stop that engine first"),
    ):
        join(settings, other, 0)


def test_an_owner_that_is_gone_is_waited_out_and_its_epoch_is_over(
    nats: NatsServer, tmp_path: Path
) -> None:
    """It stands still, as far as the cluster can see: its thread has ended without a release."""
    settings = settings_for(nats.url, new_desk())
    with database(tmp_path / "t.db") as manager, ExitStack() as closing:
        gone = join(settings, manager, 0)
        closing.callback(gone.close)
        begin(gone, manager)
        began = time.monotonic()
        gone._connection.close()
        with member(settings, manager) as joined:
            assert time.monotonic() - began > 1.5
            assert not gone.may_send()
            assert (joined.epoch, joined.has_taken_over) == (2, True)
            begin(joined, manager)
            assert joined.may_send()


def test_a_server_that_is_gone_ends_the_ownership_in_time(tmp_path: Path) -> None:
    is_lost = threading.Event()
    with (
        NatsServer(tmp_path / "nats") as nats,
        database(tmp_path / "t.db") as manager,
        member(settings_for(nats.url, "main"), manager) as joined,
    ):
        joined.listen(lambda _why: is_lost.set())
        begin(joined, manager)
        nats.kill()
        assert is_lost.wait(PATIENCE_SECONDS)
        assert not joined.may_send()
        assert not joined.is_alive
        with pytest.raises(NotOwner, match="not renewed in time"):
            joined.require()


def test_a_database_and_a_stream_that_differ_do_not_come_together(
    nats: NatsServer, tmp_path: Path
) -> None:
    settings = settings_for(nats.url, new_desk())
    with database(tmp_path / "t.db", 2) as manager, member(settings, manager) as joined:
        begin(joined, manager)
    with (
        database(tmp_path / "short.db", 1) as short,
        pytest.raises(WrongStream, match=r"has 3 rows and .*short\.db 1: another engine"),
    ):
        join(settings, short, 0)
    with database(tmp_path / "foreign.db") as foreign:
        foreign.append([turn(1000 + number) for number in range(5)])
        with pytest.raises(WrongStream, match=r"row 3 of .* is another than in .*foreign\.db"):
            join(settings, foreign, 0)


def test_no_server_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.3)
    settings = settings_for("nats://me:secret@127.0.0.1:9", "main")
    with pytest.raises(ClusterUnreachable, match=r"^127\.0\.0\.1:9: ") as told:
        join(settings, None, 0)  # type: ignore[arg-type] # it is not asked for anything
    assert "secret" not in str(told.value)

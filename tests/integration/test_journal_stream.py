"""The journal as a stream, on a real server: what it takes, what it refuses, and who can tell."""

from collections.abc import Iterator
from typing import Any

import pytest
from nats.js import api

from pointsman.cluster.connection import Connection
from pointsman.cluster.errors import ClusterUnreachable, WrongStream
from pointsman.cluster.journal_stream import (
    JournalStream,
    Refused,
    message_of,
    row_of,
    stream_name,
    subject_of,
)
from pointsman.storage.entries import Head
from tests.integration.clusters import SECONDS, connected, made_rows, new_desk, streamed
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


@pytest.fixture
def connection(nats: NatsServer) -> Iterator[Connection]:
    with connected(nats.url) as made:
        yield made


def opened(connection: Connection, desk: str, epoch: int) -> JournalStream:
    stream = JournalStream(connection, desk, epoch)
    connection.ask(stream.open(), SECONDS)
    connection.ask(stream.last(), SECONDS)
    return stream


def test_a_message_is_what_the_hash_covers_and_its_id_is_the_hash() -> None:
    (row,) = made_rows(1)
    assert row_of(1, message_of(row), row[-1]) == row
    for number, data, told in (
        (2, message_of(row), row[-1]),
        (1, message_of(row)[:-1] + b" ", row[-1]),
        (1, message_of(row), None),
        (1, b"anything", row[-1]),
        (1, b"[1]\xff", row[-1]),
    ):
        with pytest.raises(WrongStream):
            row_of(number, data, told)


def test_rows_come_back_as_they_were_numbered_alike(connection: Connection) -> None:
    desk, rows = new_desk(), made_rows(300)
    stream = opened(connection, desk, 1)
    assert connection.ask(stream.last(), SECONDS) == Head(0, "")
    connection.ask(stream.publish(rows[:1]), SECONDS)
    connection.ask(stream.publish(rows[1:]), SECONDS)
    assert streamed(connection, desk) == rows
    assert connection.ask(stream.last(), SECONDS) == Head(300, rows[-1][-1])
    assert stream.copies == 1, "the server is alone"


def test_a_fork_is_refused_however_many_rows_are_under_way(connection: Connection) -> None:
    """The owner before sends rows 4 to 9 when the next owner has written row 4 already: without the
    condition on the owner's own rows, the server would take 5 to 9 behind the other's row 4."""
    desk, common = new_desk(), made_rows(3)
    before = opened(connection, desk, 1)
    connection.ask(before.publish(common), SECONDS)
    after = opened(connection, desk, 2)
    head = Head(3, common[-1][-1])
    theirs = made_rows(1, start=100, before=head)
    connection.ask(after.publish(theirs), SECONDS)
    with pytest.raises(Refused):
        connection.ask(before.publish(made_rows(6, start=200, before=head)), SECONDS)
    assert streamed(connection, desk) == common + theirs


def test_what_was_added_once_is_not_added_again(connection: Connection) -> None:
    desk, rows = new_desk(), made_rows(4)
    stream = opened(connection, desk, 1)
    connection.ask(stream.publish(rows), SECONDS)
    connection.ask(opened(connection, desk, 1).publish(made_rows(0) + rows[3:]), SECONDS)
    assert streamed(connection, desk) == rows


@pytest.mark.parametrize(
    "limit",
    [
        {"max_msgs": 100},
        {"max_bytes": 10_000},
        {"max_age": 60.0},
        {"max_msgs_per_subject": 1},
        {"retention": api.RetentionPolicy.WORK_QUEUE},
        {"subjects": ["elsewhere.*"]},
    ],
    ids=lambda limit: next(iter(limit)),
)
def test_a_stream_that_could_lose_rows_is_refused(
    connection: Connection, limit: dict[str, Any]
) -> None:
    desk = new_desk()
    given = {"subjects": [subject_of(desk, "*")], **limit}
    config = api.StreamConfig(name=stream_name(desk), **given)
    connection.ask(connection.stream_api.add_stream(config), SECONDS)
    with pytest.raises(WrongStream, match="not made by pointsman"):
        connection.ask(JournalStream(connection, desk, 1).open(), SECONDS)


def test_a_stream_that_has_lost_its_beginning_is_refused(connection: Connection) -> None:
    desk = new_desk()
    config = api.StreamConfig(name=stream_name(desk), subjects=[subject_of(desk, "*")])
    connection.ask(connection.stream_api.add_stream(config), SECONDS)
    stream = opened(connection, desk, 1)
    connection.ask(stream.publish(made_rows(3)), SECONDS)
    connection.ask(connection.stream_api.purge_stream(stream.name, keep=1), SECONDS)
    with pytest.raises(WrongStream, match="begins with message 3"):
        connection.ask(stream.last(), SECONDS)
    connection.ask(connection.stream_api.purge_stream(stream.name), SECONDS)
    with pytest.raises(WrongStream):
        connection.ask(stream.last(), SECONDS)


def test_nothing_of_it_can_be_deleted(connection: Connection) -> None:
    stream = opened(connection, new_desk(), 1)
    connection.ask(stream.publish(made_rows(3)), SECONDS)
    with pytest.raises(ClusterUnreachable, match="not permitted"):
        connection.ask(connection.stream_api.purge_stream(stream.name), SECONDS)
    assert connection.ask(stream.last(), SECONDS).sequence == 3

"""The rows of a stream in their order, from any place, as they come."""

from pointsman.cluster.connection import Connection
from pointsman.cluster.journal_stream import JournalStream
from pointsman.cluster.row_reader import ROWS_AT_ONCE, RowReader
from pointsman.storage.entries import Head, JournalRow
from tests.integration.clusters import SECONDS, connected, made_rows, new_desk
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


def test_every_row_comes_once_in_order_and_from_where_it_is_asked(nats: NatsServer) -> None:
    desk, rows = new_desk(), made_rows(2 * ROWS_AT_ONCE + 5)
    with connected(nats.url) as connection:
        stream = JournalStream(connection, desk, 1)
        connection.ask(stream.open(), SECONDS)
        connection.ask(stream.last(), SECONDS)
        connection.ask(stream.publish(rows), SECONDS)
        reader = RowReader(connection, desk)
        assert read(connection, reader, 0, len(rows)) == rows
        assert connection.ask(reader.next(len(rows), 0.05), SECONDS) == []
        more = made_rows(3, start=900, before=Head(len(rows), rows[-1][-1]))
        connection.ask(stream.publish(more), SECONDS)
        assert read(connection, reader, len(rows), 3) == more
        assert read(connection, reader, 7, 10)[:10] == rows[7:17]
        assert connection.ask(reader.next(10_000, 0.05), SECONDS) == []


def read(connection: Connection, reader: RowReader, after: int, least: int) -> list[JournalRow]:
    found: list[JournalRow] = []
    while len(found) < least:
        found += connection.ask(reader.next(after + len(found), 0.5), SECONDS)
    return found

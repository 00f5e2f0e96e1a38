"""Reads the rows of a desk's stream in their order, as fast as the servers give them.

Invariant: what is given is each row once, from the one that was asked for on, with its hash
checked; a gap is never passed over.
"""

from nats.js import api
from nats.js.client import JetStreamContext

from pointsman.cluster.connection import FAULTS, Connection
from pointsman.cluster.journal_stream import row_of, stream_name, subject_of
from pointsman.storage.entries import JournalRow

ROWS_AT_ONCE = 256
IDLE_SECONDS = 60.0  # not money: seconds
"""After so long without a question the servers forget the reader."""
_ID = api.Header.MSG_ID.value


class RowReader:
    """One reader. It belongs to the connection's thread."""

    def __init__(self, connection: Connection, desk: str) -> None:
        self._connection = connection
        self._desk = desk
        self._after = -1
        self._reading: JetStreamContext.PullSubscription | None = None

    async def next(self, after: int, seconds: float) -> list[JournalRow]:  # not money: seconds
        """The rows behind number `after` that are there or come in this time; none where none do.

        Raises WrongStream for what is no row, and what a connection can raise.
        """
        try:
            if self._reading is None or after != self._after:
                self._reading = await self._begin(after)
                self._after = after
            messages = await self._reading.fetch(ROWS_AT_ONCE, timeout=seconds)
        except TimeoutError:
            return []
        except FAULTS:
            self._reading = None
            raise
        rows: list[JournalRow] = []
        for message in messages:
            number = message.metadata.sequence.stream
            if number != self._after + 1:
                # Another question was answered in between, or the reader was made again.
                self._reading = None
                break
            rows.append(row_of(number, message.data, (message.headers or {}).get(_ID)))
            self._after = number
        return rows

    async def _begin(self, after: int) -> JetStreamContext.PullSubscription:
        if self._reading is not None:
            await self._reading.unsubscribe()
        return await self._connection.stream_api.pull_subscribe(
            subject_of(self._desk, "*"),
            stream=stream_name(self._desk),
            config=api.ConsumerConfig(
                deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=after + 1,
                ack_policy=api.AckPolicy.NONE,
                inactive_threshold=IDLE_SECONDS,
                mem_storage=True,
            ),
        )

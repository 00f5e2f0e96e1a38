"""The journal of a desk as a stream: one message for each row, numbered alike.

A message is the very text that the hash of its row covers, and its id is that hash; so who
reads it can tell whether it is what was written, and whether it follows the one before. Invariants:

* the number of a message is the sequence of its row. The server takes a row only as the next one
  (`Nats-Expected-Last-Sequence`), so a stream never forks;
* each owner writes under a subject of its own, which ends in its epoch, and the server takes a row
  only behind the owner's own last one (`Nats-Expected-Last-Subject-Sequence`). Any number of rows
  may be under way at once: if one of them is refused, all that follow it are, whatever another
  owner has written meanwhile. The acknowledgement of the last proves all of them;
* nothing can be deleted from the stream, and nothing in it expires.
"""

from collections.abc import Sequence

import msgspec
from nats.js import api
from nats.js.errors import APIError, BadRequestError, NotFoundError

from pointsman.cluster.connection import Connection
from pointsman.cluster.errors import WrongStream
from pointsman.storage.entries import Head, JournalRow, hashed_text, row_of_text

COPIES = 3
_ID = api.Header.MSG_ID.value
_AFTER = api.Header.EXPECTED_LAST_SEQUENCE.value
_AFTER_OWN = api.Header.EXPECTED_LAST_SUBJECT_SEQUENCE.value
_WRONG_LAST_SEQUENCE = (10071, 10164)
_NO_SUCH_CLUSTER = 10074
"""What a server says that is alone when it is asked for copies."""
DUPLICATES_SECONDS = 10.0  # not money: seconds


class Refused(Exception):
    """The stream does not end where the row would follow: somebody else has written to it, or it
    has lost rows."""


def stream_name(desk: str) -> str:
    """The stream of a desk."""
    return f"POINTSMAN-{desk}"


def subject_of(desk: str, epoch: int | str) -> str:
    """Where an owner writes; `*` for that of all of them."""
    return f"pointsman.journal.{desk}.{epoch}"


def message_of(row: JournalRow) -> bytes:
    """What is sent of a row."""
    sequence, time_ns, kind, payload, previous, _ = row
    return hashed_text(previous, sequence, time_ns, kind, payload.encode())


def row_of(number: int, data: bytes, message_id: str | None) -> JournalRow:
    """The row in a message. Raises WrongStream for what is none, or is not in its place."""
    try:
        row = row_of_text(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise WrongStream(f"message {number} of the stream is no row of a journal") from None
    if row[0] != number or row[-1] != message_id:
        raise WrongStream(f"message {number} of the stream is not what was written there")
    return row


class JournalStream:
    """The stream of one desk, as the owner with this epoch writes it. It belongs to the
    connection's thread."""

    def __init__(self, connection: Connection, desk: str, epoch: int) -> None:
        self.name = stream_name(desk)
        self.copies = 0
        self._connection = connection
        self._desk = desk
        self._subject = subject_of(desk, epoch)
        self._own_last = 0

    async def is_there(self) -> bool:
        """Whether the stream has been made."""
        try:
            await self._connection.stream_api.stream_info(self.name)
        except NotFoundError:
            return False
        return True

    async def open(self) -> None:
        """Make the stream, if there is none. Raises WrongStream where there is one that could lose
        rows."""
        try:
            found = await self._connection.stream_api.stream_info(self.name)
        except NotFoundError:
            try:
                found = await self._make(COPIES)
            except APIError as error:
                if error.err_code != _NO_SUCH_CLUSTER:
                    raise
                found = await self._make(1)
        self.copies = found.config.num_replicas or 1
        if fault := _could_lose(found.config, subject_of(self._desk, "*")):
            raise WrongStream(f"stream {self.name} {fault}; it was not made by pointsman")

    async def _make(self, copies: int) -> api.StreamInfo:
        """Raises APIError where it cannot be made."""
        return await self._connection.stream_api.add_stream(
            api.StreamConfig(
                name=self.name,
                description="journal of a desk of pointsman",
                subjects=[subject_of(self._desk, "*")],
                storage=api.StorageType.FILE,
                discard=api.DiscardPolicy.NEW,
                num_replicas=copies,
                duplicate_window=DUPLICATES_SECONDS,
                deny_delete=True,
                deny_purge=True,
            )
        )

    async def last(self) -> Head:
        """Where the stream ends; sequence 0 where it is empty. Raises WrongStream."""
        found = await self._connection.stream_api.stream_info(self.name)
        sequence = found.state.last_seq
        if sequence == 0:
            self._own_last = 0
            return Head(0, "")
        if found.state.first_seq != 1:
            raise WrongStream(
                f"stream {self.name} begins with message {found.state.first_seq}: what was before"
                " is lost, and no database can be made from it"
            )
        row = await self.row(sequence)
        self._own_last = await self._last_of_own()
        return Head(sequence, row[-1])

    async def row(self, sequence: int) -> JournalRow:
        """One row. Raises WrongStream where it is not there."""
        try:
            message = await self._connection.stream_api.get_msg(self.name, sequence)
        except NotFoundError:
            raise WrongStream(f"stream {self.name} has lost message {sequence}") from None
        return row_of(sequence, message.data or b"", (message.headers or {}).get(_ID))

    async def _last_of_own(self) -> int:
        try:
            message = await self._connection.stream_api.get_last_msg(self.name, self._subject)
        except NotFoundError:
            return 0
        return message.seq or 0

    async def publish(self, rows: Sequence[JournalRow]) -> None:
        """Add rows; returns when the last is acknowledged, which proves them all.

        Raises Refused where they do not follow, and what a connection can raise: then nothing is
        known, and `last` says where the stream ends.
        """
        *before, last = rows
        for row in before:
            await self._connection.client.publish(
                self._subject, message_of(row), headers=self._headers(row)
            )
        try:
            done = await self._connection.stream_api.publish(
                self._subject, message_of(last), headers=self._headers(last)
            )
        except BadRequestError as error:
            if error.err_code in _WRONG_LAST_SEQUENCE:
                raise Refused(str(error.description)) from None
            raise
        if done.seq != last[0] or done.stream != self.name:
            raise Refused(f"row {last[0]} has become message {done.seq} of {done.stream}")

    def _headers(self, row: JournalRow) -> dict[str, str]:
        sequence = row[0]
        own_before, self._own_last = self._own_last, sequence
        return {_ID: row[-1], _AFTER: str(sequence - 1), _AFTER_OWN: str(own_before)}


def _could_lose(config: api.StreamConfig, subjects: str) -> str:
    """Why a stream could lose rows, or hold others; empty where it cannot."""
    limits = (config.max_msgs, config.max_bytes, config.max_msgs_per_subject)
    if config.subjects != [subjects]:
        return f"takes {config.subjects} in place of {subjects}"
    if any(limit not in (None, -1, 0) for limit in limits) or config.max_age:
        return "has a limit, beyond which it forgets"
    if config.retention not in (None, api.RetentionPolicy.LIMITS):
        return "forgets what was read"
    return ""

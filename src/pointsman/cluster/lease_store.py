"""The leases of all desks, in one key-value bucket.

A key is changed only from the revision that the writer has seen. Nothing in the bucket expires by
the servers' clocks, which may be stepped: how old a lease is, each engine finds out by its own
(`lease`).
"""

import msgspec
from nats.js import api
from nats.js.errors import (
    APIError,
    BucketNotFoundError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
)
from nats.js.kv import KeyValue

from pointsman.cluster.connection import Connection
from pointsman.cluster.errors import WrongStream
from pointsman.cluster.journal_stream import COPIES
from pointsman.cluster.lease import LeaseRecord, SeenLease

BUCKET = "POINTSMAN"


class Changed(Exception):
    """The lease has another revision than the one that was to be replaced."""


class LeaseStore:
    """The lease of one desk. It belongs to the connection's thread."""

    _bucket: KeyValue

    def __init__(self, connection: Connection, desk: str) -> None:
        self._connection = connection
        self._key = f"lease.{desk}"

    async def open(self) -> None:
        """Make the bucket, if there is none."""
        try:
            self._bucket = await self._connection.stream_api.key_value(BUCKET)
        except BucketNotFoundError:
            try:
                self._bucket = await self._make(COPIES)
            except APIError:
                # It is alone, or another has made the bucket meanwhile.
                self._bucket = await self._make(1)

    async def _make(self, copies: int) -> KeyValue:
        return await self._connection.stream_api.create_key_value(
            api.KeyValueConfig(
                bucket=BUCKET,
                description="leases of the desks of pointsman",
                storage=api.StorageType.FILE,
                replicas=copies,
            )
        )

    async def read(self) -> SeenLease | None:
        """The lease as it stands; None where there is none. Raises WrongStream for what is no
        lease."""
        try:
            entry = await self._bucket.get(self._key)
        except KeyNotFoundError:
            return None
        try:
            record = msgspec.json.decode(entry.value or b"", type=LeaseRecord)
        except msgspec.MsgspecError as error:
            raise WrongStream(f"{self._key} in bucket {BUCKET} is no lease: {error}") from None
        return SeenLease(record, entry.revision or 0)

    async def write(self, record: LeaseRecord, revision: int) -> int:
        """Put a record in the place of that revision, 0 where there is none; the new revision.
        Raises Changed."""
        text = msgspec.json.encode(record)
        try:
            if revision:
                return int(await self._bucket.update(self._key, text, last=revision))
            return int(await self._bucket.create(self._key, text))
        except KeyWrongLastSequenceError:
            raise Changed from None

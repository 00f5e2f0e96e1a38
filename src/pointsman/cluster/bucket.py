"""The one key-value bucket of a cluster: leases, and the fleet's kills.

Nothing in it expires, since that would go by the servers' clocks, which may be stepped. A key is a
record as JSON.
"""

from typing import Generic, TypeVar

import msgspec
from nats.js import api
from nats.js.errors import (
    APIError,
    BucketNotFoundError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
    NoKeysError,
)
from nats.js.kv import KeyValue

from pointsman.cluster.connection import Connection
from pointsman.cluster.errors import WrongStream
from pointsman.cluster.journal_stream import COPIES

BUCKET = "POINTSMAN"

R = TypeVar("R", bound=msgspec.Struct)


class Changed(Exception):
    """The key has another revision than the one that was to be replaced."""


async def open_bucket(connection: Connection) -> KeyValue:
    """The bucket, made if there is none."""
    try:
        return await connection.stream_api.key_value(BUCKET)
    except BucketNotFoundError:
        try:
            return await _make(connection, COPIES)
        except APIError:
            # The server is alone, or another engine has made the bucket meanwhile.
            return await _make(connection, 1)


async def _make(connection: Connection, copies: int) -> KeyValue:
    return await connection.stream_api.create_key_value(
        api.KeyValueConfig(
            bucket=BUCKET,
            description="leases and kills of the desks of pointsman",
            storage=api.StorageType.FILE,
            replicas=copies,
        )
    )


async def names_of(bucket: KeyValue, prefix: str) -> list[str]:
    """What follows `prefix` in the keys that begin so, sorted."""
    try:
        found = await bucket.keys()
    except NoKeysError:
        return []
    return sorted(key.removeprefix(prefix) for key in found if key.startswith(prefix))


class BucketKey(Generic[R]):
    """One key, whose value is a record of this kind. It belongs to the connection's thread."""

    def __init__(self, bucket: KeyValue, key: str, kind: type[R]) -> None:
        self._bucket = bucket
        self._key = key
        self._kind = kind

    async def read(self) -> tuple[R, int] | None:
        """The record as it stands and its revision; None where there is none. Raises WrongStream
        for what is no such record."""
        try:
            entry = await self._bucket.get(self._key)
        except KeyNotFoundError:
            return None
        try:
            record = msgspec.json.decode(entry.value or b"", type=self._kind)
        except msgspec.MsgspecError as error:
            told = f"{self._key} in bucket {BUCKET} is not what pointsman writes there"
            raise WrongStream(f"{told}: {error}") from None
        return record, int(entry.revision or 0)

    async def write(self, record: R, revision: int) -> int:
        """Put a record in the place of that revision, 0 where there is none; the new revision.
        Raises Changed."""
        text = msgspec.json.encode(record)
        try:
            if revision:
                return int(await self._bucket.update(self._key, text, last=revision))
            return int(await self._bucket.create(self._key, text))
        except KeyWrongLastSequenceError:
            raise Changed from None

    async def put(self, record: R) -> int:
        """Put a record, whatever stands there; its revision."""
        return int(await self._bucket.put(self._key, msgspec.json.encode(record)))

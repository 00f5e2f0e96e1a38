"""The lease of a desk, where all engines see it: a key that is changed only from the revision that
the writer has seen. How old a lease is, each engine finds out by its own clock (`lease`).
"""

from nats.js.kv import KeyValue

from pointsman.cluster.bucket import BucketKey, open_bucket
from pointsman.cluster.connection import Connection
from pointsman.cluster.lease import LeaseRecord, SeenLease

LEASES = "lease."
"""What the keys of leases begin with."""


def lease_of(bucket: KeyValue, desk: str) -> BucketKey[LeaseRecord]:
    """The key that says who owns a desk."""
    return BucketKey(bucket, f"{LEASES}{desk}", LeaseRecord)


class LeaseStore:
    """The lease of one desk. It belongs to the connection's thread."""

    bucket: KeyValue
    _key: BucketKey[LeaseRecord]

    def __init__(self, connection: Connection, desk: str) -> None:
        self._connection = connection
        self._desk = desk

    async def open(self) -> None:
        """Make the bucket, if there is none."""
        self.bucket = await open_bucket(self._connection)
        self._key = lease_of(self.bucket, self._desk)

    async def read(self) -> SeenLease | None:
        """The lease as it stands; None where there is none. Raises WrongStream for what is no
        lease."""
        found = await self._key.read()
        return None if found is None else SeenLease(*found)

    async def write(self, record: LeaseRecord, revision: int) -> int:
        """Put a record in the place of that revision, 0 where there is none; the new revision.
        Raises Changed."""
        return await self._key.write(record, revision)

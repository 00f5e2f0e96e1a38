"""What the newest start journaled: the policy with the venue's abilities and instruments."""

import sqlite3

import msgspec

from pointsman.domain.events import Started
from pointsman.domain.policy import Policy
from pointsman.storage import queries
from pointsman.storage.entries import event_of


def read_start(connection: sqlite3.Connection) -> Started | None:
    """The newest start; None before the first, and where another version wrote it differently."""
    for time_ns, kind, payload in queries.rows(connection, queries.NEWEST_START):
        try:
            event = event_of(time_ns, kind, payload)
        except msgspec.DecodeError:
            return None
        return event if isinstance(event, Started) else None
    return None


def read_policy(connection: sqlite3.Connection) -> Policy | None:
    """The policy of the newest start, as `read_start` finds it."""
    started = read_start(connection)
    return None if started is None else started.policy

"""What keeps a copy of the journal elsewhere, as storage sees it: all that the two know of each
other. Where there is none, nothing of this is used."""

from typing import Protocol

from pointsman.storage.entries import Head


class Replica(Protocol):
    """A copy of the journal that follows what is durable here."""

    def follow(self, head: Head) -> None:
        """Told, on the writer's thread, that the journal is durable here up to `head`. Returns when
        that may be told: at once, or where a turn counts as durable only with its copy, when the
        copy is acknowledged.

        Raises StorageFailed where that takes too long: the same may be asked again. Anything else
        that it raises is final.
        """

"""The lease of a desk: who may send for it, and until when. Pure: time and answers come in.

The lease is one key in a store that changes it only from the revision that the writer has seen. Two
engines never both may send, whatever pauses, delays and clocks do:

* an owner counts its time from before it asked for the newest renewal that was granted, and sends
  until SENDS_PART of the length is over, by its own clock;
* another takes the lease only from a revision that it has itself seen unchanged for the whole
  length, by its own clock, counted from after it had read it. The owner had asked for that revision
  before it could be read; so its time was over first. A renewal that is granted later changes the
  revision, and the taking is refused.

No two clocks need to agree. Only their rates must, better than SENDS_PART: a second of one is not
shorter than nine tenths of a second of the other.
"""

from fractions import Fraction

import msgspec

SENDS_PART = Fraction(9, 10)
RENEW_PART = Fraction(1, 5)


class LeaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the store. `token` is drawn by each engine that takes it, `holder` and
    `address` are for people. A lease that is released is nobody's at once."""

    desk: str
    holder: str
    token: str
    epoch: int
    length_ns: int
    is_released: bool = False
    address: str = ""


class SeenLease(msgspec.Struct, frozen=True):
    """The record as it was read, and its revision."""

    record: LeaseRecord
    revision: int


class Tenure:
    """One engine's time as an owner. Once it is over it never comes back. `asked_ns` is always the
    time before a request that was granted had left."""

    def __init__(
        self, record: LeaseRecord, revision: int, asked_ns: int, *, has_taken_over: bool = False
    ) -> None:
        """`has_taken_over`: an owner was before that has not released it."""
        self.has_taken_over = has_taken_over
        self.record = record
        self.revision = revision
        self.over = ""
        """Why it is over; empty while it is not known to be."""
        self._asked_ns = asked_ns

    @property
    def until_ns(self) -> int:
        """When it is over unless it is renewed."""
        return self._asked_ns + int(self.record.length_ns * SENDS_PART)

    def may_send(self, now_ns: int) -> bool:
        """Whether something may leave now."""
        if not self.over and now_ns >= self.until_ns:
            self.end("it was not renewed in time: no server answered, or this process stood still")
        return not self.over

    def renew_at_ns(self) -> int:
        """When to ask for the next renewal."""
        return self._asked_ns + int(self.record.length_ns * RENEW_PART)

    def renewed(self, revision: int, asked_ns: int) -> None:
        """A renewal that was asked for at `asked_ns` was granted."""
        self.revision = revision
        self._asked_ns = max(self._asked_ns, asked_ns)

    def end(self, why: str) -> None:
        """It is over, for good."""
        self.over = self.over or why


class Claim:
    """An engine that waits for the lease to lapse."""

    def __init__(self) -> None:
        self._seen: SeenLease | None = None
        self._since_ns = 0

    @property
    def seen(self) -> SeenLease | None:
        """The lease as it was last read."""
        return self._seen

    def saw(self, lease: SeenLease | None, answered_ns: int) -> None:
        """The lease was read, and the answer came at `answered_ns`; None where there is none."""
        known = None if self._seen is None else self._seen.revision
        if (None if lease is None else lease.revision) != known:
            self._since_ns = answered_ns
        self._seen = lease

    def wait_ns(self, now_ns: int) -> int:
        """For how long it must be seen unchanged still before it may be taken; 0 now."""
        if self._seen is None or self._seen.record.is_released:
            return 0
        return max(0, self._since_ns + self._seen.record.length_ns - now_ns)

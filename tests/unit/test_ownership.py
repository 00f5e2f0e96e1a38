"""Requests about the lease whose answers are lost: what is found out later, and what is concluded.

The whole of it is tried in test_cluster_lease.py; these are the single steps."""

from typing import Any

import pytest

from pointsman.cluster.bucket import Changed
from pointsman.cluster.lease import LeaseRecord, SeenLease, Tenure
from pointsman.cluster.ownership import Ownership, Taking, whose

LENGTH_NS = 10_000
WANTED = LeaseRecord(desk="main", holder="here", token="ours", epoch=0, length_ns=LENGTH_NS)
THEIRS = LeaseRecord(desk="main", holder="there", token="theirs", epoch=7, length_ns=LENGTH_NS)


class Store:
    """Takes everything, and loses the answers that it is told to lose."""

    def __init__(self, lease: SeenLease | None = None) -> None:
        self.lease = lease
        self.loses_answer = False

    async def read(self) -> SeenLease | None:
        return self.lease

    async def write(self, record: LeaseRecord, revision: int) -> int:
        if revision != (self.lease.revision if self.lease else 0):
            raise Changed
        self.lease = SeenLease(record, revision + 1)
        if self.loses_answer:
            raise TimeoutError
        return revision + 1


class LateStore(Store):
    """The first write takes effect only when the second comes."""

    late: tuple[LeaseRecord, int] | None = None

    async def write(self, record: LeaseRecord, revision: int) -> int:
        if self.late is None:
            self.late = (record, revision)
            raise TimeoutError
        late, self.late = self.late, (record, revision)
        await super().write(*late)
        return await super().write(record, revision)


class Clock:
    now = 0

    def __call__(self) -> int:
        return self.now


def taking(store: Any, clock: Clock) -> Taking:
    return Taking(store, WANTED, clock)


async def test_a_free_lease_is_taken_with_the_next_epoch() -> None:
    tenure = await taking(Store(), Clock()).take(0)
    assert tenure is not None
    assert (tenure.record.epoch, tenure.has_taken_over) == (1, False)


async def test_one_that_is_held_is_taken_after_its_length_and_the_epoch_rises() -> None:
    clock = Clock()
    trying = taking(Store(SeenLease(THEIRS, 4)), clock)
    assert await trying.take(0) is None
    clock.now = LENGTH_NS - 1
    assert await trying.take(0) is None
    clock.now = LENGTH_NS
    tenure = await trying.take(0)
    assert tenure is not None
    assert (tenure.record.epoch, tenure.revision, tenure.has_taken_over) == (8, 5, True)


async def test_a_taking_without_an_answer_is_found_and_counts_from_its_asking() -> None:
    store, clock = Store(SeenLease(THEIRS, 4)), Clock()
    trying = taking(store, clock)
    await trying.look()
    clock.now = LENGTH_NS
    store.loses_answer = True
    with pytest.raises(TimeoutError):
        await trying.take(0)
    clock.now = LENGTH_NS + 500
    tenure = await trying.take(0)
    assert tenure is not None
    assert tenure.until_ns == LENGTH_NS + LENGTH_NS * 9 // 10
    assert tenure.has_taken_over


async def test_a_taking_that_arrives_after_the_next_was_asked_counts_from_its_own_asking() -> None:
    store, clock = LateStore(SeenLease(THEIRS, 4)), Clock()
    trying = taking(store, clock)
    await trying.look()
    clock.now = LENGTH_NS
    with pytest.raises(TimeoutError):
        await trying.take(0)
    clock.now = LENGTH_NS + 2_000
    assert await trying.take(0) is None
    tenure = await trying.take(0)
    assert tenure is not None
    assert tenure.until_ns == LENGTH_NS + LENGTH_NS * 9 // 10


async def test_a_renewal_without_an_answer_is_found_and_another_owner_ends_it() -> None:
    store, clock = Store(), Clock()
    tenure = await taking(store, clock).take(0)
    assert tenure is not None
    given: Any = store
    ownership = Ownership(given, tenure, clock)
    store.loses_answer = True
    clock.now = 2_000
    await ownership._renew()
    assert (tenure.revision, tenure.until_ns) == (1, 9_000)
    store.loses_answer = False
    await ownership._renew()
    assert (tenure.revision, tenure.until_ns) == (2, 9_000)
    await ownership._renew()
    assert (tenure.revision, tenure.until_ns) == (3, 11_000)
    store.lease = SeenLease(THEIRS, 9)
    await ownership._renew()
    assert tenure.over == "there (epoch 7) has it now"
    assert not ownership.may_send()


async def test_a_release_frees_the_lease_and_ends_the_tenure_even_without_an_answer() -> None:
    store, clock = Store(), Clock()
    tenure = await taking(store, clock).take(0)
    assert tenure is not None
    given: Any = store
    store.loses_answer = True
    ownership = Ownership(given, tenure, clock)
    await ownership.release()
    assert not ownership.may_send()
    assert store.lease is not None
    assert store.lease.record.is_released
    store.loses_answer = False
    assert await taking(store, clock).take(0) is not None


async def test_what_is_over_is_told_once_and_released_never() -> None:
    store, clock = Store(SeenLease(THEIRS, 9)), Clock()
    given: Any = store
    ownership = Ownership(given, Tenure(WANTED, 3, 0), clock)
    told: list[str] = []
    ownership.tell = told.append
    clock.now = LENGTH_NS
    await ownership.keep()
    await ownership.release()
    assert len(told) == 1
    assert store.lease == SeenLease(THEIRS, 9)
    assert whose(SeenLease(THEIRS, 9)) == "there (epoch 7)"

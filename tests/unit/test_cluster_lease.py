"""Two owners never send: what the lease promises, tried in a world that does its worst."""

import os
from collections.abc import Callable

import pytest

from pointsman.cluster import lease
from pointsman.cluster.lease import Claim, LeaseRecord, SeenLease, Tenure
from tests.lease_simulation import World, refuted

SEEDS = int(os.environ.get("LEASE_SEEDS", "12"))
SECOND_NS = 10**9
RECORD = LeaseRecord(desk="main", holder="a", token="t", epoch=1, length_ns=10 * SECOND_NS)


def world(seed: int) -> World:
    made = World(seed)
    made.run(120)
    return made


@pytest.mark.parametrize("seed", range(SEEDS))
def test_two_owners_never_send(seed: int) -> None:
    seen = world(seed)
    assert refuted(seen.sent) is None
    assert seen.owners > 1
    assert len(seen.sent) > 50


def counted_from_the_answer(patch: pytest.MonkeyPatch) -> None:
    """A renewal counts from when its answer is there."""

    def renewed(tenure: Tenure, revision: int, asked_ns: int) -> None:
        tenure.revision = revision
        tenure._asked_ns = asked_ns + 5 * SECOND_NS

    patch.setattr(Tenure, "renewed", renewed)


def taken_too_early(patch: pytest.MonkeyPatch) -> None:
    """The lease is taken as soon as it is seen."""
    patch.setattr(Claim, "wait_ns", lambda _claim, _now_ns: 0)


def sent_too_long(patch: pytest.MonkeyPatch) -> None:
    """An owner sends for longer than others wait."""
    patch.setattr(lease, "SENDS_PART", 2)


def raised_from_the_dead(patch: pytest.MonkeyPatch) -> None:
    """An owner whose time is over sends all the same."""
    patch.setattr(Tenure, "may_send", lambda _tenure, _now_ns: True)


@pytest.mark.parametrize(
    "fault", [counted_from_the_answer, taken_too_early, sent_too_long, raised_from_the_dead]
)
def test_the_simulation_refutes_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[[pytest.MonkeyPatch], None]
) -> None:
    fault(monkeypatch)
    assert any(refuted(world(seed).sent) is not None for seed in range(12))


def test_an_owner_counts_from_before_it_asked_and_never_comes_back() -> None:
    tenure = Tenure(RECORD, 1, 0)
    assert tenure.may_send(9 * SECOND_NS - 1)
    tenure.renewed(2, 5 * SECOND_NS)
    assert tenure.may_send(14 * SECOND_NS - 1)
    assert not tenure.may_send(14 * SECOND_NS)
    tenure.renewed(3, 15 * SECOND_NS)
    assert not tenure.may_send(15 * SECOND_NS)


def test_an_answer_that_overtakes_another_shortens_nothing() -> None:
    tenure = Tenure(RECORD, 1, 0)
    tenure.renewed(3, 6 * SECOND_NS)
    tenure.renewed(2, 5 * SECOND_NS)
    assert tenure.may_send(15 * SECOND_NS - 1)


def test_a_claim_waits_the_whole_length_after_each_change() -> None:
    claim = Claim()
    claim.saw(SeenLease(RECORD, 7), 100)
    claim.saw(SeenLease(RECORD, 7), 5 * SECOND_NS)
    assert claim.wait_ns(10 * SECOND_NS) == 100
    claim.saw(SeenLease(RECORD, 8), 11 * SECOND_NS)
    assert claim.wait_ns(11 * SECOND_NS) == 10 * SECOND_NS
    assert claim.wait_ns(21 * SECOND_NS) == 0


def test_what_is_released_or_was_never_held_is_free_at_once() -> None:
    claim = Claim()
    claim.saw(None, 5)
    assert claim.wait_ns(5) == 0
    freed = LeaseRecord(desk="main", holder="a", token="t", epoch=1, length_ns=10, is_released=True)
    claim.saw(SeenLease(freed, 9), 6)
    assert claim.wait_ns(6) == 0

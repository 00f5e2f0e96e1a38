"""A scenario: what all seeds of a simulation share, and what each draws of its own account.

Everything that a seed draws comes from streams of randomness that follow from its number, one for
each part of a run, so that one part that draws more does not change what another does.
"""

from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec

from pointsman.domain.policy import Abilities, Policy, PositionMode, ReduceOnlyMode, Reversal
from pointsman.domain.signals import Window
from pointsman.domain.timestamps import SECOND_NS
from pointsman.simulator.faults import Fault
from pointsman.simulator.strategies import HOUR_NS

BEGINS_NS = 1_767_623_400 * SECOND_NS
"""2026-01-05 14:30 UTC."""


class Scenario(msgspec.Struct, frozen=True):
    """What all seeds of a simulation share. `template` is a new database to begin from."""

    policy: Policy
    accounts: tuple[tuple[str, Decimal], ...]
    lasting_ns: int
    faults: tuple[Fault, ...]
    template: Path


class SessionHours:
    """One session that is open from the start on, but for a break in the middle where there is
    one."""

    def __init__(self, break_ns: tuple[int, int] | None) -> None:
        self._break_ns = break_ns

    def window_at(self, now_ns: int) -> Window:
        if self._break_ns is None:
            return Window(BEGINS_NS - HOUR_NS, BEGINS_NS + 1_000 * HOUR_NS)
        closes_ns, opens_ns = self._break_ns
        if now_ns < closes_ns:
            return Window(BEGINS_NS - HOUR_NS, closes_ns)
        return Window(opens_ns, BEGINS_NS + 1_000 * HOUR_NS)

    def day_start_ns(self, _now_ns: int) -> int:
        return BEGINS_NS - HOUR_NS


def policy_of(policy: Policy, random: Random) -> Policy:
    """The limits of the settings; what kind of account these say it is each seed draws."""
    return msgspec.structs.replace(
        policy,
        instruments={},
        position_mode=random.choice(list(PositionMode)),
        reduce_only_mode=random.choice(list(ReduceOnlyMode)),
        limits=msgspec.structs.replace(policy.limits, reversal=random.choice(list(Reversal))),
    )


def draw_abilities(random: Random) -> Abilities:
    """What a venue can do, and states of itself, in any combination. How it keeps holdings may be
    left to the settings."""
    mode = random.choice((None, *PositionMode))
    reduce_only = random.choice((None, *ReduceOnlyMode))
    forbids = random.randrange(6)
    return Abilities(
        position_mode=mode,
        reduce_only=reduce_only,
        entry_beside_stop=forbids not in (0, 1),
        stop_beside_entry=forbids not in (0, 2),
        tells_triggered=random.randrange(3) > 0,
        requests_end_with_session=random.randrange(3) == 0,
        request_expiry_ns=random.choice((None, None, 6 * SECOND_NS, 9 * SECOND_NS)),
        takes_requests_in_order=False,
    )


def stream(seed: int, name: str) -> Random:
    """A source of randomness of its own for one part of a run: the same in every process."""
    return Random(f"{seed}/{name}")  # noqa: S311 - a simulation, no secret

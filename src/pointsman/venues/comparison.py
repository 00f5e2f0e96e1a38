"""A comparison at a real venue: several answers become the state of one moment (RULES 47).

A venue has no snapshot. Fills, open orders, holdings and fills again are asked for; nothing new in
between makes them the state of the moment of the first question. Else it is incomplete, says what
could not be read, and nothing may be concluded from it.
"""

from collections.abc import Callable

from pointsman.domain.events import ChargePaid
from pointsman.domain.venue_reports import Snapshot
from pointsman.venues.adapter import Adapter, Incomplete, Read

COMPARISON_TRIES = 3


async def compare(
    adapter: Adapter, read: Read, cursor: str, now_ns: Callable[[], int], heard: Callable[[], int]
) -> Snapshot:
    """Compare from `cursor` on. `heard` counts what the account's stream has told."""
    asked_at_ns = now_ns()
    missing = f"something happened during each of {COMPARISON_TRIES} tries"
    charges: dict[str, ChargePaid] = {}
    for _ in range(COMPARISON_TRIES):
        taken_at_ns, heard_before = now_ns(), heard()
        try:
            history = await adapter.history(read, cursor)
            orders = await adapter.open_orders(read)
            holdings = await adapter.holdings(read)
            again = await adapter.history(read, history.cursor)
        except Incomplete as error:
            missing = str(error)
            break
        # Charges may be asked for seldom: what one try has shown is not asked for by the next.
        charges |= {each.charge_id: each for each in (*history.charges, *again.charges)}
        if again.trades or again.fundings or heard() != heard_before:
            continue
        return Snapshot(
            asked_at_ns=asked_at_ns,
            taken_at_ns=taken_at_ns,
            open_orders=orders,
            trades=history.trades,
            holdings=holdings,
            fills_cursor=again.cursor,
            fundings=history.fundings,
            charges=tuple(charges.values()),
        )
    return Snapshot(
        asked_at_ns=asked_at_ns,
        taken_at_ns=asked_at_ns,
        open_orders=(),
        trades=(),
        holdings=(),
        fills_cursor=cursor,
        is_complete=False,
        missing=missing,
    )

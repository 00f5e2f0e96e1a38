"""What an engine begins with: its desk, and what the records of an earlier start say of where to
continue."""

from collections.abc import Callable

from pointsman.domain.policy import Policy
from pointsman.engine.open_venue import InstrumentOf
from pointsman.execution.desk import Desk
from pointsman.execution.loading import DeskRecords
from pointsman.execution.ports import Venue
from pointsman.storage.entries import RunIdentity
from pointsman.storage.queries import StoredRecords


def signals_from(stored: StoredRecords) -> Callable[[str], int]:
    """The last line of a source of signals that was taken in."""
    cursors = {cursor.source: cursor.line for cursor in stored.cursors}
    return lambda source: cursors.get(source, 0)


def instrument_of(policy: Policy, stored: StoredRecords, desks: list[Desk]) -> InstrumentOf:
    """The instruments as the desk has them, once there is one: what is derived from quotes becomes
    finer (RULES 59)."""
    at_first = policy.with_steps(*stored.steps)
    return lambda symbol: (desks[0].books if desks else at_first).instrument(symbol)


def resume_ns(stored: StoredRecords, venue: Venue, identity: RunIdentity | None) -> int:
    """Where a start continues from. A recorded run does so at its last journaled time: what the
    ledger knows beyond that is the venue's answer to the first comparison (RULES 62)."""
    last_ns = stored.last_time_ns or 0
    return last_ns if identity is not None else max(last_ns, venue.known_until_ns())


def new_desk(policy: Policy, code: str, stored: StoredRecords) -> Desk:
    """A desk that continues from what is stored, or a new one."""
    if stored.desk is None:
        return Desk(policy, code)
    return Desk.load(policy, loaded_from(stored), stored.last_time_ns or 0)


def loaded_from(stored: StoredRecords) -> DeskRecords:
    """What storage holds, as the desk takes it."""
    return DeskRecords(
        desk=stored.desk,
        kill_switch=stored.kill_switch,
        accounts=stored.accounts,
        orders=stored.orders,
        positions=stored.positions,
        fill_keys=dict(stored.fill_keys),
        cash_moves=stored.unconfirmed_moves,
        cursors=stored.cursors,
        externals=stored.external_holdings,
        steps=stored.steps,
        entry_times=tuple(
            (va_id, at_ns) for va_id, times in stored.recent_entries_ns.items() for at_ns in times
        ),
    )

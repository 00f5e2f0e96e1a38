"""The picture of a database that no engine runs on: the same as an engine shows, from its records.

Time stands where the journal ends, and positions count at the last quotes that were stored.
"""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pointsman.domain.commands import Record
from pointsman.domain.timestamps import SECOND_NS
from pointsman.engine.kill_latch import latch_path, read_latch
from pointsman.engine.live_view import facts
from pointsman.engine.publisher import DECISIONS_KEPT, INCIDENTS_KEPT, Counts
from pointsman.engine.snapshot import EngineSnapshot, Marks
from pointsman.reading.price_decimals import PriceDecimals, read_price_decimals
from pointsman.storage import queries, reader

if TYPE_CHECKING:
    import sqlite3

    from pointsman.config.settings import Settings
    from pointsman.execution.execution_loop import ExecutionLoop

_COUNTS = (
    "SELECT (SELECT count(*) FROM decisions),"
    " (SELECT count(*) FROM decisions WHERE outcome = 'accepted'),"
    " (SELECT count(*) FROM fills), (SELECT count(*) FROM trades)"
)


def picture_from_database(database: Path, settings: "Settings") -> dict[str, Any]:
    """The picture that the records of a database give.

    Raises what `open_reader` raises.
    """
    with closing(reader.open_reader(database)) as connection:
        newest = queries.rows(connection, queries.LAST_TURN)
        marks = {mark.symbol: mark for mark in reader.marks(connection)}
        decimals = read_price_decimals(connection)
        picture = _loaded(connection, settings, marks.get, decimals)
    document = picture.document(newest[0][1] if newest else 0, read_latch(latch_path(database)))
    health = {
        "feed_age_ms": None,
        "compared_ago_ms": None,
        "commit_ms": None,
        "loop_lag_ms": "0",
        "storage": "ok",
    }
    known = facts(str(database), "database", "1", "", settings)
    return {**known, **document, "health": health}


def picture_to_follow(
    database: Path, settings: "Settings", loop: "ExecutionLoop"
) -> EngineSnapshot:
    """The picture of an engine that is about to start: what is stored. What changes from now on is
    merged into it, and positions count at the last valid quotes of its `loop`.

    Raises what `open_reader` raises.
    """

    def price_decimals(symbol: str) -> int:
        return loop.desk.books.policy.instrument(symbol).price_decimals

    with closing(reader.open_reader(database)) as connection:
        return _loaded(connection, settings, loop.view.quotes.last_valid, price_decimals)


def _loaded(
    connection: "sqlite3.Connection",
    settings: "Settings",
    marks: Marks,
    price_decimals: PriceDecimals,
) -> EngineSnapshot:
    picture = EngineSnapshot(
        marks, int(settings.protection_deadline_seconds * SECOND_NS), price_decimals
    )
    picture.load(stored_records(connection), stored_counts(connection))
    return picture


def stored_records(connection: "sqlite3.Connection") -> list[Record]:
    """The records that a picture begins with."""
    desk = reader.desk(connection)
    return [
        *reader.accounts(connection),
        *reader.positions(connection),
        *reader.orders(connection, open_only=True),
        reader.kill_switch(connection),
        *([] if desk is None else [desk]),
        *reader.signals(connection, DECISIONS_KEPT),
        *reader.decisions(connection, DECISIONS_KEPT),
        *reader.incidents(connection, INCIDENTS_KEPT),
    ]


def stored_counts(connection: "sqlite3.Connection") -> Counts:
    """How much there has been."""
    ((decisions, accepted, fills, trades),) = queries.rows(connection, _COUNTS)
    return Counts(decisions, accepted, decisions - accepted, fills, trades)

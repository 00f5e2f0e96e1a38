"""Lists of Bybit, read to their end: pages, and windows of seven days.

Invariants:

* a page that is full, and cannot be followed by another one, makes the answer Incomplete; a short
  one is asked to be followed too, because only an empty page, or no cursor, says that it was the
  last;
* the list of executions lags behind, so it is read again from a minute before it was last asked,
  and what was given before is left out: the cursor of our history names it.
"""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Call, History, Incomplete, Read
from pointsman.venues.bybit.requests import TIME, executions_call
from pointsman.venues.bybit.rows import (
    Row,
    funding_of,
    in_order,
    is_funding,
    is_settled_in_coin,
    list_of,
    result_of,
    text,
    time_ms,
    trade_of,
)

PAGES_MAX = 500
WEEK_MS = 7 * 24 * 3600 * 1000
LAG_MS = 60_000
"""How late an execution may appear in the list of executions."""


async def read_list(read: Read, call: Call, key: Callable[[Row], Any]) -> tuple[list[Row], int]:
    """All rows of a list, each once by its `key`, and when the venue gave the first page."""
    rows: dict[Any, Row] = {}
    asked, first_ms = call, 0
    for _ in range(PAGES_MAX):
        body = await read(asked)
        page, first_ms = list_of(body), first_ms or time_ms(body)
        fresh = {key(row): row for row in page if key(row) not in rows}
        rows |= fresh
        cursor = result_of(body).get("nextPageCursor")
        if not cursor or not page:
            return list(rows.values()), first_ms
        if not fresh:
            if len(page) >= call.params.get("limit", len(page)):
                raise Incomplete(f"{call.route}: a full page was followed by the same one")
            return list(rows.values()), first_ms
        asked = replace(call, params={**call.params, "cursor": cursor})
    raise Incomplete(f"{call.route} has more than {PAGES_MAX} pages")


async def read_executions(
    read: Read, since_ms: int, until_ms: int | None = None, client_order_id: str = ""
) -> tuple[list[Row], int]:
    """Executions, of one order or of all, in the order in which they happened, from `since_ms` on;
    and until when, by the venue's clock, they are complete but for what lags. `until_ms` is when
    the last of them happened, where that is known."""
    rows: dict[str, Row] = {}
    while True:
        call = executions_call(since_ms, client_order_id)
        found, asked_ms = await read_list(read, call, execution_id)
        rows |= {execution_id(row): row for row in found}
        since_ms += WEEK_MS
        if since_ms > (asked_ms if until_ms is None else min(until_ms, asked_ms)):
            return sorted(rows.values(), key=in_order), asked_ms


def execution_id(row: Row) -> str:
    return text(row, "execId")


async def read_history(read: Read, cursor: str, mode: PositionMode) -> History:
    """What happened at the account since the cursor; where it is empty, from now on. A cursor is
    the time to read from, and the executions after it that were given."""
    if not cursor:
        return History(cursor=str(time_ms(await read(TIME))))
    since, *given = cursor.split()
    if not since.isdigit():
        raise Incomplete(f"this is no cursor of Bybit: {cursor}")
    rows, asked_ms = await read_executions(read, int(since))
    rows = [row for row in rows if is_settled_in_coin(row)]
    fresh = [row for row in rows if row["execId"] not in given]
    next_ms = max(int(since), asked_ms - LAG_MS)
    kept = [row["execId"] for row in rows if int(row["execTime"]) >= next_ms]
    return History(
        trades=tuple(trade_of(row, mode) for row in fresh if not is_funding(row)),
        fundings=tuple(funding_of(row) for row in fresh if is_funding(row)),
        cursor=" ".join([str(next_ms), *kept]),
    )

"""The kill switch: latched, released only by a person, pressed also by the machine itself.

The machine presses it only after several consecutive readings that agree, never on one bad one.
"""

from decimal import Decimal

import msgspec

from pointsman.domain.accounts import KillState
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO, plain, shown_ratio
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import SECOND_NS, in_seconds
from pointsman.execution.books import Books
from pointsman.execution.figures import daily_loss, drawdown
from pointsman.execution.incidents import note_incident
from pointsman.execution.pricing import HUNDRED
from pointsman.execution.protection import close_position
from pointsman.execution.reversal import refuse_opening

replace = msgspec.structs.replace

LIMIT_READINGS = 3
"""This many readings in a row beyond GLOBAL_MAX_DRAWDOWN_PERCENTAGE or GLOBAL_MAX_DAILY_LOSS, each
by newer quotes of all that is held, press the kill switch (RULES 64)."""

NAKED_READINGS = 3
"""This many readings in a row, one a second, of a position that has been naked for longer than
KILL_ON_NAKED_SECONDS press it."""

STANDS_NS = 10 * SECOND_NS
"""A quote still newest after this long is real, not a glitch."""


def press(books: Books, state: KillState, by: str, note: str, now_ns: int) -> None:
    """Latch the kill switch. A flatten is never weakened to a halt."""
    switch = books.kill_switch
    if KillState.FLATTEN in (switch.state, state):
        state = KillState.FLATTEN
    if state is not switch.state:
        books.put_kill_switch(
            replace(
                switch,
                state=state,
                changed_at_ns=now_ns,
                changed_by=by,
                note=note,
                flat_at_ns=None,
            )
        )
        note_incident(books, now_ns, Reason.KILL_PRESSED, value=state.value, detail=f"{by}: {note}")
    books.look_again_at_entries()
    if state is KillState.FLATTEN:
        close_everything(books, None, now_ns)


def close_everything(books: Books, va_id: str | None, now_ns: int) -> None:
    """Decide to exit all positions, of one VA or of all, and to open nothing that waits."""
    for waiting in list(books.openings) if va_id is None else [va_id]:
        if waiting in books.openings:
            refuse_opening(books, waiting, Reason.FLATTEN.sentence, now_ns)
    for position in list(books.positions.values()):
        if position.is_live and va_id in (None, position.va_id):
            close_position(books, position, Reason.FLATTEN)


def sample_total(
    books: Books, equity: Decimal, marks: tuple[Quote, ...], day_start_ns: int, now_ns: int
) -> None:
    """Look at the equity of all VAs together: raise its peak, and trip the kill switch when a
    global limit is broken in several readings in a row, each by newer quotes (RULES 17, 19)."""
    policy = books.policy
    if policy.global_max_drawdown_percentage is None and policy.global_max_daily_loss is None:
        return
    roll_total_day(books, equity, day_start_ns)
    desk, note = books.desk, _global_breach(books, equity)
    if desk.breach_readings == 0:
        books.this_run.clear_breach_marks()
    is_fresh = _is_fresh(books, marks, now_ns)
    readings = desk.breach_readings + is_fresh if note else 0
    if note and is_fresh:
        books.this_run.note_breach_marks(marks)
    changed = replace(desk, peak_equity=max(desk.peak_equity, equity), breach_readings=readings)
    if changed != desk:
        books.put_desk(changed)
    if readings == LIMIT_READINGS != desk.breach_readings:
        press(books, KillState.HALT, "governor", note, now_ns)


def _is_fresh(books: Books, marks: tuple[Quote, ...], now_ns: int) -> bool:
    """Whether every mark is newer than at the last reading that counted, or has stood for so long
    that it is no flicker: one bad quote that stays the newest for a while is one reading."""
    seen = books.this_run.breach_marks
    return all(
        mark.ts_ns > seen.get(mark.symbol, -1) or now_ns - mark.ts_ns > STANDS_NS for mark in marks
    )


def roll_total_day(books: Books, equity: Decimal, day_start_ns: int) -> None:
    """Begin a new trading day for all VAs together: what they are worth now is what is measured
    from."""
    if books.policy.global_max_daily_loss is not None and day_start_ns > books.desk.day_start_ns:
        books.put_desk(
            replace(
                books.desk,
                day_start_ns=day_start_ns,
                day_start_equity=equity,
                day_deposits=ZERO,
            )
        )


def _global_breach(books: Books, equity: Decimal) -> str:
    policy, desk = books.policy, books.desk
    allowed = policy.global_max_drawdown_percentage
    fall = drawdown(equity, desk.peak_equity) * HUNDRED
    if allowed is not None and fall > allowed:
        return f"GLOBAL_MAX_DRAWDOWN_PERCENTAGE: {plain(shown_ratio(fall))} > {plain(allowed)}"
    limit = policy.global_max_daily_loss
    loss = daily_loss(desk, equity)
    if limit is not None and desk.day_start_ns and loss > limit:
        return f"GLOBAL_MAX_DAILY_LOSS: {plain(loss)} > {plain(limit)}"
    return ""


def watch_naked(books: Books, now_ns: int) -> None:
    """Trip the kill switch when a position stays naked beyond KILL_ON_NAKED_SECONDS."""
    limit_ns = books.policy.kill_on_naked_ns
    if limit_ns is None:
        return
    naked = [books.positions[key].naked_since_ns or now_ns for key in books.naked]
    longest_ns = max((now_ns - since_ns for since_ns in naked), default=0)
    readings = books.desk.naked_readings + 1 if longest_ns > limit_ns else 0
    if readings != books.desk.naked_readings:
        books.put_desk(replace(books.desk, naked_readings=readings))
    if readings == NAKED_READINGS:
        note = f"KILL_ON_NAKED_SECONDS: {in_seconds(longest_ns)} > {in_seconds(limit_ns)}"
        press(books, KillState.HALT, "governor", note, now_ns)


def watch_mismatch(books: Books, now_ns: int) -> None:
    """Trip the kill switch when comparisons keep finding differences."""
    limit = books.policy.kill_on_mismatch_cycles
    if limit is not None and books.desk.mismatch_cycles >= max(limit, 1):
        note = (
            f"KILL_ON_MISMATCH_CYCLES: {books.desk.mismatch_cycles} comparisons in a row differed"
        )
        press(books, KillState.HALT, "reconciliation", note, now_ns)

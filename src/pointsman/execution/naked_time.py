"""Naked time: how long positions stood without cover, and without a resting stop (RULES 25, 63).

Two clocks run for each position. The naked one stands while resting stops, and exits at work that
count as cover, make up what is held; the stopless one while resting stops alone do. Cover is judged
once an instant: where a spell ended and cover is gone again at the same instant, the spell
continues as if it had never ended. What has ended is added up in the account, the naked time also
by the venue's stamps.
"""

import msgspec

from pointsman.domain.orders import total_leaves
from pointsman.domain.positions import Position, Spell
from pointsman.domain.timers import Timer, TimerKind
from pointsman.execution.books import Books
from pointsman.execution.dust import is_enough
from pointsman.execution.shortfall import held_at_venue

replace = msgspec.structs.replace


def track_cover(books: Books, position_id: int, now_ns: int, venue_ns: int) -> None:
    """Notice when a position becomes naked or covered again. Cover is what the venue has confirmed:
    resting stops, and for PROTECTION_DEADLINE_SECONDS what is closing the position (RULES 63); what
    it would not trade needs none. `venue_ns` is the venue's stamp of what was just learned."""
    position = books.positions.get(position_id)
    if position is None or not position.is_live or not books.is_ready:
        return
    stops, exits = books.closing_orders(position_id)
    resting = total_leaves([stop for stop in stops if stop.is_resting_stop])
    closing = total_leaves(
        [order for order in stops + exits if order.covers_until_ns and order.is_working]
    )
    lot, held = books.instrument(position.symbol).lot, held_at_venue(books, position)
    needs_none = not is_enough(books, position, held)
    _judge(
        books,
        position,
        is_covered=needs_none or held - resting - closing < lot,
        has_stops=needs_none or held - resting < lot,
        now_ns=now_ns,
        venue_ns=venue_ns,
    )


def is_leaving(books: Books, position: Position) -> bool:
    """Whether all that no stop covers is at work at the venue: nothing better can be done."""
    stops, exits = books.closing_orders(position.position_id)
    confirmed = total_leaves([order for order in stops + exits if order.is_working])
    return held_at_venue(books, position) - confirmed < books.instrument(position.symbol).lot


def _judge(
    books: Books,
    position: Position,
    *,
    is_covered: bool,
    has_stops: bool,
    now_ns: int,
    venue_ns: int,
) -> None:
    """Take in how a live position stands at `now_ns`. `venue_ns` is the venue's stamp of what was
    just learned."""
    after = position
    if is_covered:
        after = _end_naked(books, after, now_ns, venue_ns)
    elif position.naked_since_ns is None:
        after = _begin_naked(books, after, now_ns, venue_ns)
        since_ns = after.naked_since_ns
        assert since_ns is not None
        _watch_again(books, position.position_id, since_ns, now_ns)
    if has_stops:
        after = _end_stopless(books, after, now_ns)
    elif position.stopless_since_ns is None:
        after = _begin_stopless(books, after, now_ns)
    if after is not position:
        books.put_position(after)


def end(books: Books, position: Position, now_ns: int, venue_ns: int) -> Position:
    """Stop both clocks of a position that is to be a trade."""
    ended = _end_stopless(books, _end_naked(books, position, now_ns, venue_ns), now_ns)
    return replace(ended, naked_spell=None, stopless_spell=None)


def watch_cover(books: Books, position_id: int, naked_since_ns: int, from_ns: int) -> None:
    """Set the two wake-ups of a naked position: ask about its stops at half the deadline, act at
    the whole."""
    deadline_ns, key = books.policy.protection_deadline_ns, str(position_id)
    books.this_run.wake(
        Timer(from_ns + deadline_ns // 2, TimerKind.COVER_QUERY, key, naked_since_ns)
    )
    books.this_run.wake(Timer(from_ns + deadline_ns, TimerKind.COVER_DEADLINE, key, naked_since_ns))


def _watch_again(books: Books, position_id: int, naked_since_ns: int, now_ns: int) -> None:
    """Set the wake-ups of a spell that begins, or continues, now. What was due before has acted;
    the next deadline is a whole one after the last."""
    deadline_ns = books.policy.protection_deadline_ns
    from_ns, elapsed_ns = naked_since_ns, now_ns - naked_since_ns
    if elapsed_ns > deadline_ns:
        from_ns += elapsed_ns // deadline_ns * deadline_ns
    watch_cover(books, position_id, naked_since_ns, from_ns)


def _begin_naked(books: Books, position: Position, now_ns: int, venue_ns: int) -> Position:
    spell = position.naked_spell
    if spell is None or spell.until_ns != now_ns:
        return replace(position, naked_since_ns=now_ns, naked_from_venue_ns=venue_ns)
    account = books.accounts[position.va_id]
    books.put_account(
        replace(
            account,
            naked_total_ns=account.naked_total_ns - (now_ns - spell.since_ns),
            venue_naked_total_ns=account.venue_naked_total_ns - spell.venue_ns,
        )
    )
    return replace(
        position,
        naked_since_ns=spell.since_ns,
        naked_from_venue_ns=spell.venue_since_ns,
        naked_spell=None,
    )


def _end_naked(books: Books, position: Position, now_ns: int, venue_ns: int) -> Position:
    since_ns, from_ns = position.naked_since_ns, position.naked_from_venue_ns
    if since_ns is None:
        return position
    from_ns = since_ns if from_ns is None else from_ns
    engine_ns, at_venue_ns = now_ns - since_ns, max(0, venue_ns - from_ns)
    account = books.accounts[position.va_id]
    books.put_account(
        replace(
            account,
            naked_max_ns=max(account.naked_max_ns, engine_ns),
            naked_total_ns=account.naked_total_ns + engine_ns,
            venue_naked_max_ns=max(account.venue_naked_max_ns, at_venue_ns),
            venue_naked_total_ns=account.venue_naked_total_ns + at_venue_ns,
        )
    )
    return replace(
        position,
        naked_since_ns=None,
        naked_from_venue_ns=None,
        naked_spell=Spell(since_ns, now_ns, from_ns, at_venue_ns),
    )


def _begin_stopless(books: Books, position: Position, now_ns: int) -> Position:
    spell = position.stopless_spell
    if spell is None or spell.until_ns != now_ns:
        return replace(position, stopless_since_ns=now_ns)
    account = books.accounts[position.va_id]
    total_ns = account.stopless_total_ns - (now_ns - spell.since_ns)
    books.put_account(replace(account, stopless_total_ns=total_ns))
    return replace(position, stopless_since_ns=spell.since_ns, stopless_spell=None)


def _end_stopless(books: Books, position: Position, now_ns: int) -> Position:
    since_ns = position.stopless_since_ns
    if since_ns is None:
        return position
    account = books.accounts[position.va_id]
    books.put_account(
        replace(
            account,
            stopless_max_ns=max(account.stopless_max_ns, now_ns - since_ns),
            stopless_total_ns=account.stopless_total_ns + now_ns - since_ns,
        )
    )
    return replace(position, stopless_since_ns=None, stopless_spell=Spell(since_ns, now_ns))

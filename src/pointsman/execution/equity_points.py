"""Equity over time, for the plots (RULES 53): a point of a VA and of all VAs together at each
close, when money moves, and in each minute in which what is held was worth another amount.

No decision depends on it. A value that has not changed since the last point is not kept again, so
time in which nothing happens costs nothing. Of all together a point is what its VAs were worth when
they were last looked at: exact at each minute, and at most a minute old at a close.
"""

from collections.abc import Iterable
from decimal import Decimal

from pointsman.domain.accounts import EquityPoint
from pointsman.domain.market import Quote
from pointsman.domain.money import ZERO
from pointsman.domain.positions import Trade
from pointsman.execution.books import MINUTE_NS, Books
from pointsman.execution.figures import shown_drawdown

ALL = ""
"""What stands for all VAs together."""


def keep_closes(books: Books, filled: Iterable[str], mark: Quote | None, now_ns: int) -> None:
    """Notice what VAs are worth that have traded in this turn, and keep it of those that have
    closed a position."""
    for va_id in filled:
        equity = books.equity(va_id, mark)
        if equity is not None:
            _look(books, va_id, equity)
    closed = [record.va_id for record in books.changes.values() if type(record) is Trade]
    if closed:
        keep(books, closed, mark, now_ns)


def keep(books: Books, va_ids: Iterable[str], mark: Quote | None, now_ns: int) -> None:
    """Keep what VAs are worth: they have closed something, or money was moved."""
    for va_id in va_ids:
        _keep(books, va_id, mark, now_ns)
    _keep_total(books, now_ns)


def keep_minute(books: Books, marks: dict[str, Quote], now_ns: int) -> None:
    """Keep what is held, once a minute. A VA whose symbol has no quote yet is left out."""
    worth, minute = books.this_run.worth, now_ns // MINUTE_NS
    if minute <= worth.minute:
        return
    symbols = {va_id: books.accounts[va_id].leased_symbol for va_id in books.holding_accounts}
    news = [_keep(books, va_id, marks.get(at or ""), now_ns) for va_id, at in symbols.items()]
    if any(news):
        worth.end_minute(minute)
        _keep_total(books, now_ns)


def _look(books: Books, va_id: str, equity: Decimal) -> None:
    held_value, is_holding = equity - books.accounts[va_id].cash, va_id in books.holding_accounts
    books.this_run.worth.look(va_id, held_value, is_holding)


def _keep(books: Books, va_id: str, mark: Quote | None, now_ns: int) -> bool:
    """Keep a VA's point; whether it says anything new."""
    equity = books.equity(va_id, mark)
    if equity is None or not books.this_run.worth.is_news(va_id, equity):
        return False
    _look(books, va_id, equity)
    fall = shown_drawdown(equity, max(books.accounts[va_id].peak_equity, equity))
    books.note(EquityPoint(va_id, now_ns, equity + ZERO, fall), (va_id, now_ns))
    return True


def _keep_total(books: Books, now_ns: int) -> None:
    worth, equity = books.this_run.worth, books.total_cash + books.this_run.worth.held_value
    if worth.known == len(books.holding_accounts) and worth.is_news(ALL, equity):
        books.note(EquityPoint(ALL, now_ns, equity), (ALL, now_ns))

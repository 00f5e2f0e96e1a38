"""The report: the results of a run, computed from the database alone.

So a run that was interrupted and continued, or is asked about a year later, gives the same report;
two runs on the same input give the same bytes (RULES 5). Nothing is rounded but what is stored
rounded; `equity` and `unrealized_pnl` are at the touch that a position would close against, by the
last quotes that the books were marked at (RULES 14). A position without such a quote counts at
cost.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from statistics import median

import msgspec

from pointsman.domain.accounts import Account, KillSwitch
from pointsman.domain.money import ZERO, exact, plain
from pointsman.domain.positions import Funding, Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.signals import Outcome
from pointsman.domain.timestamps import iso
from pointsman.execution.figures import (
    AccountFigures,
    PositionFigures,
    account_figures,
    position_figures,
)
from pointsman.reading.documents import Document, seconds_text, to_document
from pointsman.reading.price_decimals import PriceDecimals, read_price_decimals
from pointsman.reading.shadow import read_shadowed, shadowed_document
from pointsman.storage import queries, reader


class StoredState(msgspec.Struct, frozen=True):
    """The accounts and what they hold. `now_ns` is the time that the books have reached, 0 for
    empty ones."""

    accounts: list[Account]
    positions: list[PositionFigures]
    kill_switch: KillSwitch
    now_ns: int
    price_decimals: PriceDecimals

    def account_figures(self) -> list[AccountFigures]:
        """Every account with its figures."""
        return account_figures(self.accounts, self.positions, self.kill_switch, self.now_ns)


Touches = Mapping[tuple[str, PositionSide], Decimal]
"""Where a holding of a symbol and side would be closed now."""


def read_standing(connection: sqlite3.Connection, touches: Touches | None = None) -> StoredState:
    """The accounts, and every position with its figures: at `touches` where a running engine gave
    them, else at the quotes that were stored last."""
    marks = {mark.symbol: mark for mark in reader.marks(connection)}
    newest = queries.rows(connection, queries.LAST_TURN)

    def closing_price(symbol: str, side: PositionSide) -> Decimal | None:
        if touches is not None and (symbol, side) in touches:
            return touches[symbol, side]
        mark = marks.get(symbol)
        return None if mark is None else mark.closing_touch(side)

    return StoredState(
        accounts=reader.accounts(connection),
        positions=position_figures(reader.positions(connection), closing_price),
        kill_switch=reader.kill_switch(connection),
        now_ns=newest[0][1] if newest else 0,
        price_decimals=read_price_decimals(connection),
    )


def build_report(connection: sqlite3.Connection) -> Document:
    """The report as docs/contract.md has it, without `wall_seconds`. Keys stand in a fixed order;
    decimals are text, exact."""
    standing = read_standing(connection)
    desk = reader.desk(connection)
    incidents = reader.incidents(connection)
    funded = reader.fundings(connection)
    shadowed = read_shadowed(connection)
    with exact():
        return {
            "accounts": {
                figures.account.va_id: account_document(figures) | _funding(figures.account, funded)
                for figures in standing.account_figures()
            },
            "signals": _signals(connection),
            "orders": _count(connection, "SELECT count(*) FROM orders"),
            "fills": _count(connection, "SELECT count(*) FROM fills"),
            "trades": [_trade(trade) for trade in reader.trades(connection)],
            "positions": [position_document(each) for each in standing.positions],
            "incidents": [to_document(incident) for incident in incidents],
            "protection": _protection(standing),
            "quotes": 0 if desk is None else desk.quotes,
            "bad_quotes": 0 if desk is None else desk.bad_quotes,
            **({} if shadowed is None else {"shadow": shadowed_document(shadowed)}),
        }


def account_document(figures: AccountFigures) -> Document:
    """What one account came to."""
    account = figures.account
    return {
        "cash": plain(account.cash),
        "deposits": plain(account.deposits),
        "balance": plain(figures.balance),
        "realized_pnl": plain(account.realized),
        "unrealized_pnl": plain(figures.unrealized),
        "fees": plain(account.fees),
        "equity": plain(figures.equity),
        "max_drawdown": plain(account.max_drawdown),
        "trades": account.trades,
        "wins": account.wins,
        "losses": account.losses,
        "consecutive_losses": figures.loss_streak,
        "status": figures.status.value,
    }


def _funding(account: Account, fundings: list[Funding]) -> Document:
    """What an account received of funding and of later charges, or paid; only where there was
    any."""
    found: dict[str, Decimal] = {}
    for paid in fundings:
        if paid.va_id == account.va_id:
            name = "charges" if paid.is_charge else "funding"
            found[name] = found.get(name, ZERO) + paid.amount
    return {name: plain(total) for name, total in found.items()}


def position_document(figures: PositionFigures) -> Document:
    """A position that is still held."""
    position = figures.position
    return {
        "position_id": position.position_id,
        "va_id": position.va_id,
        "symbol": position.symbol,
        "side": position.side.value,
        "state": position.state.value,
        "quantity": plain(position.quantity),
        "entry_price": plain(figures.entry_price),
        "stop_price": plain(position.stop_price),
        "take_profit": _optional(position.take_profit),
        "mark": _optional(figures.mark),
        "unrealized": plain(figures.unrealized),
        "realized_to_date": plain(position.realized_to_date),
        "fees": plain(position.fees),
        "opened_at": iso(position.opened_at_ns),
        "naked_since": None if position.naked_since_ns is None else iso(position.naked_since_ns),
        "signal_id": position.signal_id,
    }


def _optional(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def _signals(connection: sqlite3.Connection) -> Document:
    """RULES 11: received = accepted + refused + duplicates + malformed. Of a decision only its end
    is read: there may be millions, each with all its checks."""
    decided = {
        (outcome, reason): count
        for outcome, reason, count in queries.rows(
            connection, "SELECT outcome, reason, count(*) FROM decisions GROUP BY outcome, reason"
        )
    }
    every, accepted = sum(decided.values()), decided.get((Outcome.ACCEPTED.value, None), 0)
    reasons = Counter(
        {Reason[reason]: count for (_, reason), count in decided.items() if reason is not None}
    )
    ((repeats, reuses),) = queries.rows(
        connection, "SELECT coalesce(sum(repeats), 0), coalesce(sum(reuses), 0) FROM signals"
    )
    malformed = _count(
        connection,
        f"SELECT count(*) FROM incidents WHERE kind = '{Reason.MALFORMED_SIGNAL.value}'",  # noqa: S608 - a constant
    )
    late = queries.rows(
        connection,
        "SELECT value FROM decisions WHERE value IS NOT NULL AND reason = ?",
        (Reason.LATENCY.value,),
    )
    ages = [Decimal(value) for (value,) in late]
    return {
        "received": every + repeats + reuses + malformed,
        "accepted": accepted,
        "refused": every - accepted,
        "duplicates": repeats + reuses,
        "malformed": malformed,
        "by_reason": {reason.value: reasons[reason] for reason in Reason if reasons[reason]},
        "id_reused": reuses,
        "latency_refused": {
            "count": reasons[Reason.LATENCY],
            "median_age_ms": plain(median(ages)) if ages else None,
        },
    }


def _trade(trade: Trade) -> Document:
    return {
        "va_id": trade.va_id,
        "symbol": trade.symbol,
        "side": trade.side.value,
        "quantity": plain(trade.quantity),
        "entry_price": plain(trade.entry_price),
        "exit_price": plain(trade.exit_price),
        "pnl": plain(trade.pnl),
        "fees": plain(trade.fees),
        "opened_at": iso(trade.opened_at_ns),
        "closed_at": iso(trade.closed_at_ns),
        "exit_reason": trade.exit_reason.value,
        "trade_id": trade.trade_id,
        "position_id": trade.position_id,
        "signal_id": trade.signal_id,
    }


def _protection(standing: StoredState) -> Document:
    """RULES 25 and 63: time without cover, as it was learned and by the venue's stamps, and time
    without a resting stop. What stands so now counts up to the time that the books have reached."""
    known, now_ns = standing.accounts, standing.now_ns
    live = [each.position for each in standing.positions if each.position.is_live]
    naked = [now_ns - p.naked_since_ns for p in live if p.naked_since_ns is not None]
    venue = [now_ns - p.naked_from_venue_ns for p in live if p.naked_from_venue_ns is not None]
    stopless = [now_ns - p.stopless_since_ns for p in live if p.stopless_since_ns is not None]
    return {
        "naked_seconds_max": _longest([a.naked_max_ns for a in known], naked),
        "naked_seconds_total": _total([a.naked_total_ns for a in known], naked),
        "venue_naked_seconds_max": _longest([a.venue_naked_max_ns for a in known], venue),
        "venue_naked_seconds_total": _total([a.venue_naked_total_ns for a in known], venue),
        "stopless_seconds_max": _longest([a.stopless_max_ns for a in known], stopless),
        "stopless_seconds_total": _total([a.stopless_total_ns for a in known], stopless),
    }


def _longest(ended_ns: list[int], lasting_ns: list[int]) -> str:
    return seconds_text(max([0, *ended_ns, *lasting_ns]))


def _total(ended_ns: list[int], lasting_ns: list[int]) -> str:
    return seconds_text(sum(ended_ns) + sum(lasting_ns))


def _count(connection: sqlite3.Connection, query: str) -> int:
    ((count,),) = queries.rows(connection, query)
    return int(count)

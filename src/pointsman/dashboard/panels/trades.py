"""The closed trades: what each earned, and why it ended."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from rich.text import Text

from pointsman.dashboard.cells import (
    Row,
    at,
    average_price,
    by,
    by_number,
    clock,
    earned,
    quantity,
    quantity_text,
    side_cell,
    span,
    word,
)
from pointsman.dashboard.panels.figures import figure, heading
from pointsman.dashboard.panels.kind import Known, PanelKind, Told
from pointsman.dashboard.theme import FAINT, STRONG, result, side
from pointsman.domain.money import ZERO, exact
from pointsman.domain.timestamps import MS_NS
from pointsman.terminal.tables import Column
from pointsman.terminal.text import money, printable


def _held_ms(row: Row) -> int:
    held: int = max(0, row["at_ns"] - row["opened_at_ns"]) // MS_NS
    return held


COLUMNS = (
    Column("Closed", at("at_ns"), room=8, order=by("at_ns")),
    Column("account", word("va_id"), is_whole=True, order=by("va_id")),
    Column("symbol", word("symbol"), room=7, is_whole=True, order=by("symbol")),
    Column("side", side_cell, room=5, is_whole=True, order=by("side")),
    Column("qty", quantity("quantity"), is_aligned=True, room=9, is_whole=True),
    Column("entry", average_price("entry_price"), is_aligned=True, room=8, is_whole=True),
    Column("exit", average_price("exit_price"), is_aligned=True, room=8, is_whole=True),
    Column("result", earned("pnl"), is_right=True, room=8, order=by_number("pnl")),
    Column("because", word("exit_reason"), room=11, order=by("exit_reason")),
    Column("held", lambda row: span(_held_ms(row)), 1, is_right=True, room=6, order=_held_ms),
    Column("fees", lambda row: money(Decimal(row["fees"])), 3, True, order=by_number("fees")),
    Column("signal", word("signal_id"), 4, room=10),
)


def describe(row: Row, known: Known) -> Told:
    """What it earned and why it ended, and what all of the newest earned; its story follows."""
    return Told(f"Trade of position {row['position_id']}", _lines(row, known))


def _lines(row: Row, known: Known) -> Iterator[Text]:
    what = f" {quantity_text(row)} {row['symbol']} of {row['va_id']}"
    yield Text().append_text(side(row["side"])).append(printable(what), style=STRONG)
    yield figure("result", result(Decimal(row["pnl"])), Text(" after fees", style=FAINT))
    yield figure("entry", average_price("entry_price")(row) or "")
    yield figure("exit", average_price("exit_price")(row) or "", f", {row['exit_reason']}")
    yield figure("fees", money(Decimal(row["fees"])))
    yield figure("held for", f"{span(_held_ms(row))}, until {clock(row['at_ns'])}")
    yield from _all(known.lists.trades)


def _all(trades: Sequence[Row]) -> Iterator[Text]:
    with exact():
        results = [Decimal(each["pnl"]) for each in trades]
        won = [each for each in results if each > ZERO]
        lost = [each for each in results if each < ZERO]
        yield heading(f"\nThe newest {len(results)} trades")
        yield figure("together", result(sum(results, ZERO)))
        yield figure("per trade", result(sum(results, ZERO) / len(results)))
        for name, amounts in (("won", won), ("lost", lost)):
            if amounts:
                mean = result(sum(amounts, ZERO) / len(amounts))
                yield figure(name, f"{len(amounts)}, on average ", mean)


KIND = PanelKind(
    name="trades",
    digit="5",
    key="trade_id",
    words=("va_id", "symbol", "side", "exit_reason", "signal_id"),
    empty=("no trades yet: a position that is closed appears here",),
    columns=COLUMNS,
    describe=describe,
)

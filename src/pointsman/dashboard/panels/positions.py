"""The open positions: what each earns, and whether the venue has confirmed its stop."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from rich.text import Text

from pointsman.dashboard.bars import WAY_WIDTH, Marks, way
from pointsman.dashboard.cells import (
    Row,
    at,
    average_price,
    by,
    by_number,
    clock,
    earned,
    price,
    quantity,
    quantity_text,
    side_cell,
    span,
    word,
)
from pointsman.dashboard.panels.figures import NAME_WIDTH, figure
from pointsman.dashboard.panels.kind import Known, PanelKind, Told
from pointsman.dashboard.theme import ALARM, FAINT, STRONG, WAIT, result, side
from pointsman.domain.money import exact
from pointsman.domain.timestamps import MS_NS
from pointsman.terminal.tables import Column
from pointsman.terminal.text import printable

COVER_ORDER = ("naked", "unconfirmed", "exiting", "covered")
"""The states of cover, the worst first."""

PRICES = (
    ("entry", average_price("entry_price")),
    ("now", price("mark")),
    ("stop", price("stop_price")),
)


def cover_text(row: Row) -> Text:
    """Whether the venue has confirmed the stop of a position, and for how long it has not. Tenths
    of a second matter here. Of a row `is_past`, whether it had."""
    cover = row["cover"]
    lasting = f"{row['naked_ms'] // 100 / 10:.1f} s"
    was = "was " if row.get("is_past") else ""
    if cover == "covered":
        return Text(f"{was}confirmed")
    if cover == "naked":
        return Text(f"{was}NAKED {lasting}", style=ALARM)
    return Text(was + (f"waiting {lasting}" if cover == "unconfirmed" else "exiting"), style=WAIT)


def worst_first(positions: Sequence[Row]) -> list[Row]:
    """The positions, so that what has no cover cannot scroll out of sight."""
    return sorted(positions, key=_cover_order)


def _cover_order(row: Row) -> int:
    return COVER_ORDER.index(row["cover"])


def marks_of(row: Row) -> Marks:
    """The prices of a position."""

    def of(name: str) -> Decimal | None:
        return None if row[name] is None else Decimal(row[name])

    entry, stop = Decimal(row["entry_price"]), Decimal(row["stop_price"])
    return Marks(stop, entry, of("mark"), of("take_profit"))


def _way(row: Row) -> Text:
    return way(row["side"], marks_of(row))


COLUMNS = (
    Column("Held", word("va_id"), room=5, is_whole=True, order=by("va_id")),
    Column("symbol", word("symbol"), room=8, is_whole=True, order=by("symbol")),
    Column("side", side_cell, room=5, is_whole=True, order=by("side")),
    Column("qty", quantity("quantity"), is_aligned=True, room=9, is_whole=True),
    Column("entry", PRICES[0][1], 1, is_aligned=True, room=8, is_whole=True),
    Column("now", PRICES[1][1], is_aligned=True, room=8, is_whole=True),
    Column("unreal.", earned("unrealized"), 0, True, room=7, order=by_number("unrealized")),
    Column("stop", PRICES[2][1], is_aligned=True, room=8, is_whole=True),
    Column("stop is", cover_text, room=12, is_whole=True, order=_cover_order),
    Column("S stop  E entry", _way, 2, room=WAY_WIDTH),
    Column("target", price("take_profit"), 3, is_aligned=True, room=7, is_whole=True),
    Column("opened", at("opened_at_ns"), 3, room=8, is_whole=True, order=by("opened_at_ns")),
    Column("no.", lambda row: str(row["position_id"]), 4, True, room=4, order=by("position_id")),
)


def describe(row: Row, known: Known) -> Told:
    """Where its price is, and what its stop would cost."""
    return Told(f"Position {row['position_id']} of {row['va_id']}", _lines(row, known))


def _lines(row: Row, known: Known) -> Iterator[Text]:
    what = Text().append_text(side(row["side"]))
    yield what.append(printable(f" {quantity_text(row)} {row['symbol']}"), style=STRONG)
    marks = marks_of(row)
    yield way(row["side"], marks, 3 * NAME_WIDTH)
    yield Text("S stop, E entry, T target, ● now", style=FAINT)
    yield Text()
    yield figure("unrealized", result(Decimal(row["unrealized"])))
    with exact():
        sign = 1 if row["side"] == "long" else -1
        at_stop = sign * (marks.stop - marks.entry) * Decimal(row["quantity"])
    yield figure("at its stop", result(at_stop), Text(" before fees", style=FAINT))
    yield figure("stop is", cover_text(row))
    for name, shown in PRICES:
        yield figure(name, shown(row) or "none")
    if row["take_profit"] is not None:
        yield figure("target", price("take_profit")(row) or "")
    held_ms = max(0, known.picture["now_ns"] - row["opened_at_ns"]) // MS_NS
    yield figure("held for", f"{span(held_ms)}, since {clock(row['opened_at_ns'])}")


KIND = PanelKind(
    name="positions",
    digit="2",
    key="position_id",
    words=("va_id", "symbol", "side", "cover"),
    empty=("nothing is held: an accepted entry appears here with its stop",),
    columns=COLUMNS,
    describe=describe,
)

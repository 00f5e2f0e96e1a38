"""The orders: those that may still fill, then the newest of the others."""

from collections.abc import Iterator
from decimal import Decimal

from rich.text import Text

from pointsman.dashboard.bars import WIDE_METER, bar
from pointsman.dashboard.cells import (
    Row,
    at,
    average_price,
    by,
    clock,
    price,
    quantity,
    quantity_text,
    side_cell,
    word,
)
from pointsman.dashboard.panels.figures import figure
from pointsman.dashboard.panels.kind import Known, PanelKind, Told
from pointsman.dashboard.theme import ALARM, FAINT, GOOD, LOSS, STRONG, WAIT, side
from pointsman.terminal.tables import Column
from pointsman.terminal.text import printable

STATUS_TONES = {
    "FILLED": GOOD,
    "UNKNOWN": ALARM,
    "REJECTED": LOSS,
    "DENIED": LOSS,
    "CANCELED": FAINT,
    "EXPIRED": FAINT,
}
"""The tone of each status; any other waits for something."""


def status_text(row: Row) -> Text:
    """How it stands. A stop that rests at the venue is as it should be."""
    status = row["status"]
    is_resting = row["role"] == "stop" and status == "ACCEPTED"
    return Text(status, style="" if is_resting else STATUS_TONES.get(status, WAIT))


def _price(row: Row) -> str | None:
    """What it is bound by: its limit, or the trigger of a stop."""
    name = "limit_price" if row["trigger_price"] is None else "trigger_price"
    return price(name)(row) or "market"


def _because(row: Row) -> Text:
    return Text(row["exit_reason"] or row["end_reason"] or "", style=FAINT)


def _filled(row: Row) -> str | None:
    return quantity("filled")(row) if Decimal(row["filled"]) else None


COLUMNS = (
    Column("Order", at("at_ns"), room=8, order=by("at_ns")),
    Column("account", word("va_id"), is_whole=True, order=by("va_id")),
    Column("for", word("role"), room=6, order=by("role")),
    Column("symbol", word("symbol"), room=7, is_whole=True, order=by("symbol")),
    Column("side", side_cell, room=4, is_whole=True, order=by("side")),
    Column("qty", quantity("quantity"), is_aligned=True, room=9, is_whole=True),
    Column("filled", _filled, is_aligned=True, room=6, is_whole=True),
    Column("price", _price, is_aligned=True, room=8, is_whole=True),
    Column("average", average_price("average"), 2, is_aligned=True, room=8, is_whole=True),
    Column("status", status_text, room=8, is_whole=True, order=by("status")),
    Column("because", _because, 3, room=14),
    Column("order id", word("client_order_id"), 4, room=10),
)


def describe(row: Row, known: Known) -> Told:
    """How it stands, and what it was made for; the story of its signal follows."""
    return Told(f"Order {row['client_order_id']}", _lines(row, known))


def _lines(row: Row, _known: Known) -> Iterator[Text]:
    what = f" {quantity_text(row)} {row['symbol']} at {_price(row)}"
    yield Text().append_text(side(row["side"])).append(printable(what), style=STRONG)
    yield figure("for", f"{row['role']} of position {row['position_id']}, {row['va_id']}")
    yield figure("status", status_text(row))
    part = Decimal(row["filled"]) / Decimal(row["quantity"])
    tone = GOOD if part else FAINT
    yield figure("filled", bar(part, WIDE_METER, tone), f"  {quantity('filled')(row)}")
    if row["average"] is not None:
        yield figure("average", average_price("average")(row) or "")
    if because := _because(row).plain:
        yield figure("because", because)
    yield figure("made", clock(row["at_ns"]))
    yield figure("at the venue", printable(row["venue_order_id"] or "not confirmed"))


KIND = PanelKind(
    name="orders",
    digit="4",
    key="client_order_id",
    words=("client_order_id", "va_id", "symbol", "side", "role", "status", "signal_id"),
    empty=("no orders yet: an accepted signal makes one",),
    columns=COLUMNS,
    describe=describe,
)

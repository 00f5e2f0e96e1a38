"""The incidents: what a person should know of."""

from collections.abc import Iterator

from rich.text import Text

from pointsman.dashboard.cells import Row, at, by, clock, word
from pointsman.dashboard.panels.kind import Known, PanelKind, Told
from pointsman.dashboard.theme import ALARM, FAINT, STRONG, WAIT
from pointsman.domain.reasons import Reason
from pointsman.terminal.tables import Column
from pointsman.terminal.text import printable

COLUMNS = (
    Column("Incident", at("at_ns"), order=by("at_ns")),
    Column("account", word("va_id"), order=by("va_id")),
    Column("symbol", word("symbol"), 2, room=7, is_whole=True, order=by("symbol")),
    Column("what", lambda row: Text(row["kind"], style=WAIT), room=16, order=by("kind")),
    Column("detail", lambda row: row["detail"] or Reason[row["kind"]].sentence, 1, room=30),
)


def describe(row: Row, _known: Known) -> Told:
    """What its kind means, and its detail."""
    return Told(f"Incident {row['incident_id']}", _lines(row))


def _lines(row: Row) -> Iterator[Text]:
    yield Text().append(f"{clock(row['at_ns'])} ", style=FAINT).append(row["kind"], style=ALARM)
    where = " ".join(filter(None, (row["va_id"], row["symbol"])))
    if where:
        yield Text().append(printable(where), style=STRONG)
    yield Text(Reason[row["kind"]].sentence)
    if row["detail"]:
        yield Text(printable(row["detail"]))


KIND = PanelKind(
    name="incidents",
    digit="6",
    key="incident_id",
    words=("va_id", "symbol", "kind", "detail"),
    empty=("none: what needs you appears here, and the bell rings",),
    columns=COLUMNS,
    describe=describe,
)

"""What the panels of the dashboard say of a row, as a test reads it."""

from pointsman.dashboard.curves import Curves
from pointsman.dashboard.panels import kinds
from pointsman.dashboard.panels.kind import Known, Lists
from pointsman.terminal.tables import Column
from tests.dashboard_pictures import Document, busy_picture

ZONE = "America/New_York"
KINDS = kinds(ZONE)


def describe(
    kind: str, row: Document, shown: Document, lists: Lists | None = None
) -> tuple[str, str]:
    known = Known(shown, ZONE, lists or Lists(), Curves())
    told = KINDS[kind].describe(row, known)
    return told.title, "\n".join(text.plain for text in (*told.lines, *told.after))


def told(
    kind: str, row: Document, shown: Document | None = None, lists: Lists | None = None
) -> dict[str, str]:
    """What is said of a row: of each figure by its name, and other lines by themselves."""
    found = [line for line in lines(kind, row, shown, lists) if line]
    return {line[:14].strip(): line[14:] for line in found}


def lines(
    kind: str, row: Document, shown: Document | None = None, lists: Lists | None = None
) -> list[str]:
    return describe(kind, row, shown or busy_picture(), lists)[1].split("\n")


def shown(columns: tuple[Column, ...], row: Document) -> dict[str, str]:
    """A row as it is shown, by header."""
    drawn = {column.header: column.cell(row) for column in columns}
    return {header: str(cell or "") for header, cell in drawn.items()}

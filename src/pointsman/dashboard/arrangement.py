"""Which rows of a panel are shown, and in which order: as they come, or sorted by a column; all, or
those that hold a text, or those of one account.
"""

from collections.abc import Sequence
from typing import Any

from pointsman.dashboard.cells import Row
from pointsman.dashboard.panels.kind import PanelKind
from pointsman.terminal.tables import Column


class Arrangement:
    """How the rows of one panel are arranged. Numbers are sorted with the greatest first, words
    from A on; a row that has nothing to sort by comes last both ways."""

    def __init__(self, kind: PanelKind) -> None:
        self._kind = kind
        self._by: Column | None = None
        self._is_turned = False
        self.text = ""
        """What is looked for."""
        self.va_id: str | None = None

    def of(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows that are shown."""
        if self.va_id is not None and "va_id" in self._kind.words:
            rows = [row for row in rows if row["va_id"] == self.va_id]
        if self.text:
            rows = [row for row in rows if self._holds(row)]
        return rows if self._by is None else self._sorted(rows, self._by)

    def _holds(self, row: Row) -> bool:
        return any(self.text in str(row.get(name) or "").lower() for name in self._kind.words)

    def _sorted(self, rows: Sequence[Row], column: Column) -> list[Row]:
        order = column.order
        assert order is not None, "a column that is sorted by has an order"
        keyed: list[tuple[Any, Row]] = [(order(row), row) for row in rows]
        known = [each for each in keyed if each[0] not in (None, "")]
        known.sort(key=lambda each: each[0], reverse=self._is_descending)
        rest = [row for key, row in keyed if key in (None, "")]
        return [*(row for _, row in known), *rest]

    @property
    def _is_descending(self) -> bool:
        is_number = self._by is not None and (self._by.is_right or self._by.is_aligned)
        return is_number is not self._is_turned

    @property
    def told(self) -> str:
        """How it is arranged, in words; empty where it is as it comes."""
        parts = []
        if self._by is not None:
            parts.append(f"by {self._by.header} {'▼' if self._is_descending else '▲'}")
        if self.text:
            parts.append(f"/{self.text}")
        if self.va_id is not None and "va_id" in self._kind.words:
            parts.append(f"of {self.va_id}")
        return " ".join(parts)

    def sort_by_next(self, columns: Sequence[Column]) -> None:
        """By the next of these columns that can be sorted by; after the last one as it comes."""
        sortable = [column for column in columns if column.order is not None]
        choices: list[Column | None] = [None, *sortable]
        at = choices.index(self._by) if self._by in choices else 0
        self._by = choices[(at + 1) % len(choices)]
        self._is_turned = False

    def sort_by(self, column: Column) -> bool:
        """By this column, or where it is already, the other way round. Whether that can be done."""
        if column.order is None:
            return False
        if column is self._by:
            self.turn_round()
        else:
            self._by, self._is_turned = column, False
        return True

    def turn_round(self) -> None:
        """The other way round."""
        self._is_turned = not self._is_turned

"""Cells that several panels share: how times, prices, quantities and results of a row are said."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.text import Text

from pointsman.dashboard.theme import FAINT, result, side
from pointsman.domain.timestamps import SECOND_NS
from pointsman.terminal.text import average, money, number

Row = Mapping[str, Any]
Picture = Mapping[str, Any]

_THOUSAND = Decimal(1000)


# -- times ---------------------------------------------------------------------------------------


def clock(time_ns: int) -> str:
    """The time of day, UTC."""
    seconds = time_ns // SECOND_NS % 86_400
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def date_and_clock(time_ns: int) -> str:
    """Date and time of day, UTC."""
    return f"{datetime.fromtimestamp(time_ns // SECOND_NS, UTC):%Y-%m-%d %H:%M:%S} UTC"


def span(millis: int) -> str:
    """A length of time, as short as it can be said: 20 ms, 2.1 s, 4 min, 3 h."""
    if millis < 1000:
        return f"{millis} ms"
    if millis < 60_000:
        return f"{millis // 100 / 10:.1f} s"
    return f"{millis // 60_000} min" if millis < 3_600_000 else f"{millis // 3_600_000} h"


def minutes_and_seconds(length_ns: int) -> str:
    """A length of time that runs out: 4:07, 1:02:09."""
    seconds = max(0, length_ns) // SECOND_NS
    hours, minutes = seconds // 3600, seconds // 60 % 60
    rest = f"{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"
    return f"{hours}:{rest}" if hours else rest


def at(name: str) -> Callable[[Row], Text]:
    """The time of day of a row."""
    return lambda row: Text(clock(row[name]), style=FAINT)


# -- limits --------------------------------------------------------------------------------------


def limit_in(limits: Mapping[str, Any], name: str) -> Decimal | None:
    """A limit; None where it is off, or the engine does not tell it."""
    value = limits.get(name)
    return None if value in (None, "") else Decimal(str(value))


# -- words and numbers ---------------------------------------------------------------------------


def word(name: str) -> Callable[[Row], str | None]:
    """A field as it is."""
    return lambda row: row[name]


def side_cell(row: Row) -> Text:
    """A direction, coloured alike."""
    return side(row["side"] or "")


def percent(ratio: str) -> str:
    """A ratio with two decimals."""
    return f"{Decimal(ratio) * 100:.2f}%"


def amount(name: str) -> Callable[[Row], str]:
    """Money."""
    return lambda row: money(Decimal(row[name]))


def earned(name: str) -> Callable[[Row], Text]:
    """A result."""
    return lambda row: result(Decimal(row[name]))


def by(name: str) -> Callable[[Row], Any]:
    """To sort by a field that is a text or a whole number."""
    return lambda row: row[name]


def by_number(name: str) -> Callable[[Row], Decimal | None]:
    """To sort by a field that is a decimal."""
    return lambda row: None if row[name] is None else Decimal(row[name])


def decimals_of(row: Row) -> int:
    """How many decimals its prices have; an engine of an older version does not tell it."""
    return int(row.get("price_decimals", 2))


def price(name: str) -> Callable[[Row], str | None]:
    """A price, with the decimals of its tick at least."""

    def shown(row: Row) -> str | None:
        if row[name] is None:
            return None
        return number(Decimal(row[name]), decimals_of(row)).replace(",", "")

    return shown


def average_price(name: str) -> Callable[[Row], str | None]:
    """An average. Of thousands the decimals beyond the tick say nothing."""

    def shown(row: Row) -> str | None:
        if row[name] is None:
            return None
        mean, decimals = Decimal(row[name]), decimals_of(row)
        if abs(mean) >= _THOUSAND:
            return f"{mean:.{decimals}f}"
        return average(mean, decimals).replace(",", "")

    return shown


def quantity(name: str) -> Callable[[Row], str | None]:
    """A quantity, exactly."""

    def shown(row: Row) -> str | None:
        held = row[name]
        return None if held is None else number(Decimal(held)).replace(",", "")

    return shown


quantity_text = quantity("quantity")
"""The quantity of a row."""

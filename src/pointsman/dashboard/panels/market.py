"""The market: of each symbol its prices, how old they are, and how far apart; and the connection to
the venue. It explains at a glance why entries are refused for latency or spread."""

from collections.abc import Iterator
from decimal import Decimal

from rich.text import Text

from pointsman.dashboard.cells import Picture, Row, by, by_number, limit_in, price, span, word
from pointsman.dashboard.curves import Curves
from pointsman.dashboard.panels.figures import SPARKS, curve_lines, figure, heading, spark, used
from pointsman.dashboard.panels.kind import Known, PanelKind, Told
from pointsman.dashboard.theme import ALARM, FAINT, GOOD, WAIT
from pointsman.domain.money import exact
from pointsman.terminal.tables import Column
from pointsman.terminal.text import number, printable

PRICE_OF = "price of {}"
"""The name of the curve of a symbol's prices."""


def quotes_of(picture: Picture, curves: Curves) -> list[Row]:
    """The newest quote of each symbol that the engine tells of, with the limits that entries have;
    an engine of an older version tells of none."""
    limits = picture["limits"]
    return [
        {
            **row,
            "curve": curves.of(PRICE_OF.format(row["symbol"])),
            "oldest_ms": limit_in(limits, "MAX_LATENCY_MS"),
            "widest_bps": limit_in(limits, "MAX_SPREAD_BPS"),
        }
        for row in picture["health"].get("quotes") or []
    ]


def mid_of(row: Row) -> Decimal | None:
    """The price between bid and ask."""
    if row["bid"] is None or row["ask"] is None:
        return None
    with exact():
        return (Decimal(row["bid"]) + Decimal(row["ask"])) / 2


def _tone(value: Decimal | int | None, limit: Decimal | None) -> str:
    """Beyond its limit an entry is refused."""
    return WAIT if value is not None and limit is not None and value > limit else ""


def _age(row: Row) -> Text:
    return Text(span(row["age_ms"]), style=_tone(row["age_ms"], row["oldest_ms"]))


def _spread(row: Row) -> Text:
    if row["spread_bps"] is None:
        return Text("no price", style=ALARM)
    spread = Decimal(row["spread_bps"])
    return Text(f"{spread:.1f} bps", style=_tone(spread, row["widest_bps"]))


COLUMNS = (
    Column("Market", word("symbol"), room=8, is_whole=True, order=by("symbol")),
    Column("bid", price("bid"), is_aligned=True, room=8, is_whole=True),
    Column("ask", price("ask"), is_aligned=True, room=8, is_whole=True),
    Column("spread", _spread, is_right=True, room=8, order=by_number("spread_bps")),
    Column("age", _age, is_right=True, room=6, order=by("age_ms")),
    Column("curve", lambda row: spark(row["curve"]), 1, room=SPARKS),
)


def describe(row: Row, known: Known) -> Told:
    """Spread and age beside their limits, the price while this was open, and the venue."""
    return Told(f"Market {row['symbol']}", _lines(row, known))


def _lines(row: Row, known: Known) -> Iterator[Text]:
    if (mid := mid_of(row)) is not None:
        yield figure("price", number(mid, int(row["price_decimals"])))
    yield from curve_lines(row["curve"])
    if row["spread_bps"] is not None:
        spread = Decimal(row["spread_bps"])
        yield used("spread", spread, row["widest_bps"], f"{spread:.1f}", " bps")
    age = Decimal(row["age_ms"])
    yield used("age", age, row["oldest_ms"], f"{row['age_ms']:,}", " ms")
    yield Text("\nBeyond either limit no entry is accepted.", style=FAINT)
    yield from venue_lines(known.picture)


def venue_lines(picture: Picture) -> Iterator[Text]:
    """Each part of the connection to a real venue, and its budget of requests."""
    health = picture["health"]
    links, budget = health.get("venue_links") or [], health.get("venue_budget")
    if not is_real(picture):
        return
    yield heading("\nConnection to the venue")
    for link in links:
        yield figure(printable(link["link"]), _link(link))
    if budget:
        yield from _budget(budget)


def is_real(picture: Picture) -> bool:
    """Whether there is a venue beyond this machine."""
    return (picture.get("venue") or {}).get("name", "") not in ("", "paper")


def _link(link: Row) -> Text:
    if link["is_up"]:
        return Text("up", style=GOOD)
    detail = f": {printable(link['detail'])}" if link["detail"] else ""
    return Text(f"DOWN {span(link['down_ms'])}{detail}", style=ALARM)


def _budget(budget: Row) -> Iterator[Text]:
    whole = budget["requests_per_minute"]
    spent = max(0, whole - budget["left"])
    yield used("requests", Decimal(spent), Decimal(whole), f"{spent:,}", " in a minute")


KIND = PanelKind(
    name="market",
    digit="7",
    key="symbol",
    words=("symbol",),
    empty=("no quotes: none has come, or the engine tells of none",),
    columns=COLUMNS,
    describe=describe,
)

"""What each panel shows of a row of the picture, and what goes first where room is scarce."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.text import Text

from pointsman.dashboard.bars import WAY_WIDTH, Marks, meter, way
from pointsman.dashboard.theme import ALARM, FAINT, GOOD, STATUS_TONES, WAIT, result
from pointsman.domain.money import exact
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Check
from pointsman.domain.timestamps import SECOND_NS
from pointsman.terminal.measures import allowed, measured
from pointsman.terminal.tables import Column
from pointsman.terminal.text import average, money, number, printable

Row = Mapping[str, Any]
Picture = Mapping[str, Any]

_THOUSAND = Decimal(1000)

COVER_ORDER = ("naked", "unconfirmed", "exiting", "covered")
"""The states of cover, the worst first."""

ALL_PAUSED = "all paused"
"""How the status of an account begins while the whole desk is paused."""


# -- words ---------------------------------------------------------------------------------------


def clock(time_ns: int) -> str:
    """The time of day, UTC."""
    return f"{datetime.fromtimestamp(time_ns // SECOND_NS, UTC):%H:%M:%S}"


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


def percent(ratio: str) -> str:
    """A ratio with one decimal."""
    return f"{Decimal(ratio) * 100:.1f}%"


def status_text(row: Row) -> Text:
    """What an account may do now, in words with the why. Who has killed or paused the whole desk,
    and why, is the same for all accounts: the foot says it once."""
    words = printable(row["status_text"]).removesuffix(" left")
    if row["status"] == "killed" or words.startswith(ALL_PAUSED):
        words = "killed" if row["status"] == "killed" else ALL_PAUSED
    return Text(words, style=STATUS_TONES.get(row["status"], ALARM))


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
    return sorted(positions, key=lambda row: COVER_ORDER.index(row["cover"]))


def _amount(name: str) -> Callable[[Row], str]:
    return lambda row: money(Decimal(row[name]))


def _result(name: str) -> Callable[[Row], Text]:
    return lambda row: result(Decimal(row[name]))


def _total(row: Row) -> Text:
    """What an account has earned in all, held and closed."""
    with exact():
        return result(Decimal(row["realized"]) + Decimal(row["unrealized"]))


def _decimals(row: Row) -> int:
    """How many decimals its prices have; an engine of an older version does not tell it."""
    return int(row.get("price_decimals", 2))


def _price(name: str) -> Callable[[Row], str | None]:
    """A price, with the decimals of its tick at least."""

    def shown(row: Row) -> str | None:
        if row[name] is None:
            return None
        return number(Decimal(row[name]), _decimals(row)).replace(",", "")

    return shown


def _entry_price(row: Row) -> str:
    """An average. Of thousands the decimals beyond the tick say nothing."""
    amount, decimals = Decimal(row["entry_price"]), _decimals(row)
    if abs(amount) >= _THOUSAND:
        return f"{amount:.{decimals}f}"
    return average(amount, decimals).replace(",", "")


def price_text(row: Row, name: str) -> str:
    """A price of a position, or that there is none."""
    shown = _entry_price(row) if name == "entry_price" else _price(name)(row)
    return shown or "none"


def quantity_text(row: Row) -> str | None:
    """A quantity, exactly."""
    quantity = row["quantity"]
    return None if quantity is None else number(Decimal(quantity)).replace(",", "")


def _word(name: str) -> Callable[[Row], str | None]:
    return lambda row: row[name]


def _at(row: Row) -> Text:
    return Text(clock(row["at_ns"]), style=FAINT)


# -- accounts and positions ----------------------------------------------------------------------


def _win_ratio(row: Row) -> str:
    closed = row["wins"] + row["losses"]
    return f"{100 * row['wins'] // closed}%" if closed else ""


def _streak(row: Row) -> Text:
    losses = row["loss_streak"]
    return Text(str(losses), style=WAIT if losses else "")


def limit_of(row: Row, name: str) -> Decimal | None:
    """A limit of an account; None where it is off, or the engine does not tell it."""
    value = row.get("limits", {}).get(name)
    return None if value in (None, "") else Decimal(value)


def _daily_loss(row: Row) -> Text:
    loss = row.get("daily_loss")
    if loss is None or "limits" not in row:
        return Text("")
    return meter(Decimal(loss), limit_of(row, "MAX_DAILY_LOSS"))


def _drawdown(row: Row) -> Text:
    if "limits" not in row:
        return Text("")
    return meter(Decimal(row["drawdown"]) * 100, limit_of(row, "MAX_DRAWDOWN_PERCENTAGE"))


def with_limits(picture: Picture) -> list[Row]:
    """The accounts, each with its limits, where the engine tells them; one of an older version does
    not."""
    if "limits_by_va" not in picture:
        return list(picture["accounts"])
    of_all, own = picture["limits"], picture["limits_by_va"]
    return [
        {**row, "limits": {**of_all, **own.get(row["va_id"], {})}} for row in picture["accounts"]
    ]


def marks_of(row: Row) -> Marks:
    """The prices of a position."""

    def price(name: str) -> Decimal | None:
        return None if row[name] is None else Decimal(row[name])

    entry, stop = Decimal(row["entry_price"]), Decimal(row["stop_price"])
    return Marks(stop, entry, price("mark"), price("take_profit"))


def _way(row: Row) -> Text:
    return way(row["side"], marks_of(row))


ACCOUNTS = (
    Column("Account", _word("va_id")),
    Column("status", status_text, room=16),
    Column("symbol", _word("symbol"), 5, is_whole=True),
    Column("open", lambda row: str(row["open_positions"]), 7, is_right=True),
    Column("equity", _amount("equity"), 6, is_right=True, room=10),
    Column("balance", _amount("balance"), is_right=True, room=10),
    Column("total PnL", _total, is_right=True),
    Column("realized", _result("realized"), 8, is_right=True, room=9),
    Column("unreal.", _result("unrealized"), 4, is_right=True, room=8),
    Column("fall", lambda row: percent(row["drawdown"]), is_right=True, room=5),
    Column("loss limit", _daily_loss, 3, room=11),
    Column("fall limit", _drawdown, 3, room=11),
    Column("max fall", lambda row: percent(row["max_drawdown"]), is_right=True),
    Column("w/l", lambda row: f"{row['wins']}/{row['losses']}", is_right=True, room=5),
    Column("won", _win_ratio, 2, is_right=True, room=4),
    Column("streak", _streak, 1, is_right=True),
)

POSITIONS = (
    Column("Held", _word("va_id"), room=5, is_whole=True),
    Column("symbol", _word("symbol"), room=8, is_whole=True),
    Column("side", _word("side"), room=5),
    Column("qty", quantity_text, is_aligned=True, room=6, is_whole=True),
    Column("entry", _entry_price, 1, is_aligned=True, room=8, is_whole=True),
    Column("now", _price("mark"), is_aligned=True, room=8, is_whole=True),
    Column("unreal.", _result("unrealized"), is_right=True, room=8),
    Column("stop", _price("stop_price"), is_aligned=True, room=8, is_whole=True),
    Column("stop is", cover_text, room=12, is_whole=True),
    Column("S stop  E entry", _way, 2, room=WAY_WIDTH),
    Column("target", _price("take_profit"), 3, is_aligned=True, room=7, is_whole=True),
    Column("opened", lambda row: Text(clock(row["opened_at_ns"]), style=FAINT), 2, room=8),
    Column("no.", lambda row: str(row["position_id"]), 4, is_right=True, room=4),
)


# -- decisions and incidents ---------------------------------------------------------------------


def _verdict(row: Row) -> Text:
    """`accepted`, or the reason of the refusal."""
    if row["reason"] is None:
        return Text(row["outcome"], style=GOOD if row["outcome"] == "accepted" else "")
    return Text(row["reason"], style=WAIT)


def refused_for(row: Row) -> tuple[Check, SignalSide] | None:
    """The check that a refusal is for, and the side it was for; None for an acceptance."""
    if row["reason"] is None:
        return None
    check = Check(
        rule=Reason[row["reason"]],
        passed=False,
        value=row["value"],
        limit=row["limit"],
        unit=row["unit"] or "",
    )
    # Only the side of a stop that stands wrong depends on it, and such a signal has one.
    return check, SignalSide(row["side"] or SignalSide.BUY)


def decision_columns(zone: str) -> tuple[Column, ...]:
    """The columns of decisions; times that were measured stand on the clock of `zone`."""

    def value(row: Row) -> str:
        found = refused_for(row)
        return "" if found is None else _clock_only(found[0], measured(found[0], zone))

    def limit(row: Row) -> str:
        found = refused_for(row)
        return "" if found is None else _clock_only(found[0], allowed(*found, zone))

    def meaning(row: Row) -> Text:
        return Text("" if row["reason"] is None else Reason[row["reason"]].sentence, style=FAINT)

    return (
        Column("Decision", _at, room=8),
        Column("account", _word("va_id")),
        Column("symbol", _word("symbol"), room=7, is_whole=True),
        Column("side", _word("side"), room=5),
        Column("qty", quantity_text, 1, is_aligned=True, room=5, is_whole=True),
        Column("result", _verdict, room=17, is_whole=True),
        Column("measured", value, room=9),
        Column("must be", limit, room=10),
        Column("signal", _word("signal_id"), 2, room=10),
        Column("meaning", meaning, 3, room=40),
    )


def _clock_only(check: Check, text: str) -> str:
    """Without days, fractions and idle seconds, which the story has."""
    if check.rule is not Reason.OUTSIDE_WINDOW:
        return text
    words = (word.partition(".")[0] for word in text.split() if "-" not in word)
    return " ".join(word.removesuffix(":00") if word.count(":") == 2 else word for word in words)


INCIDENTS = (
    Column("Incident", _at),
    Column("account", _word("va_id")),
    Column("symbol", _word("symbol"), 2, room=7, is_whole=True),
    Column("what", lambda row: Text(row["kind"], style=WAIT), room=16),
    Column("detail", lambda row: row["detail"] or Reason[row["kind"]].sentence, 1, room=30),
)

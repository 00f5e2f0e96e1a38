"""What the pane beside the panels says of the row under the cursor, from the picture alone.

An account: whether it may enter, else why not and what ends that, and how much of each of its
limits is used. A position: where its price is, and what its stop would cost. A decision or an
incident: what it means. Nothing is said that the picture does not hold.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from rich.text import Text

from pointsman.dashboard.bars import FULL, WIDE_METER, bar, meter, way
from pointsman.dashboard.cells import (
    Picture,
    Row,
    clock,
    cover_text,
    limit_of,
    marks_of,
    percent,
    price_text,
    quantity_text,
    refused_for,
    span,
    status_text,
)
from pointsman.dashboard.theme import ALARM, FAINT, GOOD, STRONG, WAIT, result
from pointsman.domain.money import exact
from pointsman.domain.reasons import Reason
from pointsman.domain.timestamps import MS_NS, SECOND_NS
from pointsman.terminal.measures import allowed, measured
from pointsman.terminal.text import money, number, printable

NAME_WIDTH = 14
"""Characters that the name of a figure stands in."""

REASON_WIDTH = 20
"""Characters that a reason stands in."""

DECISIONS_SHOWN = 5
"""How many decisions of an account are shown below its limits."""

WHAT_ENDS_IT = {
    "killed": "The kill switch is on; `pointsman rearm` on its machine ends it.",
    "paused": "A person paused it; p resumes it.",
    "frozen": "p lifts it, after a comparison with the venue.",
    "cooldown": "It ends by itself.",
    "stopped": "It has reached a loss limit; p resumes it.",
}
"""By status of an account, what would let it enter again."""


def describe(kind: str, row: Row, picture: Picture, zone: str) -> tuple[str, Text]:
    """A title, and what there is to say of a row of the panel `kind`."""
    match kind:
        case "accounts":
            title, lines = f"Account {row['va_id']}", _account(row, picture)
        case "positions":
            title, lines = (
                f"Position {row['position_id']} of {row['va_id']}",
                _position(row, picture),
            )
        case "decisions":
            title, lines = f"Decision on {row['signal_id']}", _decision(row, picture, zone)
        case _:
            title, lines = f"Incident {row['incident_id']}", _incident(row)
    return printable(title), Text("\n").join(lines)


def _figure(name: str, *parts: Text | str) -> Text:
    line = Text(f"{name:<{NAME_WIDTH}}", style=FAINT)
    for part in parts:
        line.append_text(part if isinstance(part, Text) else Text(part, style=""))
    return line


# -- an account ------------------------------------------------------------------------------------


def _account(row: Row, picture: Picture) -> Iterator[Text]:
    yield from _whether_it_may_enter(row, picture)
    yield Text()
    with exact():
        earned = Decimal(row["realized"]) + Decimal(row["unrealized"])
    yield _figure("equity", money(Decimal(row["equity"])))
    yield _figure("total PnL", result(earned), ", open ", result(Decimal(row["unrealized"])))
    trades = row["wins"] + row["losses"]
    yield _figure("trades", f"{trades}: {row['wins']} won, {row['losses']} lost")
    yield _figure("max fall", percent(row["max_drawdown"]))
    if "limits" in row:
        yield Text("\nHow much of each limit is used", style=STRONG)
        yield from _limits(row)
    own = [each for each in picture["decisions"] if each["va_id"] == row["va_id"]]
    yield Text("\nIts newest decisions", style=STRONG)
    for each in own[:DECISIONS_SHOWN]:
        yield _decision_line(each)
    if not own:
        yield Text("none yet", style=FAINT)


def _whether_it_may_enter(row: Row, picture: Picture) -> Iterator[Text]:
    if row["status"] == "active":
        yield Text("may enter", style=f"bold {GOOD}")
        return
    yield Text("may not enter: ", style=STRONG).append_text(status_text(row))
    yield Text(WHAT_ENDS_IT.get(row["status"], ""), style=FAINT)
    until_ns, whole = row.get("cooldown_until_ns"), limit_of(row, "COOLDOWN_DURATION_SECONDS")
    if until_ns is not None and whole:
        left = max(0, until_ns - picture["now_ns"])
        part = Decimal(left) / SECOND_NS / whole
        said = f"  {left // SECOND_NS} of {number(whole)} s left"
        yield _figure("cooldown", bar(part, WIDE_METER, WAIT), said)


def _limits(row: Row) -> Iterator[Text]:
    """What is used of what, with the two numbers. What the engine does not tell is left out."""
    if row.get("daily_loss") is not None:
        loss = max(Decimal(0), Decimal(row["daily_loss"]))
        yield _used("daily loss", loss, limit_of(row, "MAX_DAILY_LOSS"), money(loss))
    fall = Decimal(row["drawdown"]) * 100
    most = limit_of(row, "MAX_DRAWDOWN_PERCENTAGE")
    yield _used("drawdown", fall, most, f"{fall:.1f}", "%")
    if "exposure" in row:
        held = Decimal(row["exposure"])
        yield _used("position size", held, limit_of(row, "MAX_POSITION_SIZE"), money(held))
    for name, field, setting in (
        ("positions", "open_positions", "MAX_OPEN_POSITIONS_PER_VA"),
        ("entries today", "entries_today", "MAX_TRADES_PER_DAY"),
        ("loss streak", "loss_streak", "MAX_LOSS_COOLDOWN"),
    ):
        if field in row:
            yield _used(name, Decimal(row[field]), limit_of(row, setting), str(row[field]))


def _used(name: str, used: Decimal, limit: Decimal | None, said: str, unit: str = "") -> Text:
    if limit is None:
        return _figure(name, said, unit, Text(", no limit", style=FAINT))
    return _figure(name, meter(used, limit, WIDE_METER), f"  {said} of {number(limit)}{unit}")


def _decision_line(row: Row) -> Text:
    line = Text(f"{clock(row['at_ns'])} ", style=FAINT)
    what = " ".join(filter(None, (row["side"], quantity_text(row), row["symbol"])))
    line.append(f"{printable(what)}  ", style="")
    if row["reason"] is None:
        return line.append(row["outcome"], style=GOOD if row["outcome"] == "accepted" else "")
    return line.append(row["reason"], style=WAIT)


# -- a position ------------------------------------------------------------------------------------


def _position(row: Row, picture: Picture) -> Iterator[Text]:
    what = f"{row['side']} {quantity_text(row)} {row['symbol']}"
    yield Text(printable(what), style=STRONG)
    yield way(row["side"], marks_of(row), 3 * NAME_WIDTH)
    yield Text()
    yield _figure("unrealized", result(Decimal(row["unrealized"])))
    marks = marks_of(row)
    with exact():
        sign = 1 if row["side"] == "long" else -1
        at_stop = sign * (marks.stop - marks.entry) * Decimal(row["quantity"])
    yield _figure("at its stop", result(at_stop), Text(" before fees", style=FAINT))
    yield _figure("stop is", cover_text(row))
    for name, field in (("entry", "entry_price"), ("now", "mark"), ("stop", "stop_price")):
        yield _figure(name, price_text(row, field))
    if row["take_profit"] is not None:
        yield _figure("target", price_text(row, "take_profit"))
    held_ms = max(0, picture["now_ns"] - row["opened_at_ns"]) // MS_NS
    yield _figure("held for", f"{span(held_ms)}, since {clock(row['opened_at_ns'])}")


# -- a decision, an incident -----------------------------------------------------------------------


def _decision(row: Row, picture: Picture, zone: str) -> Iterator[Text]:
    yield _decision_line(row)
    found = refused_for(row)
    if found is not None:
        check, side = found
        yield Text(check.rule.sentence)
        yield _figure("measured", measured(check, zone))
        yield _figure("must be", allowed(check, side, zone))
    yield from reasons(picture["decisions"], row["reason"])


def reasons(decisions: Sequence[Row], chosen: str | None = None) -> Iterator[Text]:
    """How often each reason is among the newest decisions, the most frequent first; the `chosen`
    one stands out."""
    counted = Counter(each["reason"] for each in decisions if each["reason"] is not None)
    if not counted:
        return
    yield Text(f"\nWhy refused, of the newest {len(decisions)}", style=STRONG)
    most = max(counted.values())
    for reason, count in sorted(counted.items(), key=lambda each: (-each[1], each[0])):
        style = WAIT if reason == chosen else FAINT
        line = Text(f"{'>' if reason == chosen else ' '}{reason:<{REASON_WIDTH}}")
        length = -(-count * WIDE_METER // most)
        yield line.append(FULL * length, style=style).append(f" {count}")


def _incident(row: Row) -> Iterator[Text]:
    yield Text(f"{clock(row['at_ns'])} ", style=FAINT).append(row["kind"], style=ALARM)
    where = " ".join(filter(None, (row["va_id"], row["symbol"])))
    if where:
        yield Text(printable(where), style=STRONG)
    yield Text(Reason[row["kind"]].sentence)
    if row["detail"]:
        yield Text(printable(row["detail"]))

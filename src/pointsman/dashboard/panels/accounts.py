"""The accounts: what each may do, what it has earned, and how much of each limit is used."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from rich.text import Text

from pointsman.dashboard.bars import WIDE_METER, bar, meter
from pointsman.dashboard.cells import (
    Picture,
    Row,
    amount,
    by,
    by_number,
    clock,
    earned,
    limit_in,
    minutes_and_seconds,
    percent,
    word,
)
from pointsman.dashboard.curves import Curves
from pointsman.dashboard.panels.figures import (
    SPARKS,
    curve_lines,
    decision_line,
    figure,
    heading,
    spark,
    used,
)
from pointsman.dashboard.panels.kind import Known, PanelKind, Told
from pointsman.dashboard.theme import ALARM, FAINT, GOOD, STATUS_TONES, STRONG, WAIT, result
from pointsman.domain.money import ZERO, exact
from pointsman.domain.timestamps import SECOND_NS
from pointsman.terminal.tables import Column
from pointsman.terminal.text import money, printable

ALL_PAUSED = "all paused"
"""How the status of an account begins while the whole desk is paused."""

ROWS_SHOWN = 4
"""How many decisions and trades of an account are shown below its limits."""

WHAT_ENDS_IT = {
    "killed": "The kill switch is on; `pointsman rearm` on its machine ends it.",
    "paused": "A person paused it; p resumes it.",
    "frozen": "p lifts it, after a comparison with the venue.",
    "cooldown": "It ends by itself.",
    "stopped": "It has reached a loss limit; p resumes it.",
}
"""By status of an account, what would let it enter again."""


def with_limits(picture: Picture, curves: Curves) -> list[Row]:
    """The accounts, each with its limits, where the engine tells them (one of an older version does
    not), with the time of the picture, and with the curve of its equity."""
    of_all, own, now_ns = picture["limits"], picture.get("limits_by_va"), picture["now_ns"]
    rows: list[Row] = []
    for account in picture["accounts"]:
        row: dict[str, Any] = {**account, "curve": curves.of(account["va_id"])}
        if account.get("cooldown_until_ns") is not None:
            row["left_ns"] = max(0, account["cooldown_until_ns"] - now_ns)
        if own is not None:
            found = own.get(account["va_id"])
            row["limits"] = {**of_all, **found} if found else of_all
        rows.append(row)
    return rows


def limit_of(row: Row, name: str) -> Decimal | None:
    """A limit of an account; None where it is off, or the engine does not tell it."""
    return limit_in(row.get("limits", {}), name)


# -- cells ---------------------------------------------------------------------------------------


def status_text(row: Row) -> Text:
    """What an account may do now, in words with the why, and how long a cooldown lasts still. Who
    has killed or paused the whole desk, and why, is the same for all accounts: the foot says it
    once."""
    words = printable(row["status_text"])
    if row["status"] == "killed" or words.startswith(ALL_PAUSED):
        words = "killed" if row["status"] == "killed" else ALL_PAUSED
    tone = STATUS_TONES.get(row["status"], ALARM)
    if row["status"] != "cooldown" or "left_ns" not in row:
        return Text(words.removesuffix(" left"), style=tone)
    return Text(f"cooldown {minutes_and_seconds(row['left_ns'])}", style=tone)


def total_of(row: Row) -> Decimal:
    """What an account has earned in all, held and closed."""
    with exact():
        return Decimal(row["realized"]) + Decimal(row["unrealized"])


def _win_ratio(row: Row) -> str:
    closed = row["wins"] + row["losses"]
    return f"{100 * row['wins'] // closed}%" if closed else ""


def _streak(row: Row) -> Text:
    losses = row["loss_streak"]
    return Text(str(losses), style=WAIT if losses else "")


def _daily_loss(row: Row) -> Text:
    loss = row.get("daily_loss")
    if loss is None or "limits" not in row:
        return Text("")
    return meter(Decimal(loss), limit_of(row, "MAX_DAILY_LOSS"))


def _drawdown(row: Row) -> Text:
    if "limits" not in row:
        return Text("")
    return meter(Decimal(row["drawdown"]) * 100, limit_of(row, "MAX_DRAWDOWN_PERCENTAGE"))


COLUMNS = (
    Column("Account", word("va_id"), is_whole=True, order=by("va_id")),
    Column("status", status_text, room=16, order=by("status")),
    Column("symbol", word("symbol"), 6, is_whole=True, order=by("symbol")),
    Column("open", lambda row: str(row["open_positions"]), 7, True, order=by("open_positions")),
    Column("equity", amount("equity"), 5, is_right=True, room=10, order=by_number("equity")),
    Column("balance", amount("balance"), is_right=True, room=10, order=by_number("balance")),
    Column("total PnL", lambda row: result(total_of(row)), is_right=True, order=total_of),
    Column("realized", earned("realized"), 9, True, room=9, order=by_number("realized")),
    Column("unreal.", earned("unrealized"), 8, True, room=8, order=by_number("unrealized")),
    Column("curve", lambda row: spark(row.get("curve", ())), 3, room=SPARKS),
    Column("DD", lambda row: percent(row["drawdown"]), is_right=True, room=5),
    Column("max DD", lambda row: percent(row["max_drawdown"]), 0, True, order=by("max_drawdown")),
    Column("daily loss", _daily_loss, 1, room=11),
    Column("DD limit", _drawdown, 2, room=11),
    Column("w/l", lambda row: f"{row['wins']}/{row['losses']}", is_right=True, room=5),
    Column("won", _win_ratio, 6, is_right=True, room=4),
    Column("streak", _streak, 4, is_right=True, order=by("loss_streak")),
)


# -- beside the panels ---------------------------------------------------------------------------


def describe(row: Row, known: Known) -> Told:
    """Whether it may enter, else why not; its figures, limits, trades and decisions."""
    return Told(f"Account {row['va_id']}", _lines(row, known))


def _lines(row: Row, known: Known) -> Iterator[Text]:
    yield from _whether_it_may_enter(row, known.picture)
    yield Text()
    yield from curve_lines(known.curves.of(row["va_id"]))
    yield figure("equity", money(Decimal(row["equity"])))
    open_now = Decimal(row["unrealized"])
    yield figure("total PnL", result(total_of(row)), ", open ", result(open_now))
    trades = row["wins"] + row["losses"]
    yield figure("trades", f"{trades}: {row['wins']} won, {row['losses']} lost")
    yield figure("max drawdown", percent(row["max_drawdown"]))
    if "limits" in row:
        yield heading("\nHow much of each limit is used")
        yield from _limits(row)
    own = [each for each in known.lists.trades if each["va_id"] == row["va_id"]]
    if own:
        yield heading("\nIts last trades")
        for each in own[:ROWS_SHOWN]:
            yield _trade_line(each)
    yield heading("\nIts newest decisions")
    made = [each for each in known.picture["decisions"] if each["va_id"] == row["va_id"]]
    for each in made[:ROWS_SHOWN]:
        yield decision_line(each)
    if not made:
        yield Text("none yet", style=FAINT)


def _whether_it_may_enter(row: Row, picture: Picture) -> Iterator[Text]:
    if row["status"] == "active":
        yield Text("may enter", style=GOOD)
        return
    why = Text("may not enter: ", style=STRONG)
    yield Text().append_text(why).append_text(status_text(row))
    yield Text(WHAT_ENDS_IT.get(row["status"], ""), style=FAINT)
    until_ns, whole = row.get("cooldown_until_ns"), limit_of(row, "COOLDOWN_DURATION_SECONDS")
    if until_ns is not None and whole:
        left_ns = max(0, until_ns - picture["now_ns"])
        part = Decimal(left_ns) / SECOND_NS / whole
        said = f"  {minutes_and_seconds(left_ns)} of {minutes_and_seconds(int(whole * SECOND_NS))}"
        yield figure("cooldown", bar(part, 2 * WIDE_METER, WAIT), said)


def _limits(row: Row) -> Iterator[Text]:
    """What is used of what, with the two numbers. What the engine does not tell is left out."""
    if row.get("daily_loss") is not None:
        loss = max(ZERO, Decimal(row["daily_loss"]))
        yield used("daily loss", loss, limit_of(row, "MAX_DAILY_LOSS"), money(loss))
    drawdown = Decimal(row["drawdown"]) * 100
    most = limit_of(row, "MAX_DRAWDOWN_PERCENTAGE")
    yield used("drawdown", drawdown, most, f"{drawdown:.2f}", "%")
    if "exposure" in row:
        held = Decimal(row["exposure"])
        yield used("position size", held, limit_of(row, "MAX_POSITION_SIZE"), money(held))
    for name, field, setting in (
        ("positions", "open_positions", "MAX_OPEN_POSITIONS_PER_VA"),
        ("entries today", "entries_today", "MAX_TRADES_PER_DAY"),
        ("loss streak", "loss_streak", "MAX_LOSS_COOLDOWN"),
    ):
        if field in row:
            yield used(name, Decimal(row[field]), limit_of(row, setting), str(row[field]))


def _trade_line(row: Row) -> Text:
    line = Text().append(f"{clock(row['at_ns'])} ", style=FAINT)
    line.append(f"{printable(row['symbol'])} {row['side']}  ")
    return line.append_text(result(Decimal(row["pnl"]))).append(f"  {row['exit_reason']}", FAINT)


KIND = PanelKind(
    name="accounts",
    digit="1",
    key="va_id",
    words=("va_id", "status", "status_text", "symbol"),
    empty=("no accounts: open one with", "pointsman accounts add VA001 --balance 100000"),
    columns=COLUMNS,
    describe=describe,
)

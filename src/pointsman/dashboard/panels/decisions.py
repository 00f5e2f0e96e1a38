"""The decisions: what was asked for, and why it was refused, in numbers."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from rich.text import Text

from pointsman.dashboard.bars import WIDE_METER
from pointsman.dashboard.cells import Row, at, by, quantity, side_cell, word
from pointsman.dashboard.panels.figures import decision_line, figure, heading
from pointsman.dashboard.panels.kind import Known, PanelKind, Told
from pointsman.dashboard.theme import FAINT, GOOD, WAIT
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Check
from pointsman.terminal.measures import allowed, measured
from pointsman.terminal.tables import Column

REASON_WIDTH = 20
"""Characters that a reason stands in."""

BLOCK = "█"

REASONS_SHOWN = 6
"""How many reasons stand in the histogram."""


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


def columns(zone: str) -> tuple[Column, ...]:
    """The columns; times that were measured stand on the clock of `zone`."""

    def value(row: Row) -> str:
        found = refused_for(row)
        return "" if found is None else _brief(found[0], measured(found[0], zone))

    def limit(row: Row) -> str:
        found = refused_for(row)
        return "" if found is None else _brief(found[0], allowed(*found, zone))

    def meaning(row: Row) -> Text:
        return Text("" if row["reason"] is None else Reason[row["reason"]].sentence, style=FAINT)

    return (
        Column("Decision", at("at_ns"), room=8, order=by("at_ns")),
        Column("account", word("va_id"), is_whole=True, order=by("va_id")),
        Column("symbol", word("symbol"), room=7, is_whole=True, order=by("symbol")),
        Column("side", side_cell, room=5, is_whole=True, order=by("side")),
        Column("qty", quantity("quantity"), 1, is_aligned=True, room=8, is_whole=True),
        Column("result", _verdict, room=17, is_whole=True, order=by("reason")),
        Column("measured", value, room=9),
        Column("must be", limit, room=10),
        Column("signal", word("signal_id"), 2, room=10),
        Column("meaning", meaning, 3, room=40),
    )


def _brief(check: Check, text: str) -> str:
    """Without days, fractions and idle seconds, which the story has."""
    if check.rule is Reason.COOLDOWN:
        return re.sub(r"\.\d+", "", text)
    if check.rule is not Reason.OUTSIDE_WINDOW:
        return text
    words = (each.partition(".")[0] for each in text.split() if "-" not in each)
    return " ".join(each.removesuffix(":00") if each.count(":") == 2 else each for each in words)


def describe(row: Row, known: Known) -> Told:
    """What was measured and what it had to be, and how often each reason refuses."""
    title = f"Decision on {row['signal_id']}"
    return Told(title, _lines(row, known), reasons(known, row["reason"]), is_in_story=True)


def _lines(row: Row, known: Known) -> Iterator[Text]:
    yield decision_line(row)
    found = refused_for(row)
    if found is not None:
        check, side = found
        yield Text(check.rule.sentence)
        yield figure("measured", measured(check, known.zone))
        yield figure("must be", allowed(check, side, known.zone))


def reasons(known: Known, chosen: str | None = None) -> Iterator[Text]:
    """How often each reason has refused today, below a line that says so; the `chosen` one stands
    out."""
    when, counts = refusals(known)
    if counts:
        yield heading(f"\nWhy refused, {when}")
        yield from histogram(counts, REASONS_SHOWN, WIDE_METER, chosen)


def refusals(known: Known) -> tuple[str, Mapping[str, int]]:
    """How often each reason has refused today, and how far that reaches. Where it cannot be read,
    how often it is among the newest decisions."""
    if known.lists.refusals:
        counted = known.lists.counted
        when = "today" if counted is None else f"today, of the newest {counted:,}"
        return when, known.lists.refusals
    newest = known.picture["decisions"]
    counts = Counter(each["reason"] for each in newest if each["reason"] is not None)
    return f"of the newest {len(newest)}", counts


def histogram(
    counts: Mapping[str, int], lines: int, width: int, chosen: str | None = None
) -> Iterator[Text]:
    """The most frequent reasons, each with a bar of at most this width and how often; the rest is
    summed up in the last line."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    rest = ordered[lines - 1 :] if len(ordered) > lines else []
    most = max(counts.values(), default=0)
    for reason, count in ordered[: len(ordered) - len(rest)]:
        tone = WAIT if reason == chosen or chosen is None else FAINT
        line = Text(f"{'>' if reason == chosen else ' '}{reason:<{REASON_WIDTH}}")
        length = -(-count * width // most)
        yield line.append(BLOCK * length, style=tone).append(f" {count:,}")
    if rest:
        total = sum(count for _, count in rest)
        yield Text(f" {len(rest)} more reasons: {total:,}", style=FAINT)


def kind(zone: str) -> PanelKind:
    """The panel of decisions."""
    return PanelKind(
        name="decisions",
        digit="3",
        key="signal_id",
        words=("signal_id", "va_id", "symbol", "side", "outcome", "reason"),
        empty=(
            "no decisions yet: send a signal by POST /api/v1/signals,",
            "or start with --signals FILE",
        ),
        columns=columns(zone),
        describe=describe,
    )

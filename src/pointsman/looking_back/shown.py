"""What-if for people: a row a run, and what each rule refused."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from pointsman.domain.money import ZERO, exact
from pointsman.domain.reasons import Reason
from pointsman.looking_back.shadows import ByRule
from pointsman.looking_back.whatif import WhatIf
from pointsman.reading.documents import Document
from pointsman.terminal.tables import Column, Listing
from pointsman.terminal.text import signed_money


class Row(msgspec.Struct, frozen=True):
    """One run."""

    settings: str
    report: Document
    changed: str
    is_modelled: bool


class _Refusal(msgspec.Struct, frozen=True):
    settings: str
    reason: Reason
    rule: ByRule


def draw(found: WhatIf) -> RenderableType:
    """The runs, the recorded one first, and what each rule refused in each."""
    rows = [Row("as it was", found.base, "", False)]
    rows += [
        Row(name_of(run.settings), run.report, f"{run.decisions_changed:,}", run.is_modelled)
        for run in found.runs
    ]
    parts: list[RenderableType] = [
        Listing("What if", _RUNS, rows),
        Text(),
        Listing(
            "Refused, and what that would have brought (modelled)", _RULES, [*_refusals(found)]
        ),
    ]
    if any(run.is_modelled for run in found.runs):
        parts += [Text(), Text("A run is modelled where it holds what never was at a venue.")]
    return Group(*parts)


def name_of(settings: Mapping[str, str]) -> str:
    """Changed settings in one line."""
    return " ".join(f"{name}={value}" for name, value in settings.items()) or "no change"


def result_of(report: Document) -> Decimal:
    """What a run earned, closed and open together, over all accounts."""
    with exact():
        return sum(
            (
                Decimal(each["realized_pnl"]) + Decimal(each["unrealized_pnl"])
                for each in report["accounts"].values()
            ),
            ZERO,
        )


def drawdown_of(report: Document) -> Decimal:
    """The deepest fall of any account."""
    return max(
        (Decimal(each["max_drawdown"]) for each in report["accounts"].values()), default=ZERO
    )


def _refusals(found: WhatIf) -> Iterator[_Refusal]:
    for name, rules in (
        ("as it was", found.by_rule),
        *((name_of(run.settings), run.by_rule) for run in found.runs),
    ):
        for reason, rule in rules.items():
            yield _Refusal(name, reason, rule)


_RUNS = (
    Column("settings", lambda row: row.settings, folds=True),
    Column("result", lambda row: signed_money(result_of(row.report)), is_right=True),
    Column("trades", lambda row: f"{len(row.report['trades']):,}", is_right=True),
    Column("max fall", lambda row: f"{drawdown_of(row.report) * 100:.2f} %", is_right=True),
    Column("accepted", lambda row: f"{row.report['signals']['accepted']:,}", is_right=True),
    Column("refused", lambda row: f"{row.report['signals']['refused']:,}", is_right=True),
    Column("changed", lambda row: row.changed, is_right=True),
    Column("modelled", lambda row: "yes" if row.is_modelled else "", 1),
)
_RULES = (
    Column("settings", lambda row: row.settings, 1, folds=True),
    Column("rule", lambda row: row.reason.value),
    Column("refused", lambda row: f"{row.rule.refused:,}", is_right=True),
    Column("would have", lambda row: signed_money(row.rule.would_have_earned), is_right=True),
)

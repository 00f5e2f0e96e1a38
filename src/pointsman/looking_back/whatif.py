"""What-if: a run as it was, and as it might have been under other limits (RULES 54).

First level: the recorded events are decided again (`again.py`), all sets of changes in one pass
over the journal. Second level: recorded quotes and signals run again through the whole engine and
the paper venue (`run_again.py`). Both give the same kind of result.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from pointsman.domain.accounts import EquityPoint
from pointsman.domain.events import SignalReceived
from pointsman.domain.money import plain
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Decision
from pointsman.looking_back.again import Again, quotes_of
from pointsman.looking_back.changes import Changes, Period
from pointsman.looking_back.recorded import recorded
from pointsman.looking_back.scratch import scratch
from pointsman.looking_back.shadows import ByRule, Shadows
from pointsman.reading.documents import Document
from pointsman.reading.equity import Span, equity_document, read_equity
from pointsman.reading.report import build_report
from pointsman.storage.journal import Turn, turns


class Outcome(msgspec.Struct, frozen=True):
    """What a run came to under some settings. `decisions_changed` counts the signals that were
    answered otherwise than in the recorded run: accepted instead of refused or the other way, or
    refused by another rule."""

    settings: Mapping[str, str]
    report: Document
    is_modelled: bool
    decisions_changed: int
    by_rule: Mapping[Reason, ByRule]
    equity: Sequence[EquityPoint] = ()


class WhatIf(msgspec.Struct, frozen=True):
    """The recorded run, what each rule refused in it, and its runs under other settings."""

    base: Document
    by_rule: Mapping[Reason, ByRule]
    runs: Sequence[Outcome]
    equity: Sequence[EquityPoint] = ()


def decide_again(
    database: Path, sets: Sequence[Changes], fee_bps: Decimal, period: Period
) -> WhatIf:
    """The first level. Raises CannotDecide and StorageError."""
    shadows = Shadows(fee_bps)
    passes = [Again(changes, period, fee_bps) for changes in sets]
    with recorded(database) as then:
        for turn in turns(then.connection):
            _follow(shadows, turn)
            for each in passes:
                each.take(turn)
                decision = _refused_in(each, turn)
                if decision is not None and isinstance(turn.event, SignalReceived):
                    balance = each.balance_of(decision.va_id)
                    if balance is not None:
                        shadows.refuse(turn.event, decision, balance)
        base, decisions = build_report(then.connection), then.decisions()
        refused = [
            (key, decision.reason)
            for key, decision in decisions.items()
            if decision.reason is not None and period.has(decision.decided_at_ns)
        ]
        return WhatIf(
            base=base,
            by_rule=shadows.by_rule(refused),
            runs=[_outcome(each, shadows, decisions) for each in passes],
            equity=read_equity(then.connection, Span()),
        )


def _follow(shadows: Shadows, turn: Turn) -> None:
    """Have the shadows live through a recorded turn."""
    if turn.event is None:
        return
    for quote in quotes_of(turn.event):
        shadows.see(quote)
    shadows.follow(turn.event, turn.changes)


def _refused_in(again: Again, turn: Turn) -> Decision | None:
    """The refusal of the signal of a turn, if it is one."""
    if not isinstance(turn.event, SignalReceived):
        return None
    decision = again.decided.get(turn.event.signal.signal_id)
    return None if decision is None or decision.reason is None else decision


def _outcome(again: Again, shadows: Shadows, then: Mapping[str, Decision]) -> Outcome:
    with scratch(again.records, again.last_ns) as connection:
        return Outcome(
            settings=again.changes.values,
            report=build_report(connection),
            is_modelled=again.is_modelled,
            decisions_changed=changed(then, again.decided),
            by_rule=shadows.by_rule(again.refusals()),
            equity=read_equity(connection, Span()),
        )


def changed(then: Mapping[str, Decision], now: Mapping[str, Decision]) -> int:
    """How many signals were answered otherwise."""
    return sum(_answer(then.get(key)) != _answer(now.get(key)) for key in then.keys() | now.keys())


def _answer(decision: Decision | None) -> tuple[object, ...] | None:
    return None if decision is None else (decision.outcome, decision.reason)


def whatif_document(found: WhatIf, *, has_equity: bool = False) -> Document:
    """All of it for programs."""
    document: Document = {"base": found.base, "by_rule": _by_rule(found.by_rule)}
    if has_equity:
        document["equity"] = [equity_document(point) for point in found.equity]
    document["runs"] = [
        {
            "settings": dict(run.settings),
            "report": run.report,
            "modelled": run.is_modelled,
            "decisions_changed": run.decisions_changed,
            "by_rule": _by_rule(run.by_rule),
            **({"equity": [equity_document(each) for each in run.equity]} if has_equity else {}),
        }
        for run in found.runs
    ]
    return document


def _by_rule(rules: Mapping[Reason, ByRule]) -> Document:
    return {
        reason.value: {
            "refused": each.refused,
            "would_have_earned": plain(each.would_have_earned),
        }
        for reason, each in rules.items()
    }

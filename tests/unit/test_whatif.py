"""What-if, first level: the same where nothing changed, sound where anything did (RULES 54)."""

import random
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pointsman.config.settings import load_settings
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Outcome as Answer
from pointsman.looking_back.changes import Changes, Period
from pointsman.looking_back.whatif import WhatIf, decide_again, whatif_document
from pointsman.reading.report import build_report
from pointsman.storage import reader
from pointsman.storage.reader import open_reader
from tests.looked_back import Session, changes, session
from tests.story_database import Day, lived_day

FEE_BPS = Decimal(1)
WHOLE = Period()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return session(tmp_path_factory.mktemp("looked-back"))


def found(told: Session, *sets: Changes, period: Period = WHOLE) -> WhatIf:
    return decide_again(told.database, sets, FEE_BPS, period)


def as_recorded(told: Session) -> Any:
    with closing(open_reader(told.database)) as connection:
        return build_report(connection), reader.decisions(connection)


def test_without_a_change_the_report_is_the_recorded_one_and_the_file_the_same_bytes(
    told: Session,
) -> None:
    before = told.database.read_bytes()
    report, _ = as_recorded(told)
    looked = found(told, changes(MAX_SPREAD_BPS="10.00"))
    (run,) = looked.runs
    assert report["signals"]["refused"] > 20
    assert len(report["trades"]) > 20
    assert looked.base == run.report == report
    assert (run.decisions_changed, run.is_modelled) == (0, False)
    assert run.by_rule == looked.by_rule
    assert told.database.read_bytes() == before
    assert [point.equity for point in run.equity] == [point.equity for point in looked.equity]


def test_a_tighter_limit_refuses_what_was_beyond_it_and_what_came_of_it_is_gone(
    told: Session,
) -> None:
    _, decisions = as_recorded(told)
    (run,) = found(told, changes(MAX_SPREAD_BPS="0.1")).runs
    entered = [each for each in decisions if each.outcome is Answer.ACCEPTED and each.limit_price]
    assert run.by_rule[Reason.SPREAD].refused >= len(entered) // 2
    ids = {trade["signal_id"] for trade in run.report["trades"]}
    assert ids <= {each.signal_id for each in entered}
    assert not run.is_modelled or run.report["signals"]["accepted"]


def test_a_wider_limit_lets_in_what_it_refused_and_says_that_it_is_modelled(told: Session) -> None:
    looked = found(told, changes(MAX_LOSS_COOLDOWN="0", MAX_POSITION_SIZE="1000000"))
    (run,) = looked.runs
    assert looked.by_rule[Reason.COOLDOWN].refused > 0
    assert Reason.COOLDOWN not in run.by_rule
    assert Reason.MAX_POSITION_SIZE not in run.by_rule
    assert run.is_modelled
    assert run.report["signals"]["accepted"] > looked.base["signals"]["accepted"]
    kinds = {incident["kind"] for incident in run.report["incidents"]}
    assert kinds <= {"CLIPPED"}, "what is modelled is no incident"


def test_outside_of_the_period_all_is_as_it_was(told: Session) -> None:
    report, decisions = as_recorded(told)
    middle = decisions[len(decisions) // 2].decided_at_ns
    late = Period(from_ns=decisions[-1].decided_at_ns + 1)
    tight = changes(MAX_POSITION_SIZE="1")
    (unchanged,) = found(told, tight, period=late).runs
    assert unchanged.report == report
    (run,) = found(told, tight, period=Period(from_ns=middle)).runs
    refused = run.by_rule[Reason.MAX_POSITION_SIZE].refused
    assert 0 < refused < found(told, tight).runs[0].by_rule[Reason.MAX_POSITION_SIZE].refused


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_changed_money_adds_up_and_every_signal_has_its_answer(
    told: Session, seed: int
) -> None:
    dice = random.Random(seed)
    sets = [
        changes(**{name: dice.choice(values) for name, values in dice.sample(SETTINGS, 3)})
        for _ in range(4)
    ]
    looked = found(told, *sets)
    for run in looked.runs:
        signals = run.report["signals"]
        assert signals["accepted"] + signals["refused"] >= looked.base["signals"]["accepted"]
        assert sum(signals["by_reason"].values()) == signals["refused"]
        for va_id, account in run.report["accounts"].items():
            trades = [each for each in run.report["trades"] if each["va_id"] == va_id]
            held = [each for each in run.report["positions"] if each["va_id"] == va_id]
            earned = sum((Decimal(each["pnl"]) for each in trades), Decimal(0))
            earned += sum((Decimal(each["realized_to_date"]) for each in held), Decimal(0))
            assert Decimal(account["balance"]) == 100_000 + earned, (run.settings, va_id)
            assert account["trades"] == len(trades)


SETTINGS = [
    ("MAX_LOSS_COOLDOWN", ("0", "1", "9")),
    ("COOLDOWN_DURATION_SECONDS", ("1", "30", "3000")),
    ("MAX_SPREAD_BPS", ("1", "3", "100")),
    ("MAX_SLIPPAGE_BPS", ("0", "1", "50")),
    ("MAX_POSITION_SIZE", ("1000", "5000", "50000")),
    ("STOP_LOSS_PERCENTAGE", ("0.05", "0.2", "9")),
    ("MAX_OPEN_POSITIONS_PER_VA", ("1", "2")),
    ("MAX_DAILY_LOSS", ("1", "5")),
    ("MAX_DRAWDOWN_PERCENTAGE", ("0.001", "0.01")),
    ("GLOBAL_MAX_DRAWDOWN_PERCENTAGE", ("0.001", "0.01")),
    ("GLOBAL_MAX_DAILY_LOSS", ("1", "20")),
    ("MAX_TRADES_PER_DAY", ("1", "10")),
    ("LOSS_SIZE_DECAY", ("", "1:0.1")),
    ("ENTRY_SIDES", ("long", "short")),
    ("TRADING_WINDOW_START", ("09:40", "12:00")),
    ("VA001__MAX_LOSS_COOLDOWN", ("0", "1")),
]


def test_a_day_of_restarts_money_moved_and_late_reports_is_decided_again_to_the_same(
    tmp_path: Path,
) -> None:
    lived = Session(lived_day().store(tmp_path / "lived.db"), load_settings())
    looked = found(lived, changes(MAX_SPREAD_BPS="10"))
    assert looked.runs[0].report == looked.base
    (tight,) = found(lived, changes(MAX_SPREAD_BPS="0")).runs
    assert tight.report["signals"]["accepted"] < looked.base["signals"]["accepted"]


@pytest.mark.parametrize("quantity", [10, 20])
def test_a_signal_that_came_again_closes_nothing_of_what_was_refused_since(
    tmp_path: Path, quantity: int
) -> None:
    """With the same content, and with other content under its id."""
    earned = []
    for comes_again in (False, True):
        day = Day()
        day.signal(1_000, "short", side=SignalSide.SELL, quantity=Decimal(10), quote_ms=0)
        day.signal(2_000, "long", quantity=Decimal(10), quote_ms=1_000)
        if comes_again:
            day.signal(
                3_000, "short", first=day.first("short"), side=SignalSide.SELL,
                quantity=Decimal(quantity), ts_ns=day.at_ns(1_000),
            )  # fmt: skip
        day.signal(4_000, "last", va_id="VA002", bid="160.38")
        lived = Session(day.store(tmp_path / f"{comes_again}.db"), day.settings)
        earned.append(found(lived).by_rule[Reason.LATENCY])
    assert earned[0] == earned[1]
    assert earned[0].refused == 2
    assert earned[0].would_have_earned > 15


def test_the_document_is_that_of_the_contract(told: Session) -> None:
    looked = found(told, changes(MAX_LOSS_COOLDOWN="0"))
    document = whatif_document(looked)
    assert list(document) == ["base", "by_rule", "runs"]
    (run,) = document["runs"]
    assert list(run) == ["settings", "report", "modelled", "decisions_changed", "by_rule"]
    assert run["settings"] == {"MAX_LOSS_COOLDOWN": "0"}
    assert set(document["by_rule"]["COOLDOWN"]) == {"refused", "would_have_earned"}

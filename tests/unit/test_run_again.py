"""What-if, second level: the same files run again give the recorded report, exactly (RULES 54)."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pointsman.config.settings import load_settings
from pointsman.domain.reasons import Reason
from pointsman.looking_back.changes import Changes, Period
from pointsman.looking_back.run_again import Tape, run_again
from pointsman.market.layout import Layout
from pointsman.reading.report import build_report
from pointsman.service.clean_stop import Stop
from pointsman.service.feeds import recorded_feed
from pointsman.service.recorded_run import run_fast
from pointsman.storage.reader import open_reader
from tests.integration.sessions import busy_session

SETTINGS = {"TRADING_WINDOW_START": "00:00", "TRADING_WINDOW_END": "24:00"}


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    quotes, signals = busy_session(tmp_path_factory.mktemp("busy"), seed=3, seconds=40)
    return Tape((quotes,), Layout(), signals)


@pytest.fixture(scope="module")
def database(tape: Tape, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "trading.db"
    played(tape, path, SETTINGS)
    return path


def played(tape: Tape, path: Path, settings: dict[str, str]) -> Any:
    own = load_settings(settings)
    feed = recorded_feed(tape.files, tape.layout, tape.signals, 0, own)
    run_fast(feed, own, path, None, Stop(), lambda *_: None)
    with closing(open_reader(path)) as connection:
        return build_report(connection)


def changed(values: dict[str, str]) -> Changes:
    return Changes(values, load_settings({**SETTINGS, **values}))


def test_without_a_change_it_is_the_recorded_run_and_with_one_that_of_its_settings(
    tape: Tape, database: Path, tmp_path: Path
) -> None:
    values = {"MAX_SPREAD_BPS": "1", "PAPER_FEE_BPS": "5"}
    before = database.read_bytes()
    found = run_again(
        database, [changed({}), changed(values)], load_settings(SETTINGS), tape, Period(), Stop()
    )
    same, other = found.runs
    assert same.report == found.base
    assert (same.decisions_changed, same.is_modelled) == (0, True)
    assert other.report == played(tape, tmp_path / "own.db", {**SETTINGS, **values})
    assert other.decisions_changed > 0
    assert other.by_rule[Reason.SPREAD].refused > 0
    assert database.read_bytes() == before


def test_the_signals_may_be_those_that_the_database_received(tape: Tape, database: Path) -> None:
    own = Tape(tape.files, tape.layout, None)
    found = run_again(database, [changed({})], load_settings(SETTINGS), own, Period(), Stop())
    (run,) = found.runs
    assert run.report["trades"] == found.base["trades"]
    assert run.decisions_changed == 0


def test_without_a_database_the_base_is_a_run_under_the_settings_as_they_are(tape: Tape) -> None:
    assert tape.signals is not None
    first = json.loads(tape.signals.read_text().splitlines()[0])["ts"]
    late = Period(from_ns=2**62)
    found = run_again(None, [changed({})], load_settings(SETTINGS), tape, late, Stop())
    assert first
    assert found.base["quotes"] == 0
    assert found.base == found.runs[0].report

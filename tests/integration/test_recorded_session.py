"""A recorded day of a real stock through the whole program, and an auditor that shares no code with
it.

The issue's own commands, run as a user would, on data that nobody here made; skipped where the data
is not.
"""

import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.audit.auditor import audit
from tests.integration.sessions import ACCOUNTS, pointsman, report_of, rows

DEADLINE_SECONDS = 2.0


class Session(NamedTuple):
    """One of the recorded sessions, and what its run gave."""

    market: Path
    signals: Path
    settings: dict[str, str]
    folder: Path
    result: subprocess.CompletedProcess[str]

    @property
    def database(self) -> Path:
        return self.folder / "t.db"

    @property
    def report(self) -> dict[str, Any]:
        return report_of(self.result)


CASES = {
    "ordinary": ("canonical/xxx_2018-01-02.csv.gz", "signals_2018-01-02.jsonl", {}),
    "large": (
        "canonical/xxx_2018-01-02.csv.gz",
        "signals_2018-01-02_large.jsonl",
        {"MAX_POSITION_SIZE": "90000"},
    ),
    "all venues mixed": ("us-stock/xxx_2018-01-02_quotes.csv.gz", "signals_2018-01-02.jsonl", {}),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def session(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Session:
    """A session that has been run once."""
    market, signals, settings = CASES[request.param]
    folder = tmp_path_factory.mktemp("session")
    files = (shared_data / market, shared_data / "canonical" / signals)
    return Session(*files, settings, folder, play(files, settings, folder / "t.db"))


def play(
    files: tuple[Path, Path], settings: dict[str, str], database: Path
) -> subprocess.CompletedProcess[str]:
    market, signals = files
    return pointsman(
        database.parent,
        "run",
        *("--market", str(market), "--signals", str(signals), "--speed", "max"),
        *("--json", "--db", str(database)),
        settings=settings,
    )


def test_the_auditor_finds_nothing(session: Session) -> None:
    report = session.folder / "report.json"
    report.write_text(session.result.stdout)
    findings = audit(
        [session.market],
        session.signals,
        report,
        session.database,
        session.database.with_name("t.paper.db"),
        [f"VIRTUAL_ACCOUNTS={ACCOUNTS}", *(f"{k}={v}" for k, v in session.settings.items())],
    )
    assert findings == []


def test_rule_11_every_signal_id_has_exactly_one_decision(session: Session) -> None:
    ids = {json.loads(line)["signal_id"] for line in session.signals.read_text().splitlines()}
    decided = [
        signal_id for (signal_id,) in rows(session.database, "SELECT signal_id FROM decisions")
    ]
    assert sorted(decided) == sorted(ids)
    counts = session.report["signals"]
    parts = ("accepted", "refused", "duplicates", "malformed")
    assert counts["received"] == sum(counts[part] for part in parts)


def test_rule_25_naked_time_is_within_the_deadline_but_for_exits_that_find_no_size(
    session: Session,
) -> None:
    naked = float(session.report["protection"]["naked_seconds_max"])
    unfilled = [i for i in session.report["incidents"] if i["kind"] == "EXIT_UNFILLED"]
    assert naked > 0
    assert naked <= DEADLINE_SECONDS or unfilled
    assert not [i for i in session.report["incidents"] if i["kind"] == "NAKED_POSITION"]


def test_rule_5_the_same_run_twice_gives_the_same_bytes(session: Session, tmp_path: Path) -> None:
    again = play((session.market, session.signals), session.settings, tmp_path / "t.db")
    texts = [result.stdout.partition('"wall_seconds"')[0] for result in (session.result, again)]
    assert texts[0] == texts[1]
    assert len(texts[0]) > 10_000


def test_rule_5_a_finished_run_is_only_reported_again(session: Session) -> None:
    turns = rows(session.database, "SELECT count(*) FROM journal")
    again = play((session.market, session.signals), session.settings, session.database)
    assert {**report_of(again), "wall_seconds": 0} == {**session.report, "wall_seconds": 0}
    assert rows(session.database, "SELECT count(*) FROM journal") == turns


def test_rule_5_another_run_is_refused_and_told_what_differs(session: Session) -> None:
    other = session.settings | {"MAX_SPREAD_BPS": "9"}
    refused = play((session.market, session.signals), other, session.database)
    assert refused.returncode == 3
    assert "settings differ" in refused.stderr


def test_rule_33_the_journal_check_passes_and_fails_on_one_changed_byte(
    session: Session, tmp_path: Path
) -> None:
    check = pointsman(tmp_path, "journal", "check", "--db", str(session.database))
    assert check.returncode == 0, check.stdout + check.stderr

    copy = tmp_path / "copy.db"
    with sqlite3.connect(session.database) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    for table, change in {
        "journal": "UPDATE journal SET payload = payload || ' ' WHERE sequence = 9",
        "fills": "UPDATE fills SET price = '1' || price WHERE rowid = 7",
        "decisions": "UPDATE decisions SET value = '0' WHERE rowid = 5",
        "trades": "DELETE FROM trades WHERE rowid = 3",
    }.items():
        damaged = tmp_path / f"{table}.db"
        with sqlite3.connect(copy) as source, sqlite3.connect(damaged) as target:
            source.backup(target)
            target.execute(change)
            target.commit()
        found = pointsman(tmp_path, "journal", "check", "--db", str(damaged))
        assert found.returncode == 5, (table, found.stdout)
        assert table in found.stdout + found.stderr

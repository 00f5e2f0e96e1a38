"""A scratch database reads like any other."""

from contextlib import closing
from pathlib import Path

from pointsman.looking_back.scratch import scratch
from pointsman.reading.report import build_report
from pointsman.storage.ahead import Ahead
from pointsman.storage.journal import turns
from pointsman.storage.reader import open_reader
from tests.story_database import lived_day


def test_records_that_are_laid_in_it_give_the_report_of_their_database(
    tmp_path: Path,
) -> None:
    path = lived_day().store(tmp_path / "trading.db")
    records, last_ns = Ahead(), 0
    with closing(open_reader(path)) as connection:
        for turn in turns(connection):
            records.take_turn(turn.changes)
            last_ns = turn.time_ns
        with scratch(records, last_ns) as copy:
            assert build_report(copy) == build_report(connection)

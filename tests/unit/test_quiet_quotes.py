"""Rows that change nothing but the newest quote are taken without an instant for each: what is
decided, and when, is the same as with one for each."""

from pathlib import Path

import pytest

from pointsman.config.settings import resolve_settings
from pointsman.engine import playback
from pointsman.market.layout import Layout
from pointsman.service import recorded_run
from pointsman.service.clean_stop import Stop
from pointsman.service.feeds import recorded_feed
from tests.integration.sessions import busy_session, rows

SETTINGS = {
    "VIRTUAL_ACCOUNTS": "VA001:100000,VA002:100000,VA003:100000,VA004:100000,VA005:100000",
    "TRADING_WINDOW_START": "00:00",
    "TRADING_WINDOW_END": "24:00",
    "MAX_LOSS_COOLDOWN": "0",
    "RECONCILE_INTERVAL_SECONDS": "5",
}


def sparse_session(folder: Path, seed: int) -> tuple[Path, Path]:
    """A busy session of which most signals are left out, so that orders rest meanwhile, with every
    row of a second symbol beside that of the first."""
    quotes, signals = busy_session(folder, seed, 120)
    lines = signals.read_text("utf-8").splitlines(keepends=True)
    signals.write_text("".join(lines[::9]), "utf-8")
    header, *quoted = quotes.read_text("utf-8").splitlines(keepends=True)
    beside = (f"{line}{line.replace(',ABC,', ',XYZ,')}" for line in quoted)
    quotes.write_text("".join((header, *beside)), "utf-8")
    return quotes, signals


def journal(folder: Path, files: tuple[Path, Path], most: int) -> list[tuple[object, ...]]:
    """What a run decides, and when, with at most `most` quiet rows at once."""
    settings = resolve_settings(SETTINGS, None, {}).settings
    quotes, signals = files
    database = folder / f"{most}.db"
    feed = recorded_feed((quotes,), Layout(), signals, 0, settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(playback, "QUIET_ROWS_MAX", most)
        recorded_run.run_fast(feed, settings, database, None, Stop(), lambda *_: None)
    return rows(database, "SELECT sequence, time_ns, kind, payload FROM journal ORDER BY sequence")


@pytest.mark.parametrize("seed", range(3))
def test_quiet_rows_leave_the_journal_as_it_is_with_an_instant_for_each(
    tmp_path: Path, seed: int
) -> None:
    files = sparse_session(tmp_path, seed)
    with_instants = journal(tmp_path, files, 0)
    assert len(with_instants) > 50
    assert journal(tmp_path, files, 256) == with_instants
    assert journal(tmp_path, files, 3) == with_instants

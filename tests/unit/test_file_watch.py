"""Files that are removed or replaced under the engine: held, named, told once, and never called a
success at the end."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from pointsman.engine.embedded import open_engine
from pointsman.engine.file_watch import FilesLost, FileWatch
from pointsman.execution.last_check import Hold
from pointsman.execution.outbox import StorageHeld
from pointsman.storage import reader
from pointsman.storage.file_identity import identities
from tests.unit.test_embedded import BUY, SETTINGS, quote
from tests.unit.test_same_account import until


class Watched:
    """A watch on two files, and what it holds."""

    def __init__(self, folder: Path) -> None:
        self.database, self.ledger = folder / "t.db", folder / "t.paper.db"
        for path in (self.database, self.ledger):
            path.touch()
        self.is_held = False
        self.watch = FileWatch(identities((self.database, self.ledger)), self._hold)

    def _hold(self, why: str) -> None:
        self.is_held = bool(why)


def test_rule_60_a_lost_file_holds_until_it_is_put_back_and_is_told_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watch = watched.watch
    watch.look()
    assert (watched.is_held, watch.lost(), watch.take_news()) == (False, {}, [])
    watched.ledger.rename(tmp_path / "away")
    for _ in range(2):
        watch.look()
        assert watched.is_held
        assert "removed" in watch.lost()["t.paper.db"]
    [(path, fault)] = watch.take_news()
    assert (path, fault) == (watched.ledger, watch.lost()["t.paper.db"])
    (tmp_path / "away").rename(watched.ledger)
    watch.look()
    assert (watched.is_held, watch.lost(), watch.take_news()) == (False, {}, [])


def test_a_run_whose_file_was_replaced_is_no_success(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.watch.require_all()
    (tmp_path / "other").touch()
    (tmp_path / "other").replace(watched.database)
    with pytest.raises(FilesLost, match="replaced by another file"):
        watched.watch.require_all()


# -- in an engine --------------------------------------------------------------------------------


@pytest.fixture
def settings() -> Settings:
    return resolve_settings(SETTINGS, None, {}).settings


async def entry_after(
    settings: Settings, database: Path, lose: Callable[[], object], outcomes: list[object]
) -> None:
    """Add what an entry is answered after a file was lost. Ends as the engine does."""
    async with open_engine(settings, database) as engine:
        loop = engine._live._loop
        lose()
        await until(lambda: loop.holds.is_set(Hold.FILE_LOST))
        engine.feed(quote())
        try:
            decision = await engine.submit(BUY)
        except StorageHeld as held:
            outcomes.append(held)
        else:
            outcomes += [decision.outcome, decision.reason, decision.value]


@pytest.mark.parametrize("lost", ["t.db", "t.db-wal"])
async def test_rule_60_no_signal_is_accepted_into_a_database_that_was_removed(
    lost: str, settings: Settings, tmp_path: Path
) -> None:
    outcomes: list[object] = []
    with pytest.raises(FilesLost, match="was removed while the engine ran"):
        await entry_after(settings, tmp_path / "t.db", (tmp_path / lost).unlink, outcomes)
    assert isinstance(outcomes[0], StorageHeld)


async def test_rule_60_an_entry_is_refused_while_the_ledger_is_another_file(
    settings: Settings, tmp_path: Path
) -> None:
    ledger = tmp_path / "t.paper.db"

    def swap() -> None:
        shutil.copy(ledger, tmp_path / "copy")
        (tmp_path / "copy").replace(ledger)

    outcomes: list[object] = []
    with pytest.raises(FilesLost, match="was replaced by another file"):
        await entry_after(settings, tmp_path / "t.db", swap, outcomes)
    told = "t.paper.db was replaced by another file while the engine ran"
    assert outcomes == [Outcome.REFUSED, Reason.ENTRIES_HELD, told]
    with closing(reader.open_reader(tmp_path / "t.db")) as db:
        assert list(reader.orders(db)) == []
        details = [incident.detail for incident in reader.incidents(db)]
    assert any("t.paper.db was replaced" in detail for detail in details)

"""The account at a venue: where its books are, and which quotes it fills by."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from pointsman.config.problems import SettingsError
from pointsman.config.settings import resolve_settings
from pointsman.domain.accounts import Mark
from pointsman.engine.embedded import open_engine
from pointsman.engine.open_venue import ledger_path, newest_stamps
from pointsman.execution.ports import QuoteListener
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.storage.queries import EMPTY
from pointsman.venues.paper.venue import PaperVenue
from tests.conformance.bench import open_paper
from tests.unit.test_embedded import SETTINGS, quote


def test_a_link_to_a_database_leads_to_the_ledger_of_the_database(tmp_path: Path) -> None:
    (tmp_path / "real.db").touch()
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    assert ledger_path(tmp_path / "link.db") == tmp_path / "real.paper.db"


async def test_an_engine_on_paper_makes_its_ledger_beside_its_database(tmp_path: Path) -> None:
    settings = resolve_settings(SETTINGS, None, {}).settings
    async with open_engine(settings, tmp_path / "t.db") as engine:
        engine.feed(quote())
    assert ledger_path(tmp_path / "t.db").is_file()


def test_marks_and_the_ledger_tell_the_newest_stamps_together(tmp_path: Path) -> None:
    venue = open_paper(tmp_path / "p.db")
    venue.ledger.seen["XXX"] = 100
    marks = tuple(
        Mark(symbol=symbol, ts_ns=ts_ns, bid=Decimal(1), ask=Decimal(2))
        for symbol, ts_ns in (("XXX", 90), ("YYY", 200))
    )
    assert newest_stamps(replace(EMPTY, marks=marks), venue) == {"XXX": 100, "YYY": 200}
    venue.close()


def test_a_venue_with_a_market_of_its_own_hears_no_quotes() -> None:
    assert issubclass(PaperVenue, QuoteListener)
    assert not issubclass(HostileVenue, QuoteListener)


async def test_rule_35_an_account_at_a_venue_that_is_not_built_is_refused_and_nothing_made(
    tmp_path: Path,
) -> None:
    real = {"VENUE": "alpaca", "VENUE_KEY": "key", "VENUE_SECRET": "word"}
    settings = resolve_settings({**SETTINGS, **real}, None, {}).settings
    with pytest.raises(SettingsError, match="VENUE='alpaca': it is known, and not built yet"):
        async with open_engine(settings, tmp_path / "t.db"):
            pass
    assert not (tmp_path / "t.db").exists()

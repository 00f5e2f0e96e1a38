"""The account at a venue: where its books are, and which quotes it fills by."""

import time
from collections import deque
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from pointsman.config.known_venues import KNOWN_VENUES, PAPER, REAL_MONEY_SENTENCE
from pointsman.config.problems import SettingsError
from pointsman.config.settings import Settings, resolve_settings
from pointsman.domain.accounts import Mark, VenueAccount
from pointsman.domain.commands import Submit
from pointsman.domain.policy import PositionMode
from pointsman.engine.embedded import open_engine
from pointsman.engine.open_venue import (
    ADAPTERS,
    access_of,
    ledger_path,
    newest_stamps,
    open_real_venue,
)
from pointsman.engine.same_account import OtherAccount
from pointsman.execution.ports import QuoteListener
from pointsman.simulator.hostile_venue import HostileVenue
from pointsman.storage.queries import EMPTY
from pointsman.storage.reader import desk, open_reader
from pointsman.venues.adapter import Access
from pointsman.venues.bridge import RealVenue
from pointsman.venues.catalogue import CATALOGUE
from pointsman.venues.errors import VenueRefused
from pointsman.venues.outcome import Answer
from pointsman.venues.paper.venue import PaperVenue
from pointsman.venues.read_only import SentInShadow
from tests.conformance.bench import LONG, entry, open_paper
from tests.scripted_adapter import ScriptedAdapter
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


REAL = {**SETTINGS, "VENUE": "alpaca", "VENUE_KEY": "K3y-of-mine", "VENUE_SECRET": "S3cret-of-mine"}


def settings(**more: str) -> Settings:
    return resolve_settings({**REAL, **more}, None, {}).settings


class Made:
    """The adapters that were made, each of what it was given."""

    def __init__(self) -> None:
        self.adapters: list[ScriptedAdapter] = []
        self.given: list[Access] = []

    def make(self, access: Access) -> ScriptedAdapter:
        self.given.append(access)
        self.adapters.append(ScriptedAdapter())
        return self.adapters[-1]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    """Alpaca is built, and what it answers is said by a script."""
    made = Made()
    monkeypatch.setitem(ADAPTERS, "alpaca", made.make)
    return made


async def run(database: Path, **more: str) -> None:
    """A session without a signal."""
    async with open_engine(settings(**more), database) as engine:
        engine.feed(quote())


def traded_on(database: Path) -> VenueAccount:
    with closing(open_reader(database)) as connection:
        found = desk(connection)
    assert found is not None
    return found.traded_on


def test_rule_35_every_venue_that_the_settings_take_has_an_adapter_and_abilities() -> None:
    assert ADAPTERS.keys() == KNOWN_VENUES.keys()
    assert CATALOGUE.keys() == KNOWN_VENUES.keys() | {PAPER}


async def test_real_money_in_shadow_needs_no_consent_and_is_traded_on_paper(
    tmp_path: Path, made: Made
) -> None:
    database = tmp_path / "t.db"
    await run(database, VENUE_SANDBOX="false", VENUE_SHADOW="true")
    account = traded_on(database)
    assert (account.label, account.is_real_money) == ("alpaca shadow of the live account a", False)
    assert ledger_path(database).is_file(), "paper keeps its books beside the database"
    assert made.adapters[0].is_closed
    assert all(call.route.startswith("GET ") for call in made.adapters[0].calls)


def receive_for_a_while(venue: RealVenue) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        venue.receive(1)


def test_rule_49_the_account_of_a_shadow_is_opened_so_that_no_order_can_be_made(
    made: Made,
) -> None:
    shadow = settings(VENUE_SHADOW="true")
    access = access_of(shadow)
    assert access is not None
    venue = open_real_venue(shadow, access, 1)
    venue.send(Submit(entry("ABCDEF1E1", LONG, 1, "10")), 1)
    with pytest.raises(SentInShadow):
        receive_for_a_while(venue)
    venue.close()
    assert [call.route for call in made.adapters[0].calls] == ["GET /account"]


@pytest.mark.usefixtures("made")
async def test_records_of_a_shadow_are_not_those_of_its_account(tmp_path: Path) -> None:
    database = tmp_path / "t.db"
    await run(database, VENUE_SHADOW="true")
    with pytest.raises(OtherAccount, match="alpaca shadow of the sandbox account a, and the"):
        await run(database)
    await run(database, VENUE_SHADOW="true")


async def test_what_prevents_a_start_keeps_an_adapter_from_being_made(
    tmp_path: Path, made: Made
) -> None:
    with pytest.raises(SettingsError) as refused:
        await run(tmp_path / "t.db", VENUE_SANDBOX="false", VENUE_URL="https://elsewhere.example")
    names = sorted(problem.variable for problem in refused.value.problems)
    assert names == ["MAX_DAILY_LOSS", "VENUE_LIVE", "VENUE_URL"]
    assert not made.given


@pytest.mark.usefixtures("made")
def test_an_adapter_is_given_all_that_the_settings_say_of_the_account() -> None:
    access = access_of(
        settings(
            VENUE_URL="http://127.0.0.1:9101",
            VENUE_STREAM_URL="ws://127.0.0.1:9102",
            VENUE_DATA_URL="ws://localhost:9103",
            SYMBOLS="AAPL, BRK.B",
            ORDER_SETTLE_SECONDS="7.5",
        )
    )
    assert access == Access(
        key="K3y-of-mine",
        secret="S3cret-of-mine",
        is_sandbox=True,
        position_mode=PositionMode.NET,
        symbols=("AAPL", "BRK.B"),
        url="http://127.0.0.1:9101",
        stream_url="ws://127.0.0.1:9102",
        timeout_ms=4_000,
        order_settle_ns=6_500_000_000,
    )
    assert access_of(resolve_settings({}, None, {}).settings) is None


@pytest.mark.usefixtures("made")
def test_a_request_is_given_up_before_the_engine_asks_about_its_order() -> None:
    access = access_of(settings(SUBMIT_TIMEOUT_SECONDS="2"))
    assert access is not None
    assert access.timeout_ms == 1_600


async def test_rule_49_records_say_which_account_they_are_of(tmp_path: Path, made: Made) -> None:
    database = tmp_path / "t.db"
    await run(database)
    assert traded_on(database).label == "alpaca sandbox a"
    assert not traded_on(database).is_real_money
    assert made.adapters[0].is_closed
    assert not ledger_path(database).exists()


@pytest.mark.usefixtures("made")
async def test_rule_49_real_money_is_named_as_such(tmp_path: Path) -> None:
    consent = {"VENUE_LIVE": REAL_MONEY_SENTENCE, "MAX_DAILY_LOSS": "5"}
    await run(tmp_path / "t.db", VENUE_SANDBOX="false", **consent)
    account = traded_on(tmp_path / "t.db")
    assert account.is_real_money
    assert account.label == "alpaca REAL MONEY a"


@pytest.mark.parametrize("other", [{"VENUE": "paper"}, {"VENUE_SANDBOX": "false"}])
@pytest.mark.usefixtures("made")
async def test_records_are_never_used_for_another_account(
    tmp_path: Path, other: dict[str, str]
) -> None:
    database = tmp_path / "t.db"
    await run(database)
    consent = {"VENUE_LIVE": REAL_MONEY_SENTENCE, "MAX_DAILY_LOSS": "5"}
    with pytest.raises(OtherAccount, match="trades on alpaca sandbox a, and the"):
        await run(database, **consent, **other)
    await run(database)


async def test_records_of_the_paper_venue_are_not_used_at_a_real_one(
    tmp_path: Path, made: Made
) -> None:
    await run(tmp_path / "t.db", VENUE="paper")
    with pytest.raises(OtherAccount, match="trades on paper, and the settings say alpaca sandbox"):
        await run(tmp_path / "t.db")
    assert made.adapters[0].is_closed


async def test_a_venue_that_refuses_the_key_is_not_traded_on(tmp_path: Path, made: Made) -> None:
    def refusing(access: Access) -> ScriptedAdapter:
        adapter = made.make(access)
        adapter.answers["GET /account"] = deque([Answer(status=401, body={"code": "x"})])
        return adapter

    ADAPTERS["alpaca"] = refusing
    with pytest.raises(VenueRefused):
        await run(tmp_path / "t.db")
    assert made.adapters[0].is_closed

"""Prices are shown with the decimals of the tick, given or derived, and never with fewer than they
have."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from sqlite3 import Connection

import pytest
from msgspec.structs import replace

from pointsman.config.settings import resolve_settings
from pointsman.domain.events import InstrumentLearned, Started
from pointsman.domain.market import Instrument, InstrumentSteps
from pointsman.domain.signals import Outcome
from pointsman.execution.ports import JournalEntry
from pointsman.reading.lists import LISTS, ListFilter
from pointsman.reading.price_decimals import read_price_decimals
from pointsman.reading.story import read_story
from pointsman.storage.reader import open_reader
from pointsman.storage.sqlite_manager import SqliteManager
from pointsman.terminal.views import VIEWS, listing
from pointsman.terminal.why import draw_story
from tests.unit.stored_samples import START_NS, decision, fill, order, signal, trade
from tests.unit.test_tables import drawn

PIP = Decimal("0.00001")
EURUSD = Instrument("EURUSD", PIP, Decimal(1), Decimal(1), Decimal(0), "USD")
"""A given instrument; the tick of GBPUSD is derived from its quotes."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A signal in EURUSD, with what came of it, and fills in two other symbols."""
    policy = resolve_settings({}, None, {}).settings.policy({"EURUSD": EURUSD})
    bought = order(
        1,
        symbol="EURUSD",
        signal_id="s1",
        limit_price=Decimal("1.17311"),
        filled=Decimal(10),
        filled_value=Decimal("11.72533333333"),
    )
    fills = [
        replace(fill(of, f"t{number}"), symbol=of.symbol, price=Decimal(price))
        for number, (of, price) in enumerate(
            [(bought, "1.17253"), (order(2, symbol="GBPUSD"), "1.3"), (order(3), "158.4")]
        )
    ]
    closed = replace(
        trade(1), symbol="EURUSD", entry_price=Decimal("1.17253"), exit_price=Decimal("1.1725")
    )
    accepted = replace(
        decision("s1", bought.client_order_id),
        symbol="EURUSD",
        outcome=Outcome.ACCEPTED,
        reason=None,
        limit_price=Decimal("1.17311"),
        quote=None,
    )
    asked = signal("s1")
    asked = replace(asked, signal=replace(asked.signal, symbol="EURUSD", price=Decimal("1.1731")))
    learned = InstrumentSteps("GBPUSD", PIP, Decimal(1))
    path = tmp_path / "trading.db"
    manager = SqliteManager(path)
    manager.open()
    manager.append(
        [
            JournalEntry(START_NS, Started("0", "ABCDEF", policy, ()), (bought, *fills, closed)),
            JournalEntry(START_NS, InstrumentLearned("GBPUSD", PIP, Decimal(1)), (learned,)),
            JournalEntry(START_NS, InstrumentLearned("GBPUSD", PIP, Decimal(1)), (asked, accepted)),
        ]
    )
    manager.close()
    with closing(open_reader(path)) as opened:
        yield opened


def rows(connection: Connection, verb: str) -> list[str]:
    """The rows of a list as people see them."""
    found = LISTS[verb].rows(connection, ListFilter())
    decimals = read_price_decimals(connection)
    return drawn(listing(VIEWS[verb], found, ListFilter(), decimals), 250)[3:]


def test_rule_59_a_price_has_the_decimals_of_the_tick_given_or_derived(
    connection: Connection,
) -> None:
    decimals = read_price_decimals(connection)
    assert [decimals(symbol) for symbol in ("EURUSD", "GBPUSD", "AAPL")] == [5, 5, 2]


def test_lists_show_every_decimal_of_a_price_with_the_points_below_each_other(
    connection: Connection,
) -> None:
    eurusd, gbpusd, other = rows(connection, "fills")
    assert "1.17253" in eurusd.split()
    assert "1.30000" in gbpusd.split()
    assert "158.40" in other.split()
    assert eurusd.index("1.17253") + 1 == gbpusd.index("1.30000") + 1 == other.index("158.40") + 3
    (closed,) = rows(connection, "trades")
    assert {"1.17253", "1.17250"} <= set(closed.split())
    (bought,) = rows(connection, "orders")
    assert {"1.17311", "1.1725333"} <= set(bought.split())
    (asked,) = rows(connection, "signals")
    assert "1.17310" in asked.split()


def test_why_shows_every_decimal_of_a_price(connection: Connection) -> None:
    story = read_story(connection, "s1")
    assert story is not None
    told = "\n".join(drawn(draw_story(story, "UTC"), 250))
    for words in ("at 1.17310", "EURUSD at 1.17311 or better", "10 at 1.17253, fee"):
        assert words in told

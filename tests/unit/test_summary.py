"""The summary says what the report says."""

from contextlib import closing
from decimal import Decimal

import pytest
from rich.text import Text

from pointsman.reading.documents import Document
from pointsman.reading.report import build_report
from pointsman.storage.reader import open_reader
from pointsman.terminal.summary import percent, status_text, summary
from tests.story_database import lived_day
from tests.unit.test_tables import drawn


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """The report of the day."""
    path = lived_day().store(tmp_path_factory.mktemp("day") / "trading.db")
    with closing(open_reader(path)) as connection:
        return build_report(connection)


@pytest.mark.parametrize("width", [80, 200])
def test_what_matters_is_on_one_screen(report: Document, width: int) -> None:
    lines = drawn(summary(report), width)
    text = " ".join(" ".join(lines).split())
    assert len(lines) <= 24
    assert max(map(len, lines)) <= width
    assert "12,345 quotes, 8 signals, 7 orders, 6 fills, 1 trade." in text
    assert "Closed trades earned -161.37 after fees." in text
    assert "8 received: 3 accepted, 2 refused, 2 duplicates, 1 malformed." in text
    assert "1 refused by LATENCY; median quote age 1.000 s." in text
    assert "without cover: 0.02 s (0.06 s in all), without a stop: 0.02 s." in text
    assert "Still open: 1 position." in text
    assert "1 MALFORMED_SIGNAL, 1 ID_REUSED, 1 BAD_QUOTES" in text
    assert "2 bad quote rows skipped." in text


def test_several_accounts_have_a_sum(report: Document) -> None:
    (total,) = [line.split() for line in drawn(summary(report), 80) if line.startswith("all")]
    assert total[1:3] == ["149,866.02", "-152.28"]


def test_how_long_it_took_is_said_where_it_is_known(report: Document) -> None:
    assert " in 3.2 s." in drawn(summary({**report, "wall_seconds": "3.2001"}), 200)[0]


def test_one_account_needs_no_sum(report: Document) -> None:
    single = {**report, "accounts": {"VA001": report["accounts"]["VA001"]}}
    assert not [line for line in drawn(summary(single), 80) if line.startswith("all")]


def test_a_status_is_a_word_in_colour() -> None:
    assert status_text("active") == Text("active", style="green")
    assert status_text("frozen") == Text("frozen", style="bold red")


def test_a_ratio_becomes_a_percentage() -> None:
    assert percent(Decimal("0.0016136798")) == "0.16 %"


def test_what_would_have_been_done_in_shadow_is_said(report: Document) -> None:
    held = {"read_at": "", "holdings": [{"symbol": "AAPL", "quantity": "7"}], "open_orders": 0}
    shadow = {
        "since": None,
        "entries": 2,
        "closed": 1,
        "refused": 0,
        "earned_after_fees": "-161.37",
        "naked_seconds_max": "0.02",
        "account_before": held,
        "account_now": held,
    }
    text = " ".join(" ".join(drawn(summary({**report, "shadow": shadow}), 200)).split())
    assert "Shadow: would have entered 2 times, closed 1 position for -161.37 after fees," in text
    assert "the account is unchanged: it holds 7 AAPL, with 0 open orders." in text

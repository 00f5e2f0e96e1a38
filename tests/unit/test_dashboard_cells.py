"""Each row in words: what an account may do, how a stop stands, why a signal was refused."""

import pytest

from pointsman.dashboard.cells import minutes_and_seconds, span
from pointsman.dashboard.curves import Curves
from pointsman.dashboard.panels import accounts, incidents, market, orders, positions, trades
from pointsman.dashboard.panels.accounts import status_text
from pointsman.dashboard.panels.decisions import columns as decision_columns
from pointsman.dashboard.panels.positions import cover_text, worst_first
from pointsman.dashboard.theme import ALARM, WAIT
from pointsman.domain.timestamps import SECOND_NS
from pointsman.terminal.panel_grid import PanelGrid
from pointsman.terminal.tables import Column, as_text
from tests.dashboard_pictures import (
    ACCOUNTS as ACCOUNT_ROWS,
)
from tests.dashboard_pictures import (
    DECISIONS,
    LISTS,
    Document,
    account,
    busy_picture,
    position,
)
from tests.dashboard_pictures import (
    INCIDENTS as INCIDENT_ROWS,
)
from tests.dashboard_pictures import (
    POSITIONS as POSITION_ROWS,
)
from tests.dashboard_rows import shown

WIDE = 250


@pytest.mark.parametrize(
    ("cover", "naked_ms", "words"),
    [
        ("covered", 0, "confirmed"),
        ("unconfirmed", 340, "waiting 0.3 s"),
        ("unconfirmed", 0, "waiting 0.0 s"),
        ("naked", 2140, "NAKED 2.1 s"),
        ("naked", 75_000, "NAKED 75.0 s"),
        ("exiting", 900, "exiting"),
    ],
)
def test_how_a_stop_stands_is_said_in_words(cover: str, naked_ms: int, words: str) -> None:
    assert cover_text(position(1, cover=cover, naked_ms=naked_ms)).plain == words


def test_a_position_without_cover_comes_first() -> None:
    covers = [row["cover"] for row in worst_first(POSITION_ROWS)]
    assert covers == ["naked", "unconfirmed", "exiting", "covered"]


@pytest.mark.parametrize(
    ("status", "text", "words"),
    [
        ("active", "active", "active"),
        ("cooldown", "cooldown, 212 s left", "cooldown, 212 s"),
        ("paused", "all paused by eve: \x1b[2J", "all paused"),
        ("paused", "paused by a person", "paused by a person"),
        ("killed", "killed (halt), by eve: odd fills", "killed"),
        ("frozen", "frozen: \x1b[2J", "frozen: \\x1b[2J"),
        ("unheard of", "what is this", "what is this"),
    ],
)
def test_a_status_is_shown_in_its_own_words(status: str, text: str, words: str) -> None:
    assert status_text(account("VA001", status=status, status_text=text)).plain == words


def test_an_account_shows_its_figures() -> None:
    row = shown(accounts.COLUMNS, ACCOUNT_ROWS[0])
    assert (
        row.items()
        >= {
            "balance": "100,183.42",
            "realized": "+183.42",
            "unreal.": "-4.32",
            "DD": "0.12%",
            "w/l": "7/4",
            "won": "63%",
            "streak": "0",
        }.items()
    )
    assert shown(accounts.COLUMNS, account("VA009"))["won"] == ""


@pytest.mark.parametrize(
    ("entry", "decimals", "words"),
    [
        ("158.39", 2, "158.39"),
        ("158.3912345678", 2, "158.3912"),
        ("64012.3412345", 2, "64012.34"),
        ("1.17253", 5, "1.17253"),
        ("1.1725", 5, "1.17250"),
    ],
)
def test_a_price_has_the_decimals_of_its_tick(entry: str, decimals: int, words: str) -> None:
    row = position(1, entry_price=entry, mark=None, quantity="1200.50", price_decimals=decimals)
    row = shown(positions.COLUMNS, row)
    assert row.items() >= {"entry": words, "now": "", "qty": "1200.5"}.items()


def test_an_incident_without_detail_says_what_its_kind_means() -> None:
    assert shown(incidents.COLUMNS, INCIDENT_ROWS[1])["detail"].startswith("Consecutive losses")


def header_of(grid: PanelGrid, rows: list[Document], width: int) -> str:
    grid.fit([grid.cells(row) for row in rows], width)
    return grid.header.plain


PANELS = [
    (accounts.COLUMNS, ACCOUNT_ROWS),
    (positions.COLUMNS, POSITION_ROWS),
    (decision_columns("UTC"), DECISIONS),
    (incidents.COLUMNS, INCIDENT_ROWS),
    (orders.COLUMNS, [dict(row) for row in LISTS.orders]),
    (trades.COLUMNS, [dict(row) for row in LISTS.trades]),
    (market.COLUMNS, [dict(row) for row in market.quotes_of(busy_picture(), Curves())]),
]


@pytest.mark.parametrize(("columns", "rows"), PANELS)
def test_every_panel_draws_all_of_its_columns_where_there_is_room(
    columns: tuple[Column, ...], rows: list[Document]
) -> None:
    header = header_of(PanelGrid(columns), rows, WIDE)
    assert [column.header for column in columns if column.header not in header] == []


EMPTY: list[Document] = []
HUGE = {
    "quantity": "0.123456789012345678901234567890",
    "signal_id": "x" * 64,
    "detail": "y" * 300,
    "status_text": "frozen: EXTERNAL_ACTIVITY",
}


@pytest.mark.parametrize("width", range(70, 200, 7))
@pytest.mark.parametrize(("columns", "rows"), PANELS)
def test_which_columns_there_are_follows_from_the_width_alone(
    columns: tuple[Column, ...], rows: list[Document], width: int
) -> None:
    grid = PanelGrid(columns)
    heads = [
        header_of(grid, shown_rows, width).split()
        for shown_rows in (EMPTY, rows, [row | HUGE for row in rows], EMPTY)
    ]
    assert heads[1:] == heads[:-1]


@pytest.mark.parametrize(
    ("millis", "words"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1.0 s"),
        (59_999, "59.9 s"),
        (60_000, "1 min"),
        (3_599_999, "59 min"),
        (7_200_000, "2 h"),
    ],
)
def test_a_length_of_time_is_short(millis: int, words: str) -> None:
    assert span(millis) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0:00"), (7, "0:07"), (247, "4:07"), (3729, "1:02:09")]
)
def test_a_time_that_runs_out_is_said_as_a_clock_does(seconds: int, words: str) -> None:
    assert minutes_and_seconds(seconds * SECOND_NS) == words


def test_an_order_says_what_it_is_bound_by_and_how_it_stands() -> None:
    unknown, stop, entry = (shown(orders.COLUMNS, dict(row)) for row in LISTS.orders)
    assert (stop["for"], stop["price"], stop["filled"]) == ("stop", "155.22", "")
    assert (stop["status"], stop["because"]) == ("ACCEPTED", "STOP_LOSS")
    assert unknown["status"] == "UNKNOWN"
    assert (entry["price"], entry["filled"], entry["average"]) == ("158.44", "100", "158.39")


def test_a_symbol_shows_how_far_its_prices_are_apart_and_how_old_they_are() -> None:
    rows = market.quotes_of(busy_picture(), Curves())
    calm, wide, none = (shown(market.COLUMNS, dict(row)) for row in rows)
    assert (calm["bid"], calm["spread"], calm["age"]) == ("158.70", "1.3 bps", "120 ms")
    assert (wide["ask"], wide["spread"], wide["age"]) == ("43019.9", "13.7 bps", "2.1 s")
    assert (none["bid"], none["spread"]) == ("", "no price")
    tones = [
        [str(as_text(column.cell(row)).style) for column in market.COLUMNS[3:5]] for row in rows
    ]
    assert tones == [["", ""], [WAIT, WAIT], [ALARM, WAIT]]

"""Each row in words: what an account may do, how a stop stands, why a signal was refused."""

import pytest

from pointsman.dashboard.cells import (
    ACCOUNTS,
    INCIDENTS,
    POSITIONS,
    cover_text,
    decision_columns,
    span,
    status_text,
    worst_first,
)
from pointsman.terminal.tables import Column, draw_panel
from tests.dashboard_pictures import (
    ACCOUNTS as ACCOUNT_ROWS,
)
from tests.dashboard_pictures import (
    DECISIONS,
    Document,
    account,
    decision,
    position,
    refusal,
)
from tests.dashboard_pictures import (
    INCIDENTS as INCIDENT_ROWS,
)
from tests.dashboard_pictures import (
    POSITIONS as POSITION_ROWS,
)

WIDE = 250


def shown(columns: tuple[Column, ...], row: Document) -> dict[str, str]:
    """A row as it is shown, by header."""
    drawn = {column.header: column.cell(row) for column in columns}
    return {header: str(cell or "") for header, cell in drawn.items()}


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
    row = shown(ACCOUNTS, ACCOUNT_ROWS[0])
    assert (
        row.items()
        >= {
            "balance": "100,183.42",
            "realized": "+183.42",
            "unreal.": "-4.32",
            "fall": "0.1%",
            "w/l": "7/4",
            "won": "63%",
            "streak": "0",
        }.items()
    )
    assert shown(ACCOUNTS, account("VA009"))["won"] == ""


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
    row = shown(POSITIONS, row)
    assert row.items() >= {"entry": words, "now": "", "qty": "1200.5"}.items()


REFUSED = {
    "demo-0008": ("SPREAD", "14.2214 bps", "at most 10 bps"),
    "demo-0006": ("SYMBOL_LOCKED", "MSFT", "only AAPL"),
    "demo-0005": ("LATENCY", "3,900 ms", "at most 500 ms"),
    "demo-0003": ("OUTSIDE_WINDOW", "09:29", "09:30 to 16:00"),
}


@pytest.mark.parametrize("signal_id", REFUSED)
def test_a_refusal_says_what_was_measured_against_what(signal_id: str) -> None:
    (found,) = [each for each in DECISIONS if each["signal_id"] == signal_id]
    row = shown(decision_columns("America/New_York"), found)
    assert (row["result"], row["measured"], row["must be"]) == REFUSED[signal_id]
    assert row["meaning"].endswith(".")


def test_basis_points_have_one_format() -> None:
    row = refusal("x", "SLIPPAGE", "30.32", "5.0", "bps")
    assert shown(decision_columns("UTC"), row)["measured"] == "30.3200 bps"


def test_an_acceptance_has_nothing_to_explain() -> None:
    row = shown(decision_columns("UTC"), decision("x", side="", quantity=None))
    assert (row["result"], row["measured"], row["must be"], row["qty"]) == ("accepted", "", "", "")


def test_an_incident_without_detail_says_what_its_kind_means() -> None:
    assert shown(INCIDENTS, INCIDENT_ROWS[1])["detail"].startswith("Consecutive losses")


PANELS = [
    (ACCOUNTS, ACCOUNT_ROWS),
    (POSITIONS, POSITION_ROWS),
    (decision_columns("UTC"), DECISIONS),
    (INCIDENTS, INCIDENT_ROWS),
]


@pytest.mark.parametrize(("columns", "rows"), PANELS)
def test_every_panel_draws_all_of_its_columns_where_there_is_room(
    columns: tuple[Column, ...], rows: list[Document]
) -> None:
    header = draw_panel(columns, rows, WIDE, {}).header.plain
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
    widest: dict[str, int] = {}
    heads = [
        draw_panel(columns, shown_rows, width, widest).header.plain.split()
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

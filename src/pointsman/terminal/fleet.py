"""The list of desks of a cluster."""

from typing import Any

from rich.text import Text

from pointsman.terminal.tables import Cell, Column, Listing

Desk = tuple[str, dict[str, Any]]
"""A name, and what its engine answered."""

STYLES = {"ACTIVE": "green", "REDUCING": "yellow", "HALTED": "bold red"}


def fleet_listing(answers: dict[str, dict[str, Any]]) -> Listing:
    """Each desk in a row; one that does not answer says so."""
    return Listing(f"desks ({len(answers)})", COLUMNS, [*answers.items()])


def _state(desk: Desk) -> Cell:
    answer = desk[1]
    if not answer.get("ok"):
        return Text("no answer", style="bold red")
    state = str(answer["trading_state"])
    told = state if answer["is_ready"] else f"{state}, not ready"
    return Text(told, style=STYLES.get(state, ""))


def _of(key: str) -> Any:
    def cell(desk: Desk) -> Cell:
        value = desk[1].get(key)
        return None if value is None else str(value)

    return cell


def _naked(desk: Desk) -> Cell:
    naked = desk[1].get("naked")
    return Text(str(naked), style="bold red") if naked else _of("naked")(desk)


COLUMNS = (
    Column("desk", lambda desk: desk[0], is_whole=True),
    Column("state", _state, is_whole=True),
    Column("owner", _of("owner"), rank=2),
    Column("epoch", _of("epoch"), rank=3, is_right=True),
    Column("behind", _of("replica_lag_rows"), rank=3, is_right=True),
    Column("venue", _of("venue"), rank=4),
    Column("equity", _of("equity"), rank=1, is_aligned=True, is_right=True),
    Column("positions", _of("positions"), rank=1, is_right=True),
    Column("naked", _naked, rank=1, is_right=True),
    Column("incidents", _of("incidents"), rank=2, is_right=True),
)

"""`pointsman signals`: the signals with their decisions; which of them, and as they come.

`--since` counts in the time of the run: back from its newest signal, or on the day of that one, so
that it serves a simulated market as well as a live one.
"""

import json
import re
import sqlite3
import time
from typing import TYPE_CHECKING, Annotated

import typer

from pointsman.cli.ending import note_unknown_account
from pointsman.cli.options import Options, database_of, flag, takes_options, whole_option
from pointsman.domain.timestamps import SECOND_NS, parse_ts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pointsman.reading.lists import Judged, ListFilter

_LIMIT = 50
_LOOK_SECONDS = 0.5  # not money: seconds
_DAY_NS = 86_400 * SECOND_NS
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_HELP = "Received since: 10m, 2h, 1d before the newest; 14:30 on its day (UTC); or an ISO time."


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("signals")(takes_options(signals))


def signals(
    options: Options,
    va: Annotated[str | None, typer.Option("--va", metavar="ID", help="Only this account.")] = None,
    symbol: Annotated[
        str | None, typer.Option("--symbol", metavar="SYMBOL", help="Only this symbol.")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help=_HELP)] = None,
    limit: Annotated[int, whole_option("--limit", "N", "How many of the newest.", 1)] = _LIMIT,
    refused_only: Annotated[bool, flag("Only those that were refused.", "--refused")] = False,
    follow: Annotated[
        bool, flag("Continue with those that come; Ctrl-C ends.", "--follow")
    ] = False,
) -> None:
    """The signals, with the decision on each."""
    from pointsman.reading.lists import LISTS, ListFilter
    from pointsman.reading.price_decimals import read_price_decimals
    from pointsman.storage.reader import reading
    from pointsman.terminal.text import console, print_json
    from pointsman.terminal.views import VIEWS, listing

    path, read = database_of(options), LISTS["signals"]
    symbol = None if symbol is None else _symbol(symbol)
    with reading(path) as connection:
        since_ns = None if since is None else since_of(since, _newest_ns(connection))
        wanted = ListFilter(va, limit, symbol=symbol, since_ns=since_ns, refused_only=refused_only)
        rows = read.rows(connection, wanted)
        price_decimals = read_price_decimals(connection)
        if not rows and not options.as_json:
            note_unknown_account(connection, va)
    if options.as_json and follow:
        _tell(rows, as_json=True)
    elif options.as_json:
        print_json([read.document(row) for row in rows])
    else:
        console().print(listing(VIEWS["signals"], rows, wanted, price_decimals))
    if follow:
        _follow(path, wanted, rows, options.as_json)


def _symbol(text: str) -> str:
    """As signals write it: in upper case. Raises BadParameter."""
    from pointsman.domain.signal_values import parse_symbol

    try:
        return parse_symbol(text)
    except ValueError as problem:
        raise typer.BadParameter(f"{text}: {problem}", param_hint="--symbol") from None


def since_of(text: str, newest_ns: int) -> int:
    """The moment that a text names, seen from the newest signal. Raises BadParameter."""
    if (found := re.fullmatch(r"(\d{1,6})([smhd])", text)) is not None:
        return newest_ns - int(found[1]) * _UNITS[found[2]] * SECOND_NS
    if (found := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)) is not None:
        minutes = int(found[1]) * 60 + int(found[2])
        return newest_ns - newest_ns % _DAY_NS + minutes * 60 * SECOND_NS
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        text += "T00:00:00Z"
    try:
        return parse_ts(text)
    except ValueError as error:
        told = f"{text}: write 10m, 2h, 1d, 14:30 or a time as 2026-01-05T14:30:00Z"
        raise typer.BadParameter(told, param_hint="--since") from error


def _newest_ns(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT max(received_at_ns) AS newest FROM signals").fetchone()
    return int(found["newest"] or 0)


def _follow(path: "Path", wanted: "ListFilter", shown: "Sequence[Judged]", as_json: bool) -> None:
    """Show what comes, each once its decision is stored."""
    import msgspec

    from pointsman.reading.lists import LISTS
    from pointsman.storage.reader import reading

    seen = {row.record.signal.signal_id for row in shown}
    from_ns = shown[-1].record.received_at_ns if shown else wanted.since_ns
    try:
        while True:
            with reading(path) as connection:
                latest = msgspec.structs.replace(wanted, since_ns=from_ns, limit=-1)
                rows = [row for row in LISTS["signals"].rows(connection, latest) if row.decision]
            new = [row for row in rows if row.record.signal.signal_id not in seen]
            _tell(new, as_json)
            seen.update(row.record.signal.signal_id for row in new)
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        return


def _tell(rows: "Sequence[Judged]", as_json: bool) -> None:
    """One line a signal."""
    from pointsman.reading.lists import LISTS
    from pointsman.terminal.text import moment, printable

    for row in rows:
        if as_json:
            typer.echo(json.dumps(LISTS["signals"].document(row)))
            continue
        signal, decision = row.record.signal, row.decision
        outcome = "" if decision is None else decision.outcome.value
        reason = "" if decision is None or decision.reason is None else decision.reason.value
        words = (
            moment(row.record.received_at_ns),
            f"{signal.va_id:<8}",
            f"{signal.side.value:<5}",
            f"{signal.symbol:<12}",
            f"{outcome:<8}",
            f"{signal.signal_id:<12}",
            reason,
        )
        typer.echo(printable("  ".join(words).rstrip()))

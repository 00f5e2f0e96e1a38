"""Status: may it trade, does it run, and what does it hold.

Read from the database, and the lock and the kill latch beside it, so it answers with and without a
running engine. One that runs is asked for the prices of now.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.styled import Styled
from rich.text import Text

from pointsman.domain.accounts import (
    AccountReading,
    DeskRecord,
    ExternalHolding,
    KillState,
    TradingState,
    VenueAccount,
)
from pointsman.domain.sides import PositionSide
from pointsman.domain.timestamps import MS_NS, iso
from pointsman.engine.control_client import NoEngine, ask, engine_pid
from pointsman.engine.kill_latch import LatchState, latch_path, read_latch
from pointsman.engine.requests import Show
from pointsman.engine.snapshot import venue_document, with_latch
from pointsman.reading.certificate import Certificate, certificate_document, read_certificate
from pointsman.reading.documents import Document, to_document
from pointsman.reading.lists import LISTS, ListFilter
from pointsman.reading.report import StoredState, read_standing
from pointsman.reading.shadow import reading_document
from pointsman.reading.words import TRADING
from pointsman.storage import queries, reader, schema
from pointsman.terminal.condition import Condition, EngineState, of_loop, without_answer
from pointsman.terminal.shadow import holds
from pointsman.terminal.tables import facts
from pointsman.terminal.text import counted, moment, printable, venue_label
from pointsman.terminal.views import VIEWS, listing
from pointsman.version import __version__

COUNTS = {
    "signals": "SELECT count(*) FROM signals",
    "accepted": "SELECT count(*) FROM decisions WHERE outcome = 'accepted'",
    "orders": "SELECT count(*) FROM orders",
    "open_orders": f"SELECT count(*) FROM orders WHERE {schema.IS_NOT_FINAL}",  # noqa: S608 - constant
    "fills": "SELECT count(*) FROM fills",
    "trades": "SELECT count(*) FROM trades",
    "incidents": "SELECT count(*) FROM incidents",
}


class Status(msgspec.Struct, frozen=True):
    """What is, at one moment. `engine_pid` is None where no engine holds the database, 0 where one
    does that has not said which; `is_answering` says that it was asked and has answered.
    `sequence` is the newest row of the journal. A latch that was pressed counts already in
    `standing`; `is_latch_ahead` says that the records do not know it yet. A comparison that changes
    nothing is not stored: `compared_at_ns` is the engine's word where it answers. With a
    `condition` nothing but the kill switch is of now. `unready` says why a running engine is not
    ready, each cause by its name, `entries_held` what of it stops all entries, and `venue_links`
    how each part of its connection to the venue is."""

    path: Path
    engine_pid: int | None
    is_answering: bool
    condition: Condition | None
    compared_at_ns: int | None
    traded_on: VenueAccount
    standing: StoredState
    latched: LatchState
    is_latch_ahead: bool
    certificate: Certificate | None
    account_reading: AccountReading | None
    externals: list[ExternalHolding]
    counts: dict[str, int]
    sequence: int
    unready: Mapping[str, str]
    entries_held: str
    venue_links: list[Document]


def engine_touches(database: Path) -> dict[tuple[str, PositionSide], Decimal]:
    """Where everything that is held would be closed now, as the engine of a database says; nothing
    where none runs."""
    return _touches(_picture(database))


def _picture(database: Path) -> Mapping[str, Any]:
    """What the engine of a database shows; empty where none answers."""
    try:
        return ask(database, Show())
    except NoEngine:
        return {}


def _touches(picture: Mapping[str, Any]) -> dict[tuple[str, PositionSide], Decimal]:
    return {
        (row["symbol"], PositionSide(row["side"])): Decimal(row["mark"])
        for row in picture.get("positions", ())
        if row["mark"] is not None
    }


def read_status(connection: sqlite3.Connection, path: Path) -> Status:
    """The status of the database at `path`, which `connection` reads."""
    counts = {}
    for name, query in COUNTS.items():
        ((counts[name],),) = queries.rows(connection, query)
    newest, desk = queries.rows(connection, queries.LAST_TURN), reader.desk(connection)
    picture = _picture(path)
    standing, latched = read_standing(connection, _touches(picture)), read_latch(latch_path(path))
    switch = with_latch(standing.kill_switch, latched)
    return Status(
        path,
        engine_pid(path),
        "positions" in picture,
        _condition(path, picture, standing.now_ns),
        _compared_at_ns(desk, picture),
        VenueAccount() if desk is None else desk.traded_on,
        msgspec.structs.replace(standing, kill_switch=switch),
        latched,
        switch is not standing.kill_switch,
        read_certificate(connection),
        next(iter(reader.account_readings(connection, 1)), None),
        reader.external_holdings(connection),
        counts,
        newest[0][0] if newest else 0,
        picture.get("health", {}).get("unready") or {},
        picture.get("health", {}).get("entries_held") or "",
        picture.get("health", {}).get("venue_links") or [],
    )


def _condition(path: Path, picture: Mapping[str, Any], last_ns: int) -> Condition | None:
    """What is known of an engine that is not simply running; without its answer what is shown is
    from the newest turn that was stored, at `last_ns`."""
    if "positions" in picture:
        return of_loop(picture)
    state, why = without_answer(path)
    return Condition(state, why, last_ns or None)


def _compared_at_ns(desk: DeskRecord | None, picture: Mapping[str, Any]) -> int | None:
    """When the last comparison was, by the engine, else by the records."""
    ago_ms = picture.get("health", {}).get("compared_ago_ms")
    if ago_ms is not None:
        return int(picture["now_ns"]) - int(ago_ms) * MS_NS
    return None if desk is None else desk.compared_at_ns


def status_document(status: Status) -> Document:
    """The status for programs. `as_of` is null while everything is of now."""
    standing, compared_at_ns = status.standing, status.compared_at_ns
    as_of_ns = None if status.condition is None else status.condition.as_of_ns
    return {
        "database": str(status.path),
        "engine": {
            "running": status.engine_pid is not None,
            "pid": status.engine_pid or None,
            "answering": status.is_answering,
            "state": _state(status).value,
            "why": "" if status.condition is None else status.condition.why,
        },
        "venue": venue_document(status.traded_on),
        "account_holds": reading_document(status.account_reading),
        "last_check": certificate_document(status.certificate),
        "unready": dict(status.unready),
        "entries_held": status.entries_held,
        "venue_links": status.venue_links,
        "as_of": None if as_of_ns is None else iso(as_of_ns),
        "trading_state": standing.kill_switch.trading_state.value,
        "kill_switch": to_document(standing.kill_switch),
        "kill_latch": {
            **to_document(status.latched),
            "is_taken_in": not status.is_latch_ahead and not status.latched.rearms,
        },
        "compared_at": None if compared_at_ns is None else iso(compared_at_ns),
        "journal": {
            "sequence": status.sequence,
            "last_at": iso(standing.now_ns) if standing.now_ns else None,
        },
        "counts": status.counts,
        "accounts": [LISTS["accounts"].document(row) for row in standing.account_figures()],
        "positions": [LISTS["positions"].document(row) for row in standing.positions],
        "external_holdings": [to_document(holding) for holding in status.externals],
    }


def draw_status(status: Status) -> RenderableType:
    """The status for a person."""
    wanted = ListFilter()
    standing, decimals = status.standing, status.standing.price_decimals
    known = Group(
        facts(_lines(status)),
        Text(),
        listing(VIEWS["accounts"], standing.account_figures(), wanted, decimals),
        Text(),
        listing(VIEWS["positions"], standing.positions, wanted, decimals),
    )
    title = Text(f"pointsman {__version__}: {status.path}", style="bold")
    if status.condition is None:
        return Group(title, Text(), known)
    return Group(title, Text(), _warning(status.condition), Text(), Styled(known, "dim"))


def _warning(condition: Condition) -> Text:
    when = "" if condition.as_of_ns is None else f" {moment(condition.as_of_ns)} UTC"
    past = f"What follows is as of{when}, not current." if when else ""
    words = f"{condition.state.headline}: {condition.why}. {past}"
    return Text(printable(words.rstrip()), style="bold red")


def _state(status: Status) -> EngineState:
    return EngineState.RUNNING if status.condition is None else status.condition.state


def _lines(status: Status) -> Iterator[tuple[str, Text]]:
    standing, counts = status.standing, status.counts
    yield "venue", venue_label(status.traded_on.label, status.traded_on.is_real_money)
    if status.traded_on.is_shadow:
        yield "the account", _account(status.account_reading)
    if (certificate := _certificate(status)) is not None:
        yield "certificate", certificate
    yield "trading", _trading(standing, status.entries_held, is_past=status.condition is not None)
    if status.unready:
        causes = "; ".join(f"{name}: {cause}" for name, cause in status.unready.items())
        tone = "bold red" if status.entries_held else "yellow"
        yield "not ready", Text(printable(causes), style=tone)
    yield "kill switch", _kill_switch(standing).append(_latch(status))
    yield "engine", _engine(status)
    yield "compared", _compared(status)
    if standing.now_ns:
        when = f"row {status.sequence:,}, the newest at {moment(standing.now_ns)} UTC"
        yield "journal", Text(when)
    refused = counts["signals"] - counts["accepted"]
    signals = f"{counted(counts['signals'], 'signal')} ({refused:,} refused)"
    orders = f"{counted(counts['orders'], 'order')} ({counts['open_orders']:,} open)"
    others = [counted(counts[name], name[:-1]) for name in ("fills", "trades", "incidents")]
    yield "so far", Text(", ".join((signals, orders, *others)))
    for held in status.externals:
        text = f"{held.quantity} {held.symbol} at the venue is not ours"
        yield "external", Text(printable(text), style="yellow")


def _account(reading: AccountReading | None) -> Text:
    """What a real account that is read in shadow holds."""
    if reading is None:
        return Text("has not been read yet", style="yellow")
    document = reading_document(reading)
    assert document is not None
    return Text(printable(f"holds {holds(document)}, since {moment(reading.read_at_ns)} UTC"))


def _certificate(status: Status) -> Text | None:
    """What the newest check with orders came to; nothing for a paper account without one."""
    found, account = status.certificate, status.traded_on
    if found is None:
        none = "none; `pointsman venue check --orders` makes one, on the sandbox"
        return None if account.is_paper else Text(none, style="yellow")
    told = f"{found.kept} of {len(found.promises)} kept, {moment(found.checked_at_ns)[:10]}"
    text = Text(printable(f"{told}, {found.symbol}"), style="green" if found.is_whole else "")
    own = msgspec.structs.replace(account, is_shadow=False)
    if found.account != own:
        # Before the first start the records are of no account yet.
        told, style = (", but of", "yellow") if status.sequence else (", of", "")
        text.append(printable(f"{told} {found.account.label}"), style)
    for one in found.broken:
        why = f": {one.detail}" if one.detail else ""
        text.append(printable(f"; NOT KEPT: {one.text}{why}"), "bold red")
    return text


def _trading(standing: StoredState, entries_held: str, *, is_past: bool) -> Text:
    """Killed stays true without an engine: the latch binds the next one."""
    state = standing.kill_switch.trading_state
    styles = {TradingState.ACTIVE: "bold green", TradingState.REDUCING: "bold yellow"}
    if is_past and state is not TradingState.HALTED:
        return Text(f"was {state.value}, {TRADING[state]}")
    if entries_held and state is TradingState.ACTIVE:
        text = f"{state.value}, but entries are refused: {printable(entries_held)}"
        return Text(text, style="bold red")
    return Text.assemble((state.value, styles.get(state, "bold red")), f", {TRADING[state]}")


def _kill_switch(standing: StoredState) -> Text:
    switch = standing.kill_switch
    text = Text.assemble((switch.state.value, "" if switch.state is KillState.OFF else "bold red"))
    if switch.changed_at_ns:
        who = f"{switch.changed_by}: {switch.note}" if switch.note else switch.changed_by
        # While it is off, it also says who has paused or resumed since.
        what = "; last changed by" if switch.state is KillState.OFF else ", by"
        text.append(f"{what} {printable(who)}, at {moment(switch.changed_at_ns)} UTC")
    if switch.state is KillState.FLATTEN:
        flat = switch.flat_at_ns
        text.append(f"; flat since {moment(flat)} UTC" if flat else "; not flat yet")
    return text


def _latch(status: Status) -> str:
    """What the latch file says beyond the records."""
    is_running = status.engine_pid is not None
    if status.is_latch_ahead:
        when = (
            "the engine has not processed it yet" if is_running else "the next start will be killed"
        )
        return f"; pressed since, {when}"
    if status.latched.rearms and not is_running:
        return f"; rearmed since by {printable(status.latched.by)}, the next start applies it"
    return ""


def _engine(status: Status) -> Text:
    if status.condition is not None:
        words = status.condition.state.value.replace("_", " ")
        return Text.assemble((words, "bold red"), f": {status.condition.why}")
    process = f", process {status.engine_pid}" if status.engine_pid else ""
    return Text.assemble(("running", "green"), process)


def _compared(status: Status) -> Text:
    if status.compared_at_ns is None:
        return Text("not with the venue since the last start", style="yellow")
    when = f"with the venue, {moment(status.compared_at_ns)} UTC"
    return Text(when if status.is_answering else f"{when}, as of the stored records")

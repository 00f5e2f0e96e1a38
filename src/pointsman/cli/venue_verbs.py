"""`venue list`: the venues that orders can go to, and what each needs and can do. `venue check`:
what the account says of itself, and whether what is promised is kept there."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from pointsman.cli.ending import fail
from pointsman.cli.options import Options, flag, read_settings, takes_options
from pointsman.engine.exit_codes import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pointsman.domain.policy import Abilities
    from pointsman.engine.venue_check import Verdict


class ListedVenue(NamedTuple):
    """A venue that is built. `needs` is what has to be installed and set for it."""

    name: str
    title: str
    needs: str
    modes: tuple[str, ...]
    example: str
    sandbox_hosts: tuple[str, ...]
    live_hosts: tuple[str, ...]
    abilities: "Abilities"


def register(venue: typer.Typer) -> None:
    """Add the verbs under `venue`."""
    venue.command("list")(takes_options(list_venues))
    venue.command("check")(takes_options(check_venue))


def list_venues(options: Options) -> None:
    """The venues that are built, and what each of them can do."""
    from pointsman.terminal.text import console, print_json

    found = list(built_venues())
    if options.as_json:
        print_json([venue_document(each) for each in found])
    else:
        console().print(draw_venues(found))


def check_venue(
    options: Options,
    orders: Annotated[
        bool, flag("Walk the smallest trade through, and end flat.", "--orders")
    ] = False,
    symbol: Annotated[
        str | None,
        typer.Option("--symbol", metavar="SYMBOL", help="What to look at, and to trade."),
    ] = None,
) -> None:
    """Open the account of the settings, and say whether an engine could trade there.

    With --orders the smallest possible trade goes through entry, stop, look-up, doubled order,
    partial exit, cancel and exit, and of each promise it is said whether the venue kept it. That is
    kept in the database, and `status` shows it.
    """
    from pointsman.config.problems import SettingProblem, SettingsError
    from pointsman.service.venue_certificate import keep, kept_in, opened
    from pointsman.terminal import certificate
    from pointsman.terminal.text import console, print_json

    settings = read_settings(options).settings
    if orders and settings.is_shadow:
        remedy = "nothing is sent in shadow; set it to false for venue check --orders"
        raise SettingsError([SettingProblem("VENUE_SHADOW", "true", remedy)])
    with ExitStack() as open_now:
        open_now.enter_context(_known_endings())
        # Before anything is sent: where an engine holds the database, nothing is.
        store = open_now.enter_context(kept_in(settings.database_path)) if orders else None
        account = open_now.enter_context(opened(settings, symbol))
        found = (*account.facts, *account.state())
        if not options.as_json:
            console().print(certificate.draw_facts(found))
        is_fit = not any(fact.remedy for fact in found)
        verdicts: list[Verdict] | None = None
        if store is not None and is_fit:
            verdicts = account.walk().run(_say_nothing if options.as_json else _say)
            keep(store, account, verdicts)
            is_fit = all(verdict.is_kept for verdict in verdicts)
            if not options.as_json:
                console().print(certificate.draw_result(verdicts))
        if options.as_json:
            print_json(certificate.check_document(found, verdicts))
    if not is_fit:
        raise typer.Exit(ExitCode.MISMATCH)


@contextmanager
def _known_endings() -> Iterator[None]:
    """Within this block an expected error ends the check with its exit code."""
    from pointsman.venues.errors import VenueRefused, VenueUnreachable

    try:
        yield
    except VenueRefused as error:
        fail(str(error), ExitCode.SETTINGS)
    except VenueUnreachable as error:
        fail(str(error), ExitCode.VENUE)


def _say(verdict: "Verdict") -> None:
    from pointsman.terminal.certificate import draw_verdict
    from pointsman.terminal.text import console

    console().print(draw_verdict(verdict))


def _say_nothing(_verdict: "Verdict") -> None:
    """A program reads the whole at the end."""


def built_venues() -> Iterator[ListedVenue]:
    """The paper venue, and every real one that has an adapter."""
    from pointsman.config.known_venues import KNOWN_VENUES, PAPER
    from pointsman.domain.policy import PositionMode
    from pointsman.engine.open_venue import ADAPTERS
    from pointsman.venues.catalogue import CATALOGUE

    modes = tuple(mode.value for mode in PositionMode)
    title = "our own, on any quotes"
    yield ListedVenue(PAPER, title, "nothing", modes, "any", (), (), CATALOGUE[PAPER])
    for name, known in KNOWN_VENUES.items():
        if name in ADAPTERS:
            package = f"pip install {known.package}" if known.package else ""
            yield ListedVenue(
                name=name,
                title=known.title,
                needs=", ".join(filter(None, ("VENUE_KEY", "VENUE_SECRET", package))),
                modes=tuple(mode.value for mode in known.position_modes),
                example=known.example,
                sandbox_hosts=tuple(sorted(known.sandbox_hosts)),
                live_hosts=tuple(sorted(known.live_hosts)),
                abilities=CATALOGUE[name],
            )


def venue_document(venue: ListedVenue) -> dict[str, Any]:
    """A venue for programs."""
    import msgspec

    abilities = msgspec.to_builtins(venue.abilities)
    del abilities["position_mode"]  # the account's, of those that are listed
    return {
        "name": venue.name,
        "title": venue.title,
        "needs": venue.needs,
        "position_modes": list(venue.modes),
        "symbol": venue.example,
        "sandbox_hosts": list(venue.sandbox_hosts),
        "live_hosts": list(venue.live_hosts),
        "abilities": abilities,
    }


def draw_venues(venues: Sequence[ListedVenue]) -> "RenderableType":
    """The venues for a person: what they need, then what they can do."""
    from rich.console import Group
    from rich.text import Text

    from pointsman.terminal.tables import Column, Listing

    needs = (
        Column("venue", lambda row: row.name),
        Column("what", lambda row: row.title, folds=True),
        Column("symbols", lambda row: row.example),
        Column("needs", lambda row: row.needs, folds=True),
    )
    can = (
        Column("venue", lambda row: row.name),
        Column("modes", lambda row: ", ".join(row.modes)),
        Column("too large an exit", lambda row: _exit(row.abilities), folds=True),
        Column("entry beside a stop", lambda row: _yes(row.abilities.entry_beside_stop)),
        Column("stop before entry ends", lambda row: _yes(row.abilities.stop_beside_entry)),
        Column("tells triggers", lambda row: _yes(row.abilities.tells_triggered)),
    )
    return Group(Listing("Venues", needs, venues), Text(), Listing("Abilities", can, venues))


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _exit(abilities: "Abilities") -> str:
    """What becomes of an exit that is larger than what is held."""
    words = {"clip": "is clipped", "refuse": "is refused", "none": "opens the other side"}
    mode = abilities.reduce_only
    return "as PAPER_REDUCE_ONLY says" if mode is None else words[mode.value]

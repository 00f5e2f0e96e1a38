"""What a person should know about a run: settings that do not do what they seem to.

A database outlives its settings. An account keeps the balance that it was opened with, whatever the
settings say later, and continues when its name is gone from them; an instruments file may spell a
symbol as no quote does. None of this is an error, so it is pointed out.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from pointsman.config.fields import LogLevel
from pointsman.config.instruments import load_instruments
from pointsman.config.settings import Settings
from pointsman.config.tokens import Tokens
from pointsman.domain.accounts import Account
from pointsman.domain.market import letters_of
from pointsman.domain.money import plain
from pointsman.domain.positions import Position
from pointsman.service.feeds import Feed
from pointsman.service.log import Said
from pointsman.storage import reader
from pointsman.storage.errors import StorageError
from pointsman.terminal.text import number


def notes_before(feed: Feed, settings: Settings, database: Path, now_ns: int) -> list[str]:
    """What to say before a run begins, on data that begins with the feed or, where it has none yet,
    at `now_ns`."""
    begins_ns = next((quote.ts_ns for quote in feed.quotes(0)), now_ns)
    calendar = settings.trading_hours().unknown_at(begins_ns)
    notes = [*feed.told_at_start, *notes_on_accounts(settings, database)]
    if settings.replicate_to is not None and feed.identity is not None:
        notes.append(
            "REPLICATE_TO is not used: a run on recorded or simulated quotes can be made again from"
            " its files and seed"
        )
    return [*notes, calendar] if calendar else notes


def notes_on_tokens(who_needs_one: str, tokens: Tokens) -> Iterator[Said]:
    """Who needs a token for HTTP, and the path of the file with made ones; no token itself."""
    yield LogLevel.INFO, f"http: {who_needs_one}", {}
    if tokens.path is not None:
        told = "http tokens made" if tokens.is_new else "http tokens read"
        yield LogLevel.INFO, told, {"path": str(tokens.path)}


def notes_on_accounts(settings: Settings, database: Path) -> list[str]:
    """What the database holds of accounts otherwise than the settings say; nothing where there is
    no database yet, or none that can be read: the start itself says so."""
    if not database.exists():
        return []
    try:
        with closing(reader.open_reader(database)) as connection:
            accounts, held = reader.accounts(connection), reader.positions(connection)
    except StorageError:
        return []
    return list(account_notes(dict(settings.accounts), accounts, held))


def account_notes(
    said: dict[str, Decimal], accounts: Iterable[Account], held: Iterable[Position]
) -> Iterator[str]:
    """A note for each account whose start balance was edited, and for each that holds something and
    is no longer named."""
    for account in accounts:
        balance = said.get(account.va_id)
        if balance is not None and balance != account.start_balance:
            yield (
                f"VIRTUAL_ACCOUNTS says {account.va_id}:{plain(balance)}, but {account.va_id} was"
                f" opened with {plain(account.start_balance)} and keeps its balance; to change it:"
                f" pointsman accounts deposit {account.va_id} AMOUNT, or withdraw"
            )
    for position in held:
        if position.va_id not in said:
            yield (
                f"{position.va_id} is not in VIRTUAL_ACCOUNTS and holds"
                f" {number(position.quantity)} {position.symbol}: it is kept, with its stop"
            )


def notes_on_instruments(settings: Settings, database: Path) -> list[str]:
    """A note for each symbol of the instruments file that no quote of a run that has ended had."""
    if settings.instruments_file is None:
        return []
    with closing(reader.open_reader(database)) as connection:
        seen = [mark.symbol for mark in reader.marks(connection)]
    return list(instrument_notes(load_instruments(settings.instruments_file), seen))


def instrument_notes(named: Iterable[str], seen: Iterable[str]) -> Iterator[str]:
    """A note for each name that is not among the symbols seen."""
    symbols = set(seen)
    spelled = {letters_of(symbol): symbol for symbol in symbols}
    for name in named:
        if name not in symbols:
            other = spelled.get(letters_of(name))
            hint = f"; the quotes spell it {other}" if other is not None else ""
            yield f"INSTRUMENTS_FILE names {name}, and no quote is of that symbol{hint}"

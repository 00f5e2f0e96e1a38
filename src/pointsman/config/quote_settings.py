"""The market data of a real venue, as the settings name it: for orders there, or for the paper
venue.

Orders at a real venue are judged by that venue's quotes and by no others; the paper venue takes
those of any. Its quotes are the real ones, since there is nothing to lose. Whatever prevents a
start is a problem that says how to fix it, all of them at once.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from pydantic import SecretStr

from pointsman.config.addresses import is_loopback
from pointsman.config.known_venues import KNOWN_VENUES, PAPER, KnownVenue
from pointsman.config.problems import SettingProblem, SettingsError

if TYPE_CHECKING:
    from pointsman.config.settings import Settings


class QuoteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is that of the venue. `base_url` replaces scheme, host and port of its own address;
    empty: its own. Key and secret are there where the venue asks for them."""

    name: str
    base_url: str
    is_sandbox: bool
    key: SecretStr | None
    secret: SecretStr | None
    symbols: tuple[str, ...]
    is_recorded: bool


def quote_settings(settings: "Settings", name: str) -> QuoteSettings:
    """What the quotes of a venue need. Raises SettingsError."""
    problems = list(_problems(settings, KNOWN_VENUES[name]))
    if problems:
        raise SettingsError(problems)
    return QuoteSettings(
        name=name,
        base_url=settings.venue_data_url,
        is_sandbox=settings.venue != PAPER and settings.venue_sandbox,
        key=settings.venue_key,
        secret=settings.venue_secret,
        symbols=settings.symbols,
        is_recorded=settings.record_quotes is not False,
    )


def _problems(settings: "Settings", venue: KnownVenue) -> Iterator[SettingProblem]:
    """What of the settings does not fit. At a real venue the rest was checked with the account."""
    if settings.venue != PAPER:
        return
    if venue.quotes_need_key:
        for name, value in (
            ("VENUE_KEY", settings.venue_key),
            ("VENUE_SECRET", settings.venue_secret),
        ):
            if value is None:
                remedy = f"{venue.name} gives quotes only to those who have a key; set it, or"
                yield SettingProblem(
                    name, "", f"{remedy} {name}_FILE; that of a paper account will do"
                )
    others = [symbol for symbol in settings.symbols if not venue.trades(symbol)]
    if others:
        remedy = f"{venue.name} has symbols of the form {venue.example}; write them like that"
        yield SettingProblem("SYMBOLS", ",".join(others), remedy)
    host = urlsplit(settings.venue_data_url).hostname or ""
    if host and not is_loopback(host) and host not in venue.live_hosts:
        own = ", ".join(sorted(venue.live_hosts))
        remedy = f"quotes of {venue.name} come from this machine or from one of {own}"
        yield SettingProblem("VENUE_DATA_URL", settings.venue_data_url, remedy)

"""Whether an engine may trade at the real venue that the settings name.

Invariants: a key goes only to the hosts of its venue, or to this machine; real money takes two
settings of which one is a sentence that nobody writes by mistake, and a limit on what may be lost;
the sandbox is never left by a URL. Whatever prevents a start is a problem that says how to fix it,
each on its own, so that all can be told at once.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pointsman.config.addresses import is_loopback
from pointsman.config.known_venues import KNOWN_VENUES, PAPER, REAL_MONEY_SENTENCE, KnownVenue
from pointsman.config.problems import SettingProblem

if TYPE_CHECKING:
    from pointsman.config.settings import Settings


def is_real_money(settings: "Settings") -> bool:
    """Whether orders of an engine under these settings are paid with real money."""
    return settings.venue != PAPER and not settings.venue_sandbox and not settings.is_shadow


def venue_problems(
    settings: "Settings", at_fault: frozenset[str] = frozenset()
) -> tuple[SettingProblem, ...]:
    """Everything that prevents a start at the venue of the settings. `at_fault` are the names of
    settings that could not be read: what depends on one of them is not looked at."""
    found: list[SettingProblem] = []
    if not at_fault & {"VENUE", "VENUE_SANDBOX"}:
        found += _foreign_hosts(settings, at_fault)
    if "VENUE" in at_fault:
        return tuple(found)
    if settings.venue == PAPER:
        found += _nothing_to_shadow(settings, at_fault)
        return tuple(found)
    venue = KNOWN_VENUES[settings.venue]
    found += _missing(settings, venue)
    if "VENUE_POSITION_MODE" not in at_fault:
        found += _mode(settings, venue)
    found += _symbols(settings, venue)
    if not at_fault & {"VENUE_SANDBOX", "VENUE_SHADOW"} and is_real_money(settings):
        found += _without_consent(settings)
        if not any(name.rpartition("__")[2] in _LOSS_SETTINGS for name in at_fault):
            found += _without_limit(settings)
    return tuple(problem for problem in found if problem.variable not in at_fault)


def _nothing_to_shadow(settings: "Settings", at_fault: frozenset[str]) -> Iterator[SettingProblem]:
    if settings.venue_shadow and "VENUE_SHADOW" not in at_fault:
        real = " or ".join(KNOWN_VENUES)
        remedy = f"VENUE is paper, and there is no account to read; name one with VENUE={real}"
        yield SettingProblem("VENUE_SHADOW", "true", remedy)


def _missing(settings: "Settings", venue: KnownVenue) -> Iterator[SettingProblem]:
    """Key, secret and packages."""
    for name, value in (("VENUE_KEY", settings.venue_key), ("VENUE_SECRET", settings.venue_secret)):
        if value is None:
            kind = "a sandbox key" if settings.venue_sandbox else "a key"
            remedy = f"{venue.name} needs {kind} of yours; set it, or {name}_FILE, or VENUE=paper"
            yield SettingProblem(name, "", remedy)
    if venue.module and find_spec(venue.module) is None:
        remedy = f"needs {venue.module}: pip install {venue.package}"
        yield SettingProblem("VENUE", venue.name, remedy)


def _mode(settings: "Settings", venue: KnownVenue) -> Iterator[SettingProblem]:
    if settings.venue_position_mode not in venue.position_modes:
        modes = " or ".join(venue.position_modes)
        remedy = f"an account at {venue.name} has no such mode; use {modes}"
        yield SettingProblem("VENUE_POSITION_MODE", settings.venue_position_mode, remedy)


def _symbols(settings: "Settings", venue: KnownVenue) -> Iterator[SettingProblem]:
    others = [symbol for symbol in settings.symbols if not venue.trades(symbol)]
    if others:
        remedy = f"{venue.name} trades symbols of the form {venue.example}; write them like that"
        yield SettingProblem("SYMBOLS", ",".join(others), remedy)


def _foreign_hosts(settings: "Settings", at_fault: frozenset[str]) -> Iterator[SettingProblem]:
    """A problem for each URL by which a key could go elsewhere. Quotes for the paper venue come
    without a key, from any venue."""
    is_sandbox = settings.venue_sandbox
    if settings.venue == PAPER:
        own: frozenset[str] = frozenset().union(
            *(venue.sandbox_hosts | venue.live_hosts for venue in KNOWN_VENUES.values())
        )
        whose = "a real venue"
    else:
        own = KNOWN_VENUES[settings.venue].hosts(is_sandbox=is_sandbox)
        whose = f"the {'sandbox' if is_sandbox else 'live account'} of {settings.venue}"
    for name in ("VENUE_URL", "VENUE_STREAM_URL", "VENUE_DATA_URL"):
        url = getattr(settings, name.lower())
        if name in at_fault or not url:
            continue
        parts = urlsplit(url)
        host = parts.hostname or ""
        if is_loopback(host):
            continue
        if host not in own:
            remedy = f"keys go only to this machine or to {whose}: {', '.join(sorted(own))}"
            yield SettingProblem(name, url, remedy)
        elif parts.scheme not in ("https", "wss"):
            yield SettingProblem(
                name, url, "keys leave this machine encrypted only; use https or wss"
            )


def _without_consent(settings: "Settings") -> Iterator[SettingProblem]:
    if settings.venue_live != REAL_MONEY_SENTENCE:
        remedy = (
            f'VENUE_SANDBOX=false trades with real money; if you want that write VENUE_LIVE="'
            f'{REAL_MONEY_SENTENCE}", else VENUE_SANDBOX=true'
        )
        yield SettingProblem("VENUE_LIVE", settings.venue_live, remedy)


_LOSS_SETTINGS = frozenset(
    {
        "MAX_DAILY_LOSS",
        "MAX_DRAWDOWN_PERCENTAGE",
        "GLOBAL_MAX_DAILY_LOSS",
        "GLOBAL_MAX_DRAWDOWN_PERCENTAGE",
        "VIRTUAL_ACCOUNTS",
        "ALLOW_UNLIMITED_LOSS",
    }
)


def _without_limit(settings: "Settings") -> Iterator[SettingProblem]:
    """Real money wants a limit on what may be lost: over all accounts, or for each of them."""
    if settings.allow_unlimited_loss or settings.global_max_daily_loss is not None:
        return
    if settings.global_max_drawdown_percentage is not None:
        return
    unlimited = []
    for va_id, _ in settings.accounts:
        own = settings.limits_by_va.get(va_id, settings)
        if own.max_daily_loss is None and own.max_drawdown_percentage is None:
            unlimited.append(va_id)
    if unlimited:
        remedy = (
            f"real money without a limit on the loss of {', '.join(unlimited)}; set MAX_DAILY_LOSS"
            " or MAX_DRAWDOWN_PERCENTAGE, for all of them together with GLOBAL_ before it, or"
            " ALLOW_UNLIMITED_LOSS=true"
        )
        yield SettingProblem("MAX_DAILY_LOSS", "", remedy)

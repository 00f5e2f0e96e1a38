"""How many decimals the prices of each symbol are shown with: those of its tick.

The tick is the one that the newest start journaled, or the finer one that was derived from quotes
since (RULES 59). A symbol without either has the default tick of a cent.
"""

import sqlite3
from collections.abc import Callable

import msgspec

from pointsman.domain.events import Started
from pointsman.domain.market import Instrument, InstrumentSteps
from pointsman.domain.policy import default_instrument
from pointsman.storage import queries
from pointsman.storage.entries import event_of

PriceDecimals = Callable[[str], int]
"""How many decimals the prices of a symbol have."""


def read_price_decimals(connection: sqlite3.Connection) -> PriceDecimals:
    """The decimals of each symbol, as the database has them at this moment."""
    given = _given(connection)
    derived = {steps.symbol: steps for steps in queries.records(connection, InstrumentSteps)}

    def decimals(symbol: str) -> int:
        instrument = given.get(symbol) or default_instrument(symbol)
        steps = derived.get(symbol)
        return (instrument if steps is None else instrument.with_steps(steps)).price_decimals

    return decimals


def _given(connection: sqlite3.Connection) -> dict[str, Instrument]:
    """The instruments of the newest start. None where another version wrote it differently: prices
    are then shown with the decimals that they have."""
    for (payload,) in queries.rows(connection, queries.NEWEST_START):
        try:
            event = event_of(payload)
        except msgspec.DecodeError:
            return {}
        return event.policy.instruments if isinstance(event, Started) else {}
    return {}

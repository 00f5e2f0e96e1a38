"""How many decimals the prices of each symbol are shown with: those of its tick.

The tick is the one that the newest start journaled, or the finer one that was derived from quotes
since (RULES 59). A symbol without either has the default tick of a cent.
"""

import sqlite3
from collections.abc import Callable

from pointsman.domain.market import InstrumentSteps
from pointsman.domain.policy import default_instrument
from pointsman.reading.newest_start import read_policy
from pointsman.storage import queries

PriceDecimals = Callable[[str], int]
"""How many decimals the prices of a symbol have."""


def read_price_decimals(connection: sqlite3.Connection) -> PriceDecimals:
    """The decimals of each symbol, as the database has them at this moment."""
    # Where another version wrote them differently, prices are shown with the decimals they have.
    policy = read_policy(connection)
    given = {} if policy is None else policy.instruments
    derived = {steps.symbol: steps for steps in queries.records(connection, InstrumentSteps)}

    def decimals(symbol: str) -> int:
        instrument = given.get(symbol) or default_instrument(symbol)
        steps = derived.get(symbol)
        return (instrument if steps is None else instrument.with_steps(steps)).price_decimals

    return decimals

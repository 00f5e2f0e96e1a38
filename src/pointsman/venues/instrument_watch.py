"""What a venue trades, and in which steps and sizes, is asked again once a day (RULES 48)."""

import asyncio
import logging
from collections.abc import Callable

from pointsman.domain.market import Instrument
from pointsman.venues.adapter import Adapter, Incomplete, Read

_log = logging.getLogger(__name__)

EVERY_SECONDS = 24 * 3600.0  # not money: seconds
AGAIN_SECONDS = 600.0  # not money: seconds
"""After how long it is asked again where the answer could not be read."""


async def watch_instruments(
    adapter: Adapter,
    read: Read,
    known: dict[str, Instrument],
    tell: Callable[[tuple[Instrument, ...]], None],
) -> None:
    """Tell what differs from what was `known`; never returns. What is no longer listed stays as it
    was: the venue refuses its orders itself."""
    known, wait_seconds = dict(known), EVERY_SECONDS
    while True:
        await asyncio.sleep(wait_seconds)
        try:
            said = await adapter.instruments(read)
        except Incomplete as error:
            _log.warning("the instruments of %s could not be read again: %s", adapter.name, error)
            wait_seconds = AGAIN_SECONDS
            continue
        wait_seconds = EVERY_SECONDS
        if changed := tuple(each for each in said.values() if known.get(each.symbol) != each):
            known |= said
            tell(changed)

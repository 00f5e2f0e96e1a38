"""What each venue can do, as far as that is known before an account is opened.

An adapter states its abilities from here, with what it learns at the opening: the position mode,
until when a request may still be taken, and how many stops may rest. `venue list` shows the same.
"""

from collections.abc import Mapping
from types import MappingProxyType

from pointsman.domain.policy import Abilities, PositionMode, ReduceOnlyMode
from pointsman.domain.timestamps import SECOND_NS

DAY_NS = 24 * 3_600 * SECOND_NS

CATALOGUE: Mapping[str, Abilities] = MappingProxyType(
    {
        "paper": Abilities(requests_end_with_session=True),
        "binanceusdm": Abilities(
            reduce_only=ReduceOnlyMode.REFUSE,
            keeps_ended_orders_ns=3 * DAY_NS,
            takes_requests_in_order=False,
        ),
        "bybit": Abilities(
            reduce_only=ReduceOnlyMode.CLIP,
            keeps_ended_orders_ns=7 * DAY_NS,
            max_stops_per_symbol=10,
            takes_requests_in_order=False,
        ),
        "alpaca": Abilities(
            position_mode=PositionMode.NET,
            reduce_only=ReduceOnlyMode.NONE,
            entry_beside_stop=False,
            stop_beside_entry=False,
            tells_triggered=False,
            takes_requests_in_order=False,
        ),
    }
)
"""By the name that VENUE has for it."""

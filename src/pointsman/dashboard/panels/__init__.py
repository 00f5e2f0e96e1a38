"""The panels: of each its columns, what stands there while it is empty, and what it says of a row.

One file a panel. A row is what the engine sent; no panel knows another one, nor the screen.
"""

from pointsman.dashboard.panels import (
    accounts,
    decisions,
    incidents,
    market,
    orders,
    positions,
    trades,
)
from pointsman.dashboard.panels.kind import PanelKind


def kinds(zone: str) -> dict[str, PanelKind]:
    """Every panel by its name, in the order of its digits; times that were measured stand on the
    clock of `zone`."""
    every = (
        accounts.KIND,
        positions.KIND,
        decisions.kind(zone),
        orders.KIND,
        trades.KIND,
        incidents.KIND,
        market.KIND,
    )
    return {each.name: each for each in every}

"""What of each picture the curves take: the equity of each account and of all, the price of each
symbol."""

from pointsman.dashboard.cells import Picture
from pointsman.dashboard.curves import TOTAL, Curves, Point, total_of
from pointsman.dashboard.panels.market import PRICE_OF, mid_of


def sample(curves: Curves, picture: Picture, at_seconds: float) -> None:
    """A point of each curve, where it is time for the next one."""
    if not curves.is_due(at_seconds):
        return
    now_ns = picture["now_ns"]
    equities = [row["equity"] for row in picture["accounts"]]
    curves.add(TOTAL, Point(now_ns, total_of(equities)))
    for row in picture["accounts"]:
        curves.add(row["va_id"], Point(now_ns, total_of([row["equity"]])))
    for row in picture["health"].get("quotes") or []:
        price = mid_of(row)
        if price is not None:
            curves.add(PRICE_OF.format(row["symbol"]), Point(now_ns, price))

"""The board: the picture of this moment, with what is not in the records: health, limits, names.

One thread brings it up to date ten times a second; any thread may read it or wait for news. None of
them is the loop's.
"""

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from pointsman.domain.money import plain
from pointsman.engine.kill_latch import KillLatch, LatchState
from pointsman.engine.publisher import Publisher
from pointsman.engine.snapshot import Document, EngineSnapshot, LiveSnapshot
from pointsman.version import __version__

if TYPE_CHECKING:
    from pointsman.config.limit_fields import LimitFields
    from pointsman.config.settings import Settings

PICTURE_SECONDS = 0.1  # not money: seconds
"""A new picture at most this often."""


class LiveView:
    """The picture of a running engine. `now_ns` gives event time and `health` how the machinery is,
    both from any thread; `facts` are what never changes."""

    def __init__(
        self,
        picture: EngineSnapshot,
        publisher: Publisher,
        latch: KillLatch,
        now_ns: Callable[[], int],
        health: Callable[[], Document],
        facts: Document,
    ) -> None:
        self._picture = picture
        self._publisher = publisher
        self._latch = latch
        self._now_ns = now_ns
        self._health = health
        self._facts = facts
        self._changed = threading.Condition()
        self._number = 0

    @property
    def now_ns(self) -> int:
        """Event time."""
        return self._now_ns()

    @property
    def number(self) -> int:
        """The number of the newest picture: another one means news. It does not wait."""
        return self._number

    @property
    def latched(self) -> LatchState:
        """What the kill latch holds now."""
        return self._latch.latched

    def refresh(self) -> None:
        """Take in what has changed, and tell those who wait."""
        with self._changed:
            batches = self._publisher.take()
            self._picture.merge(batches)
            if batches:
                self._number += 1
                self._changed.notify_all()

    def wait(self, number: int, timeout_seconds: float) -> int:
        """Wait for news since picture `number`; gives the number of the newest."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != number, timeout_seconds)
            return self._number

    def snapshot(self) -> LiveSnapshot:
        """What the engine does and holds now."""
        with self._changed:
            return self._picture.snapshot(self._now_ns(), self._latch.latched)

    def health(self) -> Document:
        """How the machinery is now."""
        return self._health()

    def document(self) -> Document:
        """The snapshot of now as a document, with the health of the machinery."""
        with self._changed:
            document = self._picture.document(self._now_ns(), self._latch.latched)
        return {**self._facts, **document, "health": self._health()}


def facts(database: str, source: str, speed: str, market: str, settings: "Settings") -> Document:
    """What a picture says that does not change while an engine runs."""
    return {
        "version": __version__,
        "database": database,
        "source": source,
        "speed": speed,
        "market": market,
        "limits": shown_limits(settings),
        "limits_by_va": {
            va_id: limits_of_an_account(own) for va_id, own in settings.limits_by_va.items()
        },
    }


def shown_limits(settings: "Settings") -> dict[str, str]:
    """The limits that matter at a glance, by the names of the settings."""
    window = f"{settings.trading_window_start}-{settings.trading_window_end}"
    return {
        "MAX_SPREAD_BPS": plain(settings.max_spread_bps),
        "MAX_SLIPPAGE_BPS": plain(settings.max_slippage_bps),
        "MAX_LATENCY_MS": plain(settings.max_latency_ms),
        "TRADING_WINDOW": f"{window} {settings.trading_timezone}",
        **limits_of_an_account(settings),
        "STOP_LOSS_PERCENTAGE": plain(settings.stop_loss_percentage),
        "PROTECTION_DEADLINE_SECONDS": plain(settings.protection_deadline_seconds),
        "RECONCILE_INTERVAL_SECONDS": plain(settings.reconcile_interval_seconds),
        "VENUE": settings.venue_shown,
    }


def limits_of_an_account(own: "LimitFields") -> dict[str, str]:
    """What one account may do, by the names of the settings; an empty one is off."""
    values: dict[str, Decimal | int | None] = {
        "MAX_LOSS_COOLDOWN": own.max_loss_cooldown,
        "COOLDOWN_DURATION_SECONDS": own.cooldown_duration_seconds,
        "MAX_POSITION_SIZE": own.max_position_size,
        "MAX_OPEN_POSITIONS_PER_VA": own.max_open_positions_per_va,
        "MAX_TRADES_PER_DAY": own.max_trades_per_day,
        "MAX_DAILY_LOSS": own.max_daily_loss,
        "MAX_DRAWDOWN_PERCENTAGE": own.max_drawdown_percentage,
    }
    return {name: "" if value is None else plain(Decimal(value)) for name, value in values.items()}

"""pointsman: a governed trading execution loop.

Signals from any strategy come in; each is routed to its virtual account, judged, executed with a
stop-loss resting at the venue, watched, reconciled and recorded. From Python: `open_engine`; to an
engine that runs elsewhere: `Client`. What is named here is public; nothing deeper needs importing.
"""

from typing import TYPE_CHECKING, Any

from pointsman.errors import PointsmanError
from pointsman.version import __version__

if TYPE_CHECKING:
    from pointsman.client import ApiError, Client
    from pointsman.config.problems import SettingsError
    from pointsman.config.settings import Settings, load_settings
    from pointsman.domain.market import Quote
    from pointsman.domain.reasons import Reason
    from pointsman.domain.sides import Side, SignalSide
    from pointsman.domain.signal_values import SignalProblem
    from pointsman.domain.signals import Action, Check, Decision, Outcome, Signal
    from pointsman.engine.embedded import Engine, EngineStopped, open_engine
    from pointsman.engine.live_loop import InboxFull
    from pointsman.execution.outbox import StorageHeld
    from pointsman.storage.errors import StorageError

_ROOMS = {
    "client": ("ApiError", "Client"),
    "config.problems": ("SettingsError",),
    "config.settings": ("Settings", "load_settings"),
    "domain.market": ("Quote",),
    "domain.reasons": ("Reason",),
    "domain.sides": ("Side", "SignalSide"),
    "domain.signals": ("Action", "Check", "Decision", "Outcome", "Signal"),
    "domain.signal_values": ("SignalProblem",),
    "engine.embedded": ("Engine", "EngineStopped", "open_engine"),
    "engine.live_loop": ("InboxFull",),
    "execution.outbox": ("StorageHeld",),
    "storage.errors": ("StorageError",),
}
_HOMES = {name: f"pointsman.{room}" for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Action",
    "ApiError",
    "Check",
    "Client",
    "Decision",
    "Engine",
    "EngineStopped",
    "InboxFull",
    "Outcome",
    "PointsmanError",
    "Quote",
    "Reason",
    "Settings",
    "SettingsError",
    "Side",
    "Signal",
    "SignalProblem",
    "SignalSide",
    "StorageError",
    "StorageHeld",
    "__version__",
    "load_settings",
    "open_engine",
]


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first asked for: importing one room does not bring
    in all."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""pointsman: a governed trading execution loop.

Signals from any strategy come in; each is routed to its virtual account, judged, executed with a
stop-loss resting at the venue, watched, reconciled and recorded. From Python: `open_engine`.
"""

from typing import TYPE_CHECKING, Any

from pointsman.version import __version__

if TYPE_CHECKING:
    from pointsman.config.settings import load_settings
    from pointsman.engine.embedded import Engine, open_engine

__all__ = ["Engine", "__version__", "load_settings", "open_engine"]

_HOMES = {
    "Engine": "pointsman.engine.embedded",
    "load_settings": "pointsman.config.settings",
    "open_engine": "pointsman.engine.embedded",
}


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first asked for: importing one room does not bring
    in all."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)

"""A short session on the simulated market, in a database to look back on."""

from pathlib import Path
from typing import NamedTuple

from pointsman.config.settings import Settings, load_settings
from pointsman.domain.timestamps import SECOND_NS
from pointsman.looking_back.changes import Changes
from pointsman.service.clean_stop import Stop
from pointsman.service.feeds import simulated_feed
from pointsman.service.recorded_run import run_fast


class Session(NamedTuple):
    """A database, and the settings that it ran under."""

    database: Path
    settings: Settings


def session(folder: Path, seconds: int = 1_500, seed: int = 7) -> Session:
    """Play the demo for so long."""
    settings = load_settings({"LOSS_SIZE_DECAY": "2:0.5"})
    path = folder / "trading.db"
    feed = simulated_feed(seed, True, None, False, settings)
    run_fast(feed, settings, path, seconds * SECOND_NS, Stop(), lambda *_: None)
    return Session(path, settings)


def changes(**values: str) -> Changes:
    """Changed settings."""
    return Changes(values, load_settings({"LOSS_SIZE_DECAY": "2:0.5", **values}))

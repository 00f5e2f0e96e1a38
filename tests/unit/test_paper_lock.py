"""A paper account is held once, under whatever name, until its holder lets go."""

import os
from pathlib import Path

import pytest

from pointsman.venues.paper import lock


def test_a_ledger_is_held_once_under_whatever_name(tmp_path: Path) -> None:
    ledger, linked = tmp_path / "t.paper.db", tmp_path / "linked.db"
    with lock.hold(ledger):
        os.link(ledger, linked)
        for name in (ledger, linked):
            with pytest.raises(BlockingIOError):
                lock.hold(name)
    with lock.hold(linked):
        pass

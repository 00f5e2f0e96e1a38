"""What all tests share: the folder of recorded data, and how properties are searched."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine must not fail a property for being slow; pytest-timeout bounds the whole test.
settings.register_profile("house", settings.get_profile("default"), deadline=None, print_blob=True)
settings.load_profile("house")

os.environ["HTTP_PORT"] = "0"
"""Engines that tests start take any free port, so that they never meet another's."""


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data: POINTSMAN_DATA, else beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("POINTSMAN_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no recorded data at {folder}: set POINTSMAN_DATA to the folder that has it")
    return folder


@pytest.fixture(autouse=True)
def pauses_as_they_were() -> Iterator[None]:
    """An engine that ran in this process has told the collector to look seldom; the tests go on as
    they began."""
    thresholds, seconds = gc.get_threshold(), sys.getswitchinterval()
    yield
    if gc.get_threshold() != thresholds:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(seconds)

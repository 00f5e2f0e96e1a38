"""What all tests share: the folder of recorded data, and how properties are searched."""

import gc
import os
import resource
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st

# A busy machine must not fail a property for being slow; pytest-timeout bounds the whole test.
settings.register_profile("house", settings.get_profile("default"), deadline=None, print_blob=True)
settings.load_profile("house")

os.environ["HTTP_PORT"] = "0"
"""Engines that tests start take any free port, so that they never meet another's."""


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file of tests that needs the extra cluster skips with its reason where that is missing."""
    report = yield
    if report.failed and "No module named 'nats'" in str(report.longrepr):
        why = "Skipped: nats-py is not installed: pip install -r requirements-cluster.txt"
        report.outcome, report.longrepr = "skipped", (str(collector.path), 1, why)
    return report


@pytest.fixture(scope="session", autouse=True)
def characters() -> None:
    """On a fresh checkout Hypothesis works out its table of characters, which takes 200 MB for a
    moment: better before the process has grown."""
    st.text().validate()


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


MEMORY_KIB_MAX = 500 * 1024
"""What a test process may take at most."""


@pytest.fixture(autouse=True)
def memory_stays_small() -> Iterator[None]:
    """A thread that an earlier test has left behind, and that grows, shows here too."""
    before_kib = _peak_kib()
    yield
    if before_kib <= MEMORY_KIB_MAX < (after_kib := _peak_kib()):
        pytest.fail(f"this test process has taken {after_kib // 1024} MiB: what has grown?")


def _peak_kib() -> int:
    """The most memory that this process has ever held; macOS tells bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak

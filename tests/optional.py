"""Packages that some tests need and an installation may lack: looked for without being imported, so
that a test process takes the memory of a package only where it runs such a test."""

import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

NEEDS_CCXT = pytest.mark.skipif(find_spec("ccxt") is None, reason="the extra ccxt is not installed")
NEEDS_ALPACA = pytest.mark.skipif(
    find_spec("alpaca") is None,
    reason="alpaca-py is not installed: pip install -r requirements-venues.txt",
)


class ImportedLate:
    """A module that is imported at its first use."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith(("_", "pytest")):
            raise AttributeError(attribute)  # asked by pytest of everything in a test file
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some use what other packages have called old
            return getattr(import_module(self._name), attribute)

"""What tests of real processes share."""

from collections.abc import Iterator

import pytest

from tests.nats_server import NatsServer


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server for all tests of a file: each has a desk of its own there."""
    with NatsServer(tmp_path_factory.mktemp("nats")) as started:
        yield started

"""Requests by message: a fault in one answer, or an asker who has gone, ends nothing."""

import time
from pathlib import Path

from nats.errors import TimeoutError as NoReply

from pointsman.cluster.connection import Connection
from pointsman.cluster.control_subject import answer_requests, control_subject
from tests.integration.clusters import SECONDS, connected
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


def test_slow_answers_wait_for_nobody_and_an_asker_may_give_up(tmp_path: Path) -> None:
    def answer(content: bytes) -> bytes:
        time.sleep(float(content))
        return b"after " + content

    with (
        NatsServer(tmp_path / "nats") as server,
        connected(server.url) as engine,
        connected(server.url) as asker,
    ):
        engine.ask(answer_requests(engine, "main", answer), SECONDS)

        async def ask(content: bytes, seconds: float) -> bytes | None:
            try:
                reply = await asker.client.request(control_subject("main"), content, seconds)
            except NoReply:
                return None
            return bytes(reply.data)

        assert asker.ask(ask(b"0.5", 0.1), SECONDS) is None
        began = time.monotonic()
        assert asker.ask(ask(b"0.01", 2), SECONDS) == b"after 0.01"
        assert time.monotonic() - began < 0.45
        assert isinstance(engine, Connection)
        assert engine.is_alive

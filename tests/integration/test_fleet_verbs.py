"""All desks at once: two engines as real processes, and one whose engine is gone."""

import json
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from pointsman.cluster.membership import join
from pointsman.engine.exit_codes import ExitCode
from tests.integration.cluster_nodes import Node, until
from tests.integration.clusters import database, settings_for
from tests.integration.sessions import pointsman
from tests.nats_server import NEEDS_NATS, NatsServer

pytestmark = NEEDS_NATS


def fleet(folder: Path, url: str, verb: str, *flags: str) -> tuple[int, dict[str, Any]]:
    done = pointsman(folder, "fleet", verb, "--from", url, "--json", *flags)
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, document["desks"]


def node(folder: Path, url: str, desk: str) -> Node:
    own = {"REPLICATE_TO": url, "DESK": desk, "LEASE_SECONDS": "2", "VIRTUAL_ACCOUNTS": "VA:500"}
    return Node(folder / desk, own)


def state(desk: Node) -> Any:
    return (desk.ask("/api/v1/status") or {}).get("trading_state")


@pytest.mark.timeout(180)
def test_a_fleet_is_seen_killed_rearmed_and_paused_and_who_does_not_answer_is_named(
    tmp_path: Path,
) -> None:
    reason = ("--reason", "a test")
    with NatsServer(tmp_path / "nats") as nats:
        one, two = node(tmp_path, nats.url, "one"), node(tmp_path, nats.url, "two")
        with ExitStack() as closing:
            closing.callback(one.stop)
            closing.callback(two.stop)
            for each in (one, two):
                each.start("run")
            until(lambda: state(one) == state(two) == "ACTIVE", lambda: one.log.read_text())
            with database(tmp_path / "gone.db", 1) as gone:
                join(settings_for(nats.url, "gone"), gone, 0).close()

            code, desks = fleet(tmp_path, nats.url, "status")
            assert code == ExitCode.FAILURE
            assert desks["gone"]["owner"] is None
            assert "no engine answers" in desks["gone"]["error"]
            assert (desks["one"]["equity"], desks["one"]["epoch"]) == ("500", 1)
            assert "process" in desks["two"]["owner"]
            shown = pointsman(tmp_path, "fleet", "status", "--from", nats.url).stdout
            assert "no answer" in shown
            assert "ACTIVE" in shown

            began = time.monotonic()
            code, desks = fleet(
                tmp_path, nats.url, "kill", "--desk", "one", "--desk", "two", *reason
            )
            assert code == ExitCode.OK
            assert time.monotonic() - began < 10
            assert desks["one"]["durable"] is True
            assert state(one) == state(two) == "HALTED"
            code, desks = fleet(tmp_path, nats.url, "kill", "--desk", "gone", *reason)
            assert code == ExitCode.FAILURE
            assert "killed when one can be reached, or starts" in desks["gone"]["error"]

            assert fleet(tmp_path, nats.url, "resume", "--desk", "one", *reason)[0] != ExitCode.OK
            assert fleet(tmp_path, nats.url, "rearm", "--desk", "one", *reason)[0] == ExitCode.OK
            until(lambda: state(one) == "ACTIVE")
            assert fleet(tmp_path, nats.url, "pause", "--desk", "one", *reason)[0] == ExitCode.OK
            assert state(one) == "REDUCING"
            assert fleet(tmp_path, nats.url, "resume", "--desk", "one", *reason)[0] == ExitCode.OK
            assert state(two) == "HALTED"

            # What was killed stays so at its next start, also on a database that knows nothing of
            # it; what was rearmed does not come back killed.
            two.send(signal.SIGTERM)
            two.ended()
            Path(f"{two.database}.kill").unlink()
            two.start("run")
            until(lambda: state(two) == "HALTED")
            one.send(signal.SIGTERM)
            one.ended()
            one.start("run")
            until(lambda: state(one) == "ACTIVE")

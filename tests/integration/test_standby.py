"""A desk changes owners: real processes, killed with -9, stopped and continued, at a venue and on a
NATS server on loopback. Two owners never send, and nothing that was told is lost."""

import os
import random
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from pointsman.engine.exit_codes import ExitCode
from pointsman.storage import reader
from pointsman.storage.journal import fold, verify_chain
from tests.integration.cluster_nodes import LEASE_SECONDS, Node, Trader, desk, epochs_sent, until
from tests.integration.clusters import connected, rows_of, streamed
from tests.nats_server import NEEDS_NATS, NatsServer
from tests.optional import NEEDS_CCXT
from tests.venue_servers.bybit import BybitServer

ROUNDS = int(os.environ.get("CLUSTER_ROUNDS", "2"))
SEED = 20261201
pytestmark = [NEEDS_NATS, NEEDS_CCXT]


def follows(node: Node) -> bool:
    return node.log.exists() and "up to date" in node.log.read_text()


def decided(node: Node) -> set[str]:
    with closing(reader.open_reader(node.database)) as db:
        return {each.signal_id for each in reader.decisions(db)}


def assert_books_are_whole(node: Node, server: BybitServer) -> None:
    with closing(reader.open_reader(node.database)) as db:
        assert verify_chain(db) is None
        assert fold(db) is None
        booked: dict[str, object] = {}
        for each in reader.orders(db):
            if each.filled:
                booked[each.client_order_id] = each.filled
    theirs = {o.client_id: o.filled for o in server.account.orders.values() if o.filled}
    assert booked == theirs


class Desk:
    """A desk of two nodes under load, whose owners are ended one after the other."""

    def __init__(self, nodes: list[Node], server: BybitServer, seed: int) -> None:
        self.owner, self.standby = nodes
        self.server = server
        self.chance = random.Random(seed)
        self.epoch = 1
        self.took_seconds: list[float] = []

    def log(self) -> str:
        logs = (node.log for node in (self.owner, self.standby) if node.log.exists())
        return "".join(f"\n{log}\n{log.read_text()[-3000:]}" for log in logs)

    def begin(self) -> None:
        self.owner.start("run")
        until(lambda: self.owner.is_ready, self.log)
        self.standby.start("standby")
        until(lambda: follows(self.standby), self.log)

    def trades(self, orders: int) -> None:
        """Wait until the owner has sent so many more."""
        before = epochs_sent(self.server).count(self.epoch)
        until(lambda: epochs_sent(self.server).count(self.epoch) >= before + orders, self.log)

    def kill(self) -> None:
        """The owner is killed with -9 at a random moment, and comes back as a standby."""
        self.trades(4)
        time.sleep(self.chance.uniform(0, 0.3))
        began = time.monotonic()
        self.owner.stop()
        self._changes_hands(began)

    def stand_still(self) -> None:
        """The owner is stopped at a random moment until another has taken over, and continues
        then: it ends with a code of its own, and comes back as a standby."""
        self.trades(4)
        time.sleep(self.chance.uniform(0, 0.3))
        began = time.monotonic()
        stopped = self.owner
        stopped.send(signal.SIGSTOP)
        until(lambda: self.standby.is_ready, self.log)
        stopped.send(signal.SIGCONT)
        assert stopped.ended() == ExitCode.NOT_OWNER, self.log()
        self._changes_hands(began)

    def cut_off(self) -> None:
        """The wire from the owner to NATS is cut: it ends, and comes back as a standby. The wire of
        the standby was cut for a while before, for longer than a lease: nothing comes of that."""
        self.trades(4)
        to_nats = self.standby.wires[0]
        to_nats.cut()
        time.sleep(1.5 * float(LEASE_SECONDS))
        to_nats.mend()
        self.trades(4)
        began = time.monotonic()
        cut = self.owner
        cut.wires[0].cut()
        assert cut.ended() == ExitCode.NOT_OWNER, self.log()
        cut.wires[0].mend()
        self._changes_hands(began)

    def lose_the_venue(self) -> None:
        """The wire from the owner to the venue is cut, and then it is killed: what was under way
        is found by the next owner."""
        self.trades(4)
        self.owner.wires[1].cut()
        time.sleep(self.chance.uniform(0, 1))
        began = time.monotonic()
        self.owner.stop()
        self.owner.wires[1].mend()
        self._changes_hands(began)

    def _changes_hands(self, began: float) -> None:
        until(lambda: self.standby.is_ready, self.log)
        self.took_seconds.append(time.monotonic() - began)
        self.epoch += 1
        self.owner, self.standby = self.standby, self.owner
        self.standby.log.unlink()
        self.standby.start("standby")
        until(lambda: follows(self.standby), self.log)


@pytest.mark.timeout(60 + 60 * ROUNDS)
@pytest.mark.parametrize(
    "replication",
    [
        "sync",
        pytest.param(
            "async",
            marks=pytest.mark.skipif(
                "CLUSTER_ROUNDS" not in os.environ, reason="in full only: make cluster-test"
            ),
        ),
    ],
)
def test_owners_that_are_killed_or_stand_still_are_replaced_and_two_never_send(
    tmp_path: Path, replication: str
) -> None:
    with (
        NatsServer(tmp_path / "nats") as nats,
        desk(tmp_path, nats, 2, REPLICATION=replication) as (nodes, server),
    ):
        changing = Desk(nodes, server, SEED)
        changing.begin()
        with Trader(nodes, server, SEED) as trader:
            ways = [changing.kill, changing.stand_still]
            if replication == "sync":
                # An owner that is cut off trades on in async; what it did is lost to the next one.
                ways += [changing.cut_off, changing.lose_the_venue]
            for number in range(ROUNDS):
                ways[number % len(ways)]()
            changing.trades(4)
            trader.is_trading = False
            told = {*trader.told}
            time.sleep(1)
            changing.standby.stop()  # it would take over from an owner that stops
            changing.owner.send(signal.SIGTERM)
            assert changing.owner.ended() == 128 + signal.SIGTERM, changing.log()
            assert_one_owner_sent_at_a_time(server)
            if replication == "sync":
                assert told <= decided(changing.owner)
            assert_books_are_whole(changing.owner, server)
        with connected(nats.url) as connection:
            assert streamed(connection, "main") == rows_of(changing.owner.database)


def assert_one_owner_sent_at_a_time(server: BybitServer) -> None:
    """In the order in which the venue took them, no order is of an owner before the last one."""
    sent = epochs_sent(server)
    assert sent == sorted(sent)
    assert len({*server.account.orders}) == len(server.account.orders)

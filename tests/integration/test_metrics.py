"""/metrics of a real engine: as many as the database has, true at ten times the speed, and from
nothing after a restart."""

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from pointsman.engine.control_client import ask
from pointsman.engine.requests import AnyRequest
from tests.integration.sessions import command, environment, rows
from tests.ports import free_port
from tests.unit.test_metrics import IN_A_CLUSTER, TABLE, full_name

PATIENCE_SECONDS = 60.0
ALWAYS = {"TRADING_WINDOW_START": "00:00", "TRADING_WINDOW_END": "24:00"}


class Running:
    """An engine on the simulated market at ten times the speed."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "t.db"
        self.port = free_port()
        self.log = folder / "log.txt"
        with self.log.open("a") as stream:
            self.process = subprocess.Popen(
                command("run", "--headless", "--db", "t.db", "--speed", "10"),
                cwd=folder,
                env=environment({**ALWAYS, "HTTP_PORT": str(self.port)}),
                stdout=stream,
                stderr=stream,
            )
        self.until(lambda: self.total("trading_reconciliation_runs_total", result="clean") > 0)

    def text(self) -> str:
        """What is told now; nothing while nothing listens."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            assert answer.status == 200
            return answer.read().decode()
        except ConnectionError:
            return ""
        finally:
            connection.close()

    def total(self, name: str, **labels: str) -> float:
        """The sum of the samples of a name that have these labels."""
        return sum(
            sample.value
            for family in parsed(self.text())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def stored(self, query: str) -> int:
        ((count,),) = rows(self.database, f"SELECT count(*) FROM {query}")
        return int(count)

    def ask(self, verb: str, **fields: object) -> None:
        ask(
            self.database,
            msgspec.convert(
                {"verb": verb, "reason": "a drill", "by": "test", **fields}, AnyRequest
            ),
        )

    def until(self, is_true: Callable[[], bool]) -> None:
        """Wait for it, as long as the engine runs."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not is_true():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() < give_up_at, self.text()
            time.sleep(0.1)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_SECONDS) == 128 + signal.SIGTERM


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Running]]:
    engines: list[Running] = []

    def begin() -> Running:
        engines.append(Running(tmp_path))
        return engines[-1]

    yield begin
    for engine in engines:
        if engine.process.poll() is None:
            engine.process.kill()
            engine.process.wait()


def test_the_numbers_are_those_of_the_database_and_begin_again_after_a_restart(
    start: Callable[[], Running],
) -> None:
    engine = start()
    engine.until(lambda: engine.total("trading_fills_total") >= 3)
    engine.ask("kill", flatten=True)
    engine.until(lambda: engine.total("trading_kill_switch_active") == 1)
    engine.until(lambda: engine.total("trading_position_quantity") == 0)
    engine.until(lambda: engine.total("trading_fills_total") == engine.stored("fills"))
    refused = "decisions WHERE outcome = 'refused' AND reason = 'KILLED'"
    engine.until(lambda: engine.stored(refused) > 0)
    engine.until(
        lambda: (
            engine.total("trading_signals_refused_total", reason="KILLED") == engine.stored(refused)
        )
    )
    filled = engine.stored("orders WHERE status = 'FILLED'")
    assert engine.total("trading_orders_total", status="FILLED") == filled
    assert engine.total("trading_order_ack_seconds_count") == engine.total(
        "trading_orders_submitted_total"
    )
    commits = engine.total("trading_db_commit_seconds_count")
    assert 0 < commits <= engine.stored("journal"), "a commit is of one or many turns"
    equity = engine.total("trading_equity")
    engine.end()

    again = start()
    assert again.stored("fills") >= 3
    assert again.total("trading_fills_total") == 0
    assert again.total("trading_orders_total", status="FILLED") == 0
    assert again.total("trading_kill_switch_active") == 1
    assert again.total("trading_equity") == pytest.approx(equity, abs=0.001)
    again.end()


def test_all_that_is_promised_is_told_truly_at_ten_times_the_speed(
    start: Callable[[], Running],
) -> None:
    engine = start()
    engine.until(lambda: engine.total("trading_position_quantity") > 0)
    text = engine.text()
    families = {full_name(family): family for family in parsed(text)}
    assert set(families) == set(TABLE) - IN_A_CLUSTER
    for name, family in families.items():
        kind, labels = TABLE[name]
        assert family.type == kind, name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels, name
    stamp = engine.total("trading_reconciliation_last_success_timestamp_seconds")
    assert time.time() - stamp < PATIENCE_SECONDS, "on the wall clock, not on the market's"
    ack_count = engine.total("trading_order_ack_seconds_count")
    assert engine.total("trading_order_ack_seconds_sum") >= ack_count * 0.0199, "event time"
    promtool = shutil.which("promtool")
    if promtool is not None:
        done = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, "")
    engine.end()

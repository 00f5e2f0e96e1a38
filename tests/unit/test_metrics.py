"""GET /metrics: exactly the metrics that are promised, told truthfully, in a text that Prometheus
takes."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import httpx
import msgspec
import pytest
from fastapi import FastAPI
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families as parsed

from pointsman import __version__
from pointsman.api.meters import Meters
from pointsman.api.metrics import metrics_routes
from pointsman.config.settings import resolve_settings
from pointsman.domain.accounts import Account, KillState, KillSwitch
from pointsman.domain.commands import Record, Step, Submit
from pointsman.domain.events import Compared, Event
from pointsman.domain.market import Quote
from pointsman.domain.positions import Position
from pointsman.engine.kill_latch import KillLatch, LatchState, latch_path
from pointsman.engine.live_view import LiveView, facts
from pointsman.engine.publisher import Counts, Publisher
from pointsman.engine.snapshot import Document, EngineSnapshot
from tests import desk_stories as told
from tests.desk_stories import SECOND_NS, START_NS, VA
from tests.engine_stories import Story, accepted, begin, traded

replace = msgspec.structs.replace

PROMISED = """
    trading_signals_received_total                          counter    va
    trading_signals_refused_total                           counter    va reason
    trading_orders_submitted_total                          counter    va symbol venue side
    trading_orders_total                                    counter    status
    trading_fills_total                                     counter    va symbol venue side
    trading_signal_to_order_seconds                         histogram
    trading_order_ack_seconds                               histogram
    trading_db_commit_seconds                               histogram
    trading_slippage_bps                                    histogram
    trading_market_data_age_seconds                         gauge
    trading_position_quantity                               gauge      va symbol side
    trading_unrealized_pnl                                  gauge      va
    trading_realized_pnl                                    gauge      va
    trading_equity                                          gauge      va
    trading_drawdown_ratio                                  gauge      va
    trading_consecutive_losses                              gauge      va
    trading_cooldown_active                                 gauge      va
    trading_kill_switch_active                              gauge
    trading_unprotected_positions                           gauge
    trading_naked_seconds                                   gauge
    trading_reconciliation_runs_total                       counter    result
    trading_reconciliation_last_success_timestamp_seconds   gauge
    pointsman_venue_up                                      gauge      link
    pointsman_replica_lag_rows                              gauge
    pointsman_replica_lag_seconds                           gauge
    pointsman_epoch                                         gauge
    trading_event_loop_lag_seconds                          gauge
    trading_build_info                                      gauge      version
"""
"""Name, type and labels of all that is promised to who watches."""

CLUSTER = {"epoch": 3, "replica_lag_rows": 7, "replica_lag_ms": 1500}
ROWS = [line.split() for line in PROMISED.strip().splitlines()]
IN_A_CLUSTER = {"pointsman_replica_lag_rows", "pointsman_replica_lag_seconds", "pointsman_epoch"}
TABLE = {name: (kind, set(labels)) for name, kind, *labels in ROWS}
SETTINGS = resolve_settings({}, None, {}).settings
MARK = Quote("XXX", START_NS, Decimal("99.99"), Decimal(100), Decimal("100.01"), Decimal(100))


class Watched:
    """An engine as its metrics see it: a story, noted by meters, behind a picture."""

    def __init__(self, folder: Path) -> None:
        self.story: Story = begin()
        self.health: Document = {"feed_age_ms": None, "loop_lag_ms": "0.0", **CLUSTER}
        self.wall_seconds = 1_800_000_000.0
        self.latch = KillLatch(latch_path(folder / "t.db"))
        self._meters = Meters("paper", lambda: self.wall_seconds)
        self._publisher = Publisher()
        picture = EngineSnapshot({"XXX": MARK}.get, 2 * SECOND_NS, lambda _symbol: 2)
        picture.load(self.story.memory.records(Account), Counts())
        self._board = LiveView(
            picture,
            self._publisher,
            self.latch,
            lambda: self.story.loop.now_ns,
            lambda: self.health,
            facts("t.db", "engine", "1", "sim", SETTINGS),
        )
        self.story.loop.on_turn = self._on_turn
        self._app = FastAPI()
        self._app.include_router(metrics_routes(self._meters, self._board))

    def _on_turn(self, event: Event, step: Step) -> None:
        self._publisher.put(step.changes)
        self._meters.turn(event, step)

    def publish(self, *records: Record) -> None:
        self._publisher.put(records)

    def committed(self, took_ns: int) -> None:
        self._meters.committed(took_ns)

    def text(self) -> str:
        self._board.refresh()
        answer = asyncio.run(self._ask())
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return answer.text

    async def _ask(self) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/metrics")

    def families(self) -> dict[str, Metric]:
        return {full_name(family): family for family in parsed(self.text())}

    def value(self, name: str, **labels: str) -> float | None:
        """One sample, or None where there is none."""
        for family in self.families().values():
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return None


def full_name(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


@pytest.fixture
def watched(tmp_path: Path) -> Iterable[Watched]:
    watched = Watched(tmp_path)
    yield watched
    watched.latch.close()


def test_exactly_what_is_promised_is_told_each_with_help_type_and_labels(watched: Watched) -> None:
    watched.story.ask(told.signal("large", quantity="1000000"))
    watched.story.enter()
    watched.story.loop.turn(Compared(True, START_NS, 0, ""))
    watched.committed(SECOND_NS)
    links = [{"link": "orders", "is_up": False, "down_ms": 5}, {"link": "quotes", "is_up": True}]
    watched.health |= {"feed_age_ms": 1500, "loop_lag_ms": "2.5", "venue_links": links}
    families = watched.families()
    assert set(families) == set(TABLE)
    for name, family in families.items():
        kind, labels = TABLE[name]
        assert (family.type, bool(family.documentation)) == (kind, True), name
        assert family.samples, name
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels, name


def test_promtool_finds_nothing_to_complain_of(watched: Watched) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (it comes with prometheus)")
    watched.story.enter()
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=watched.text(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_no_label_is_the_id_of_an_order_or_of_a_signal(watched: Watched) -> None:
    order = watched.story.enter("a-signal-of-mine")
    text = watched.text()
    assert order.client_order_id not in text
    assert "a-signal-of-mine" not in text


def test_what_is_not_known_has_no_sample(watched: Watched) -> None:
    assert watched.value("trading_market_data_age_seconds") is None
    assert watched.value("trading_reconciliation_last_success_timestamp_seconds") is None
    assert watched.value("trading_kill_switch_active") == 0


def test_money_of_an_account_is_that_of_the_picture(watched: Watched) -> None:
    watched.story.enter()
    assert watched.value("trading_position_quantity", va=VA, symbol="XXX", side="long") == 10
    assert watched.value("trading_unrealized_pnl", va=VA) == pytest.approx(-0.1)
    assert watched.value("trading_equity", va=VA) == pytest.approx(99_999.9)
    assert watched.value("trading_drawdown_ratio", va=VA) == pytest.approx(1e-6, rel=0.01)
    assert watched.value("trading_realized_pnl", va=VA) == 0


def test_positions_of_one_account_and_symbol_are_added_up(watched: Watched) -> None:
    watched.story.enter("a", "10")
    watched.story.enter("b", "7")
    assert watched.value("trading_position_quantity", va=VA, symbol="XXX", side="long") == 17


def test_a_position_is_unprotected_until_the_venue_confirms_its_stop(watched: Watched) -> None:
    story = watched.story
    story.ask(told.signal("in"))
    (entry,) = story.venue.take(Submit)
    story.say(accepted(entry.order), traded(entry.order, "10"))
    (stop,) = story.venue.take(Submit)
    story.at(SECOND_NS // 2)
    assert watched.value("trading_unprotected_positions") == 1
    assert watched.value("trading_naked_seconds") == 0.5
    story.say(accepted(stop.order))
    assert watched.value("trading_unprotected_positions") == 0
    assert watched.value("trading_naked_seconds") == 0


def test_a_position_that_is_being_closed_without_a_stop_is_unprotected_too(
    watched: Watched,
) -> None:
    watched.story.enter()
    (position,) = watched.story.memory.records(Position)[-1:]
    naked = replace(position, closing_all=True, naked_since_ns=START_NS - SECOND_NS)
    watched.publish(naked)
    assert watched.value("trading_unprotected_positions") == 1
    assert watched.value("trading_naked_seconds") == 1


def test_the_kill_switch_shows_pressed_in_the_records_or_only_in_the_latch(
    watched: Watched,
) -> None:
    watched.publish(KillSwitch(KillState.HALT, changed_by="ann"))
    assert watched.value("trading_kill_switch_active") == 1
    watched.publish(KillSwitch())
    assert watched.value("trading_kill_switch_active") == 0
    watched.latch.press(LatchState(KillState.HALT, "ann", "drill", START_NS))
    assert watched.value("trading_kill_switch_active") == 1


def test_a_cooldown_shows_also_while_killed(watched: Watched) -> None:
    (account,) = watched.story.memory.records(Account)[-1:]
    until_ns = START_NS + SECOND_NS
    watched.publish(
        replace(account, cooldown_until_ns=until_ns, loss_streak=3), KillSwitch(KillState.HALT)
    )
    assert watched.value("trading_cooldown_active", va=VA) == 1
    assert watched.value("trading_consecutive_losses", va=VA) == 3
    watched.story.at(2 * SECOND_NS)
    assert watched.value("trading_cooldown_active", va=VA) == 0
    assert watched.value("trading_consecutive_losses", va=VA) == 0


def test_rule_46_each_link_to_the_venue_is_a_gauge(watched: Watched) -> None:
    rows = [{"link": "account_stream", "is_up": False}, {"link": "budget", "is_up": True}]
    watched.health |= {"venue_links": rows}
    assert watched.value("pointsman_venue_up", link="account_stream") == 0
    assert watched.value("pointsman_venue_up", link="budget") == 1


def test_health_is_in_seconds_and_the_last_comparison_on_the_wall_clock(watched: Watched) -> None:
    watched.health = {"feed_age_ms": 1500, "loop_lag_ms": "2.5"}
    watched.story.loop.turn(Compared(True, START_NS, 0, ""))
    watched.wall_seconds += 60
    watched.committed(20_000_000)
    assert watched.value("trading_market_data_age_seconds") == 1.5
    assert watched.value("trading_event_loop_lag_seconds") == 0.0025
    stamp = watched.value("trading_reconciliation_last_success_timestamp_seconds")
    assert stamp == 1_800_000_000
    assert watched.value("trading_db_commit_seconds_sum") == pytest.approx(0.02)
    assert watched.value("trading_db_commit_seconds_bucket", le="0.025") == 1
    assert watched.value("trading_build_info", version=__version__) == 1


def test_each_engine_has_its_own_numbers(watched: Watched, tmp_path: Path) -> None:
    other_folder = tmp_path / "other"
    other_folder.mkdir()
    other = Watched(other_folder)
    watched.story.enter()
    assert watched.value("trading_signals_received_total", va=VA) == 1
    assert other.value("trading_signals_received_total", va=VA) is None
    other.latch.close()


def test_the_copy_of_the_journal_is_told_where_one_is_kept_and_not_mentioned_elsewhere(
    watched: Watched,
) -> None:
    assert watched.value("pointsman_replica_lag_rows") == 7
    assert watched.value("pointsman_replica_lag_seconds") == 1.5
    for key in CLUSTER:
        del watched.health[key]
    assert not {name for name in watched.families() if "replica" in name or "epoch" in name}

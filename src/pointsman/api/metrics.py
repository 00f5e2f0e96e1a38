"""GET /metrics: how the engine is, for Prometheus.

Counts come from the meters, everything else from the board's picture at the moment of asking.
Invariants: each engine has a registry of its own; no label is an order's id or a text of a sender;
what is not known (no quote yet, no comparison yet) has no sample, never a zero.

Time is event time where it is the market's or the venue's (the age of data, the answer to an order,
time without a stop), so that it is true at any speed; what the machine itself takes is real time.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from pointsman.api.meters import Counts, Histogram, Meters
from pointsman.domain.accounts import KillState
from pointsman.engine.live_view import LiveView
from pointsman.engine.snapshot import Document, LiveSnapshot
from pointsman.execution.figures import AccountFigures, Cover
from pointsman.version import __version__

Samples = Iterable[tuple[tuple[str, ...], float]]
"""Values by the values of the labels."""

VA, SYMBOL, VENUE, SIDE = "va", "symbol", "venue", "side"


class Scrape(NamedTuple):
    """What the gauges of one scrape are read from: accounts and positions, and the machinery."""

    snapshot: LiveSnapshot
    health: Document


class _Count(NamedTuple):
    name: str
    help: str
    labels: tuple[str, ...]
    of: Callable[[Meters], Counts]


class _Spread(NamedTuple):
    name: str
    help: str
    of: Callable[[Meters], Histogram]


class _Gauge(NamedTuple):
    name: str
    help: str
    labels: tuple[str, ...]
    of: Callable[[Scrape], Samples]


COUNTS = (
    _Count(
        "trading_signals_received_total",
        "Signals received since this process started: accepted, refused, repeated and malformed; "
        "va is empty where no known account is named.",
        (VA,),
        lambda meters: meters.received,
    ),
    _Count(
        "trading_signals_refused_total",
        "Signals refused since this process started, by the first rule that was broken.",
        (VA, "reason"),
        lambda meters: meters.refused,
    ),
    _Count(
        "trading_orders_submitted_total",
        "Orders sent to the venue since this process started: entries, stops and exits.",
        (VA, SYMBOL, VENUE, SIDE),
        lambda meters: meters.submitted,
    ),
    _Count(
        "trading_orders_total",
        "How often an order came into a status since this process started.",
        ("status",),
        lambda meters: meters.orders,
    ),
    _Count(
        "trading_fills_total",
        "Executions booked since this process started.",
        (VA, SYMBOL, VENUE, SIDE),
        lambda meters: meters.fills,
    ),
    _Count(
        "trading_reconciliation_runs_total",
        "Comparisons with the venue since this process started: clean, differed (reports were "
        "missing and have been supplied) or failed (the answer was not complete).",
        ("result",),
        lambda meters: meters.comparisons,
    ),
)

SPREADS = (
    _Spread(
        "trading_signal_to_order_seconds",
        "From the decision on a signal to sending its entry to the venue, the commit included; "
        "real time.",
        lambda meters: meters.signal_to_order,
    ),
    _Spread(
        "trading_order_ack_seconds",
        "From sending an order to the venue to its first response; event time.",
        lambda meters: meters.order_ack,
    ),
    _Spread(
        "trading_db_commit_seconds",
        "Length of one durable transaction, of one or many turns; real time.",
        lambda meters: meters.commit,
    ),
    _Spread(
        "trading_slippage_bps",
        "How much worse an entry filled than its signal's price, or where it had none the touch "
        "at the decision, in basis points; better counts as 0.",
        lambda meters: meters.slippage,
    ),
)


def _one(value: float) -> Samples:
    return [((), value)]


def _of_accounts(figure: Callable[[AccountFigures], Decimal | int]) -> Callable[[Scrape], Samples]:
    return lambda scrape: [
        ((each.account.va_id,), float(figure(each))) for each in scrape.snapshot.accounts
    ]


def _health(key: str) -> Callable[[Scrape], Samples]:
    """A figure of the machinery, from milliseconds to seconds; nothing where it is not known."""

    def of(scrape: Scrape) -> Samples:
        told = scrape.health.get(key)
        return [] if told is None else _one(float(told) / 1000)

    return of


def _known(scrape: Scrape, key: str) -> list[int]:
    """A figure of the machinery; nothing where it is not known."""
    told = scrape.health.get(key)
    return [] if told is None else [told]


def _quantities(scrape: Scrape) -> Samples:
    held: dict[tuple[str, ...], float] = {}
    for each in scrape.snapshot.positions:
        position = each.figures.position
        labels = (position.va_id, position.symbol, position.side.value)
        held[labels] = held.get(labels, 0.0) + float(position.quantity)
    return held.items()


def _naked_ms(scrape: Scrape) -> list[float]:
    """How long each position without a confirmed stop has been so."""
    return [
        float(each.naked_ms)
        for each in scrape.snapshot.positions
        if each.cover in (Cover.UNCONFIRMED, Cover.NAKED) or each.naked_ms
    ]


GAUGES = (
    _Gauge(
        "trading_equity",
        "Cash and positions at the touch that they would close against, in the account's currency.",
        (VA,),
        _of_accounts(lambda each: each.equity),
    ),
    _Gauge(
        "trading_drawdown_ratio",
        "Fall of equity from its peak, as a part of 1.",
        (VA,),
        _of_accounts(lambda each: each.drawdown),
    ),
    _Gauge(
        "trading_realized_pnl",
        "Result of what was closed, after fees, since the account was opened.",
        (VA,),
        _of_accounts(lambda each: each.account.realized),
    ),
    _Gauge(
        "trading_unrealized_pnl",
        "What closing all now would add, before fees.",
        (VA,),
        _of_accounts(lambda each: each.unrealized),
    ),
    _Gauge(
        "trading_consecutive_losses",
        "Losses in a row; 0 once a cooldown has ended.",
        (VA,),
        _of_accounts(lambda each: each.loss_streak),
    ),
    _Gauge(
        "trading_cooldown_active",
        "1 while the account cools down after losses, else 0.",
        (VA,),
        _of_accounts(lambda each: each.is_cooling),
    ),
    _Gauge(
        "trading_position_quantity",
        "Quantity held, by direction; none where nothing is held.",
        (VA, SYMBOL, SIDE),
        _quantities,
    ),
    _Gauge(
        "trading_unprotected_positions",
        "Positions without a stop that the venue has confirmed.",
        (),
        lambda scrape: _one(len(_naked_ms(scrape))),
    ),
    _Gauge(
        "trading_naked_seconds",
        "How long the position that is longest without a confirmed stop has been so, 0 where all "
        "have one; event time.",
        (),
        lambda scrape: _one(max(_naked_ms(scrape), default=0.0) / 1000),
    ),
    _Gauge(
        "trading_kill_switch_active",
        "1 while the kill switch is on, else 0.",
        (),
        lambda scrape: _one(scrape.snapshot.kill_switch.state is not KillState.OFF),
    ),
    _Gauge(
        "pointsman_venue_up",
        "1 while a part of the connection to the venue is up: orders, account_stream, quotes, and "
        "budget, which is 0 while the venue says to slow down.",
        ("link",),
        lambda scrape: [
            ((row["link"],), float(row["is_up"])) for row in scrape.health.get("venue_links", ())
        ],
    ),
    _Gauge(
        "trading_market_data_age_seconds",
        "Since the newest quote of any symbol; event time.",
        (),
        _health("feed_age_ms"),
    ),
    _Gauge(
        "trading_event_loop_lag_seconds",
        "How late the engine's loop is; real time.",
        (),
        _health("loop_lag_ms"),
    ),
    _Gauge(
        "trading_build_info",
        "Always 1; the version is in the label.",
        ("version",),
        lambda _scrape: [((__version__,), 1.0)],
    ),
)


CLUSTER_GAUGES = (
    _Gauge(
        "pointsman_replica_lag_rows",
        "Rows of the journal that its copy lacks.",
        (),
        lambda scrape: [((), float(n)) for n in _known(scrape, "replica_lag_rows")],
    ),
    _Gauge(
        "pointsman_replica_lag_seconds",
        "Since when the copy of the journal lacks any row, 0 where it lacks none; real time.",
        (),
        _health("replica_lag_ms"),
    ),
    _Gauge(
        "pointsman_epoch",
        "The number of this ownership of the desk.",
        (),
        lambda scrape: [((), float(n)) for n in _known(scrape, "epoch")],
    ),
)
"""Told only by an engine that shares its desk with others (REPLICATE_TO)."""


class EngineMetrics(Collector):
    """All metrics of one engine, drawn up when they are asked for."""

    def __init__(self, meters: Meters, board: LiveView) -> None:
        self._meters = meters
        self._board = board

    def collect(self) -> Iterator[Metric]:
        """Every metric, with its samples of this moment."""
        scrape = Scrape(self._board.snapshot(), self._board.health())
        for count in COUNTS:
            counter = CounterMetricFamily(count.name, count.help, labels=count.labels)
            for labels, number in sorted(count.of(self._meters).copy().items()):
                counter.add_metric(labels, number)
            yield counter
        for spread in SPREADS:
            histogram = spread.of(self._meters)
            yield HistogramMetricFamily(
                spread.name, spread.help, buckets=histogram.buckets(), sum_value=histogram.total
            )
        is_alone = "epoch" not in scrape.health
        for gauge in GAUGES if is_alone else (*GAUGES, *CLUSTER_GAUGES):
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in gauge.of(scrape):
                family.add_metric(labels, value)
            yield family
        yield self._compared()

    def _compared(self) -> Metric:
        """Wall clock, as Prometheus reckons, whatever the time of the market is."""
        at_seconds = self._meters.compared_at_seconds
        family = GaugeMetricFamily(
            "trading_reconciliation_last_success_timestamp_seconds",
            "When a comparison with the venue was last complete; wall clock.",
        )
        if at_seconds is not None:
            family.add_metric((), at_seconds)
        return family


def metrics_routes(meters: Meters, board: LiveView) -> APIRouter:
    """The route that Prometheus asks; it needs no token."""
    routes = APIRouter(tags=["health"])
    registry = CollectorRegistry()
    registry.register(EngineMetrics(meters, board))

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def metrics() -> Response:
        """All metrics, in the text format of Prometheus."""
        text = generate_latest(registry)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    return routes

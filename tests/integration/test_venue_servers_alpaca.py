"""The Alpaca server of the tests, asked by Alpaca's own client: so it is known to speak the
protocol of the venue, and to have its rules."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.alpaca_client import (
    eventually,
    limit,
    market,
    models,
    refused,
    requests,
    status,
    stock_client,
    stop,
    trading,
)
from tests.optional import NEEDS_ALPACA
from tests.venue_servers.alpaca import AlpacaServer
from tests.venue_servers.faults import Fault, Kind

pytestmark = NEEDS_ALPACA


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    with AlpacaServer(key="K", secret="S") as started:
        started.quote("AAPL", 100, "100.02")
        yield started


@pytest.fixture
def client(server: AlpacaServer) -> Iterator[Any]:
    with stock_client(server) as client:
        yield client


def test_the_client_reads_the_account_the_clock_the_calendar_and_the_assets(client: Any) -> None:
    account = client.get_account()
    assert (account.cash, account.buying_power, account.equity) == ("100000", "200000", "100000")
    assert account.pattern_day_trader is None
    assert account.daytrade_count is None
    clock = client.get_clock()
    assert clock.is_open
    assert clock.timestamp < clock.next_close < clock.next_open
    days = {row.date: row for row in client.get_calendar()}
    assert len(days) > 15
    today = days[clock.timestamp.date()]
    assert today.open <= clock.timestamp.replace(tzinfo=None)
    assert {asset.symbol for asset in client.get_all_assets()} == {"AAPL", "MSFT", "SPY"}
    assert client.get_asset("AAPL").tradable
    assert refused(client.get_asset, "XYZ")["code"] == 40410000


def test_wrong_keys_are_refused(server: AlpacaServer) -> None:
    stranger = trading.TradingClient("K", "other", paper=True, url_override=server.url)
    assert refused(stranger.get_account)["status"] == 401
    stranger._session.close()


def test_a_position_from_entry_over_its_stop_to_exit(server: AlpacaServer, client: Any) -> None:
    entry = client.submit_order(market("buy", client_order_id="entry-1"))
    assert (entry.status, entry.client_order_id) == ("pending_new", "entry-1")
    assert client.get_order_by_client_id("entry-1").filled_avg_price == "100.02"
    resting = client.submit_order(stop("sell", 95, client_order_id="stop-1"))
    assert status(client, resting) == "new"
    held = client.get_open_position("AAPL")
    assert (held.qty, held.qty_available, held.side) == ("10", "0", "long")

    wash = refused(client.submit_order, limit("buy", 90))
    assert (wash["status"], wash["code"]) == (403, 40310000)
    assert wash["existing_order_id"] == str(resting.id)
    assert wash["reject_reason"] == "opposite side market/stop order exists"
    short = refused(client.submit_order, market("sell"))
    assert (short["status"], short["code"]) == (403, 40310000)
    assert (short["available"], short["existing_qty"], short["held_for_orders"]) == (
        "0",
        "10",
        "10",
    )
    assert "requested: 10, available: 0" in short["message"]

    server.cancel_seconds = 0.2
    client.cancel_order_by_id(resting.id)
    assert status(client, resting) == "pending_cancel"
    assert "wash trade" in refused(client.submit_order, limit("buy", 90))["message"]
    eventually(lambda: status(client, resting) == "canceled")
    client.submit_order(market("sell"))
    assert client.get_all_positions() == []
    assert refused(client.get_open_position, "AAPL")["status"] == 404
    assert Decimal(client.get_account().cash) == 100_000 - Decimal("0.2")


def test_a_stop_is_set_off_by_a_trade_and_sells_at_the_bid(
    server: AlpacaServer, client: Any
) -> None:
    client.submit_order(market("buy"))
    resting = client.submit_order(stop("sell", 95))
    server.quote("AAPL", 94, 96)
    assert status(client, resting) == "new"
    server.trade("AAPL", "94.9")
    done = client.get_order_by_id(resting.id)
    assert (done.status, done.filled_avg_price) == ("filled", "94")


def test_a_client_id_is_used_up_for_ever(client: Any) -> None:
    order = client.submit_order(limit("buy", 90, client_order_id="once"))
    client.cancel_order_by_id(order.id)
    eventually(lambda: status(client, order) == "canceled")
    answer = refused(client.submit_order, limit("buy", 90, client_order_id="once"))
    assert (answer["status"], answer["code"]) == (422, 40010001)
    assert answer["message"] == "client_order_id must be unique"


def test_the_client_sends_an_order_again_after_a_504_and_calls_a_live_one_refused(
    server: AlpacaServer, client: Any
) -> None:
    """Why no adapter of ours uses it."""
    server.faults.add(Fault(route="create", kind=Kind.ANSWER_AFTER_DOING, status=504, body="late"))
    answer = refused(client.submit_order, limit("buy", 90, client_order_id="lives"))
    assert (answer["status"], answer["code"]) == (422, 40010001)
    assert client.get_order_by_client_id("lives").status == "new"
    assert [asked.status for asked in server.requests if asked.route == "create"] == [504, 422]


def test_a_fault_meant_for_stops_spares_other_orders(server: AlpacaServer, client: Any) -> None:
    server.faults.add(Fault(route="stop", kind=Kind.ANSWER, status=500, body={"code": 50010000}))
    client.submit_order(market("buy"))
    assert refused(client.submit_order, stop("sell", 95))["status"] == 500
    assert client.submit_order(stop("sell", 95)).status == "pending_new"


def test_a_cancel_is_overtaken_by_a_fill_or_never_ends(server: AlpacaServer, client: Any) -> None:
    server.cancel_seconds = 0.1
    overtaken = client.submit_order(limit("buy", 99))
    client.cancel_order_by_id(overtaken.id)
    server.quote("AAPL", 98, 99)
    assert status(client, overtaken) == "filled"
    time.sleep(0.15)
    assert status(client, overtaken) == "filled"
    answer = refused(client.cancel_order_by_id, overtaken.id)
    assert (answer["status"], answer["code"]) == (422, 42210000)
    assert answer["message"] == 'order is already in "filled" state'
    server.cancel_seconds = None
    stuck = client.submit_order(limit("buy", 90))
    client.cancel_order_by_id(stuck.id)
    time.sleep(0.05)
    assert status(client, stuck) == "pending_cancel"
    assert refused(client.cancel_order_by_id, stuck.id)["status"] == 422
    assert (
        refused(client.cancel_order_by_id, "7b6f1c1e-0000-4000-8000-000000000000")["code"]
        == 40410000
    )


def test_a_replaced_stop_is_a_new_order_for_the_same_shares(client: Any) -> None:
    client.submit_order(market("buy"))
    old = client.submit_order(stop("sell", 95, client_order_id="stop-1"))
    moved = requests.ReplaceOrderRequest(stop_price=97, client_order_id="stop-2")
    new = client.replace_order_by_id(old.id, moved)
    assert (new.replaces, new.stop_price, new.qty) == (old.id, "97", "10")
    before = client.get_order_by_id(old.id)
    assert (before.status, before.replaced_by) == ("replaced", new.id)
    assert [order.id for order in client.get_orders()] == [new.id]
    assert client.get_open_position("AAPL").qty_available == "0"
    more = requests.ReplaceOrderRequest(qty=11)
    assert "available: 10" in refused(client.replace_order_by_id, new.id, more)["message"]
    assert refused(client.replace_order_by_id, old.id, more)["message"] == "order already replaced"
    same = requests.ReplaceOrderRequest(stop_price=97)
    answer = refused(client.replace_order_by_id, new.id, same)
    assert answer["message"] == "order parameters are not changed"
    again = requests.ReplaceOrderRequest(stop_price=96, client_order_id="stop-1")
    assert refused(client.replace_order_by_id, new.id, again)["code"] == 40010001


def test_an_order_at_once_fills_what_is_displayed_and_the_rest_is_canceled(
    server: AlpacaServer, client: Any
) -> None:
    server.quote("AAPL", 100, 101, ask_size=4)
    order = client.submit_order(limit("buy", 101, time_in_force="ioc"))
    done = client.get_order_by_id(order.id)
    assert (done.status, done.filled_qty, done.filled_avg_price) == ("canceled", "4", "101")
    server.quote("AAPL", 100, 101, ask_size=4)
    whole = client.submit_order(limit("buy", 101, time_in_force="fok"))
    assert client.get_order_by_id(whole.id).filled_qty == "0"


def test_outside_the_session_orders_wait_and_stops_sleep(server: AlpacaServer, client: Any) -> None:
    client.submit_order(market("buy"))
    lasting = client.submit_order(stop("sell", 95, 4))
    day = client.submit_order(stop("sell", 94, 4, time_in_force="day"))
    server.close_market()
    assert not client.get_clock().is_open
    assert (status(client, lasting), status(client, day)) == ("new", "expired")
    server.quote("AAPL", 93, 94)
    assert status(client, lasting) == "new"
    waiting = client.submit_order(market("sell", 6))
    assert waiting.status == "accepted"
    assert status(client, waiting) == "accepted"
    more = requests.ReplaceOrderRequest(qty=5)
    answer = refused(client.replace_order_by_id, waiting.id, more)
    assert answer["message"] == "cannot replace order in accepted status"
    server.open_market()
    assert client.get_clock().is_open
    assert (status(client, waiting), status(client, lasting)) == ("filled", "filled")
    assert client.get_all_positions() == []


def test_nothing_trades_during_a_halt(server: AlpacaServer, client: Any) -> None:
    client.submit_order(market("buy"))
    resting = client.submit_order(stop("sell", 95))
    server.halt("AAPL")
    server.quote("AAPL", 90, 91)
    assert status(client, resting) == "new"
    server.close_market()
    server.open_market()
    assert status(client, resting) == "new"
    server.resume("AAPL")
    assert client.get_order_by_id(resting.id).filled_avg_price == "90"


def test_fills_are_read_page_by_page_and_fees_come_later(server: AlpacaServer, client: Any) -> None:
    server.account.pieces = 20
    client.submit_order(market("buy", 20))
    server.fee("AAPL", "0.03")
    pages: list[Any] = []
    token: dict[str, str] = {}
    while page := client.get(
        "/account/activities/FILL", {"direction": "asc", "page_size": 8, **token}
    ):
        pages.append([models.TradeActivity(**row) for row in page])
        token = {"page_token": page[-1]["id"]}
    assert [len(page) for page in pages] == [8, 8, 4]
    rows = [row for page in pages for row in page]
    assert [row.cum_qty for row in rows] == list(range(1, 21))
    assert [row.type.value for row in rows] == ["partial_fill"] * 19 + ["fill"]
    newest = client.get("/account/activities")[0]
    assert models.NonTradeActivity(**newest).net_amount == -0.03
    last = client.get("/account/activities/FILL", {"page_size": 1})[0]["transaction_time"]
    assert client.get("/account/activities/FILL", {"after": last}) == []
    assert refused(client.get, "/account/activities", {"page_size": 101})["status"] == 422
    assert Decimal(client.get_account().cash) == 100_000 - 20 * Decimal("100.02") - Decimal("0.03")


def test_a_list_of_orders_ends_at_fifty_unless_more_are_asked_for(client: Any) -> None:
    for number in range(60):
        client.submit_order(limit("buy", 50 + number / 100, 1))
    assert len(client.get_orders()) == 50
    every = client.get_orders(requests.GetOrdersRequest(limit=500, direction="asc"))
    assert [order.limit_price for order in every][:2] == ["50", "50.01"]
    assert len(every) == 60
    after = requests.GetOrdersRequest(after=every[56].submitted_at, direction="asc")
    assert [order.id for order in client.get_orders(after)][-3:] == [o.id for o in every[57:]]
    assert client.get_orders(requests.GetOrdersRequest(status="closed")) == []
    assert {answer.status for answer in client.cancel_orders()} == {200}
    eventually(lambda: client.get_orders() == [])


def test_requests_are_counted_by_the_minute(server: AlpacaServer) -> None:
    server.requests_per_minute = 3
    headers = {"APCA-API-KEY-ID": "K", "APCA-API-SECRET-KEY": "S"}
    left = []
    for _ in range(4):
        asked = urllib.request.Request(f"{server.url}/v2/clock", headers=headers)
        try:
            with urllib.request.urlopen(asked) as answer:
                left.append((answer.status, answer.headers["X-RateLimit-Remaining"]))
        except urllib.error.HTTPError as refusal:
            with refusal:
                left.append((refusal.code, refusal.headers["X-RateLimit-Remaining"]))
    assert left == [(200, "2"), (200, "1"), (200, "0"), (429, "0")]


def test_a_stop_that_the_market_has_passed_may_be_taken_and_then_rejected(
    server: AlpacaServer, client: Any
) -> None:
    server.account.refuses_passed_stops = False
    client.submit_order(market("buy"))
    taken = client.submit_order(stop("sell", 100.5))
    assert taken.status == "pending_new"
    assert status(client, taken) == "rejected"
    assert client.get_open_position("AAPL").qty_available == "10"


def test_a_new_order_can_stay_unknown_for_a_while(server: AlpacaServer, client: Any) -> None:
    server.faults.add(Fault(route="query", kind=Kind.HIDE_NEW_ORDERS, seconds=0.2))
    client.submit_order(limit("buy", 90, client_order_id="hidden"))
    assert refused(client.get_order_by_client_id, "hidden")["code"] == 40410000
    assert len(client.get_orders()) == 1
    time.sleep(0.2)
    assert client.get_order_by_client_id("hidden").status == "new"


def test_the_owner_and_the_venue_act_of_their_own_accord(server: AlpacaServer, client: Any) -> None:
    client.submit_order(market("buy", client_order_id="ours"))
    resting = client.submit_order(stop("sell", 95, 4, client_order_id="stop"))
    server.foreign_order("AAPL", "sell", 6)
    assert client.get_open_position("AAPL").qty == "4"
    server.end_order("stop", "suspended")
    assert status(client, resting) == "suspended"
    server.end_order("stop", "rejected")
    assert status(client, resting) == "rejected"
    second = client.submit_order(stop("sell", 95, 4))
    server.liquidate("AAPL")
    assert status(client, second) == "canceled"
    assert client.get_all_positions() == []


def test_controls_do_the_same_over_http(server: AlpacaServer, client: Any) -> None:
    def control(name: str, **words: Any) -> None:
        data = json.dumps(words).encode()
        request = urllib.request.Request(f"{server.url}/_control/{name}", data, method="POST")
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200

    control("session", is_open=False, seconds=0.3)
    control("quote", symbol="AAPL", bid=90.5, ask=91)
    control("foreign", symbol="AAPL", side="buy", quantity=3)
    assert client.get_all_positions() == []
    eventually(lambda: client.get_clock().is_open)
    assert client.get_open_position("AAPL").avg_entry_price == "91"
    control("funding", symbol="AAPL", amount="-0.5")
    with urllib.request.urlopen(f"{server.url}/_control/account") as answer:
        view = json.load(answer)
    assert view["account"]["cash"] == "99726.5"
    assert [row["activity_type"] for row in view["activities"]] == ["FILL", "FEE"]

"""Readiness: each cause by its name, at any speed, and no other (docs/contract.md, HTTP)."""

import time
from decimal import Decimal

import pytest

from pointsman.config.settings import resolve_settings
from pointsman.domain.events import LinkChanged, VenueLink
from pointsman.execution.last_check import Hold
from pointsman.execution.market_view import LiveSession
from pointsman.execution.ports import StorageStatus
from pointsman.reading.vitals import Vitals
from pointsman.service.readiness import Readiness
from tests.desk_stories import SECOND_NS
from tests.engine_stories import BROKEN, begin, snapshot

OPEN = {"TRADING_WINDOW_START": "00:00", "TRADING_WINDOW_END": "24:00"}
SHUT = {"TRADING_WINDOW_START": "03:00", "TRADING_WINDOW_END": "03:01"}


class Body:
    """A loop, and what else readiness is told."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.story = begin()
        self.loop = self.story.loop
        self.standing = StorageStatus()
        self.compared_ns: int | None = self.loop.now_ns
        self.down: dict[str, str] = {}
        self.lost: dict[str, str] = {}
        self.vitals = Vitals(
            lambda: self.loop.now_ns, lambda: 0, lambda: self.standing, lambda: self.compared_ns
        )
        self.vitals.note(1, self.loop.now_ns)
        self.readiness = Readiness(
            resolve_settings(settings, None, {}).settings,
            self.loop,
            self.vitals,
            lambda: self.standing,
            lambda: self.compared_ns,
            lambda: self.down,
            lambda: self.lost,
        )

    def later(self, seconds: str) -> None:
        """Time goes on, and nothing happens."""
        self.loop.advance(self.loop.now_ns + int(Decimal(seconds) * SECOND_NS))

    @property
    def causes(self) -> dict[str, str]:
        return self.readiness.causes()


@pytest.fixture
def body() -> Body:
    return Body(OPEN)


def test_when_all_is_well_there_is_no_cause(body: Body) -> None:
    assert body.causes == {}


def test_the_start_must_have_been_compared(body: Body) -> None:
    body.compared_ns = None
    assert body.causes == {"comparison": "not compared with the venue since the start"}


def test_what_a_comparison_could_not_be_told_is_named(body: Body) -> None:
    body.compared_ns = None
    body.story.say(snapshot(missing="GET /fills: HTTP 502"))
    told = "not compared with the venue since the start; the last answer was incomplete: "
    assert body.causes["comparison"] == f"{told}GET /fills: HTTP 502"
    body.story.say(snapshot())
    assert body.causes["comparison"] == "not compared with the venue since the start"


def test_a_comparison_may_be_three_intervals_old(body: Body) -> None:
    body.later("15")
    assert body.causes == {}
    body.later("0.001")
    told = "not compared with the venue for 15 s; RECONCILE_INTERVAL_SECONDS is 5"
    assert body.causes == {"comparison": told}
    body.compared_ns = body.loop.now_ns
    assert body.causes == {}


def test_rule_60_what_stops_all_entries_is_told_beside_the_causes(body: Body) -> None:
    calm = body.readiness.document()
    assert (calm["unready"], calm["entries_held"]) == ({}, "")
    body.loop.hold(Hold.FILE_LOST, True, "t.paper.db was removed while the engine ran")
    body.standing = StorageStatus(0, str(BROKEN.cause), 1)
    told = f"storage fails: {BROKEN.cause}; t.paper.db was removed while the engine ran"
    assert body.readiness.document()["entries_held"] == told
    body.loop.hold(Hold.STOPPING, True)
    body.loop.hold(Hold.FILE_LOST, False)
    body.standing = StorageStatus()
    assert body.readiness.document()["entries_held"] == ""


@pytest.mark.parametrize(
    ("link", "held", "cause"),
    [
        (VenueLink.ORDERS, "venue down: orders 12 s", "down for 12 s: reset by peer"),
        (
            VenueLink.ACCOUNT_STREAM,
            "venue down: account stream 12 s",
            "down for 12 s: reset by peer",
        ),
        (VenueLink.QUOTES, "venue down: quotes 12 s", "down for 12 s: reset by peer"),
        (VenueLink.BUDGET, "venue busy: budget 12 s", "used up for 12 s: reset by peer"),
    ],
)
def test_rule_46_a_link_that_is_down_is_a_cause_and_stops_all_entries(
    body: Body, link: VenueLink, held: str, cause: str
) -> None:
    body.story.say(LinkChanged(link, False, body.loop.now_ns, "reset by peer"))
    body.later("12.9")
    body.compared_ns = body.loop.now_ns
    body.vitals.note(2, body.loop.now_ns)
    name = f"venue {link.value.replace('_', ' ')}"
    assert body.causes == {name: cause}
    document = body.readiness.document()
    assert document["entries_held"] == held
    rows = {row["link"]: row for row in document["venue_links"]}
    assert set(rows) == set(VenueLink)
    assert rows.pop(link) == {
        "link": link, "is_up": False, "down_ms": 12_900, "detail": "reset by peer"
    }  # fmt: skip
    assert all(row["is_up"] and row["down_ms"] == 0 for row in rows.values())
    body.story.say(LinkChanged(link, True, body.loop.now_ns))
    assert (body.causes, body.readiness.document()["entries_held"]) == ({}, "")


def test_storage_that_fails_is_a_cause_until_it_heals(body: Body) -> None:
    body.standing = StorageStatus(0, str(BROKEN.cause), 1)
    assert body.causes == {"storage": f"storage fails: {BROKEN.cause}"}
    body.standing = StorageStatus(1)
    assert body.causes == {}


def test_a_part_that_is_down_is_named(body: Body) -> None:
    body.down = {"http": "LookupError: no such thing"}
    assert body.causes == {"task http": "LookupError: no such thing"}


def test_a_silent_feed_is_a_cause_while_its_market_should_be_open(body: Body) -> None:
    body.later("30")
    body.compared_ns = body.loop.now_ns
    assert body.causes == {}
    body.later("1")
    assert body.causes == {"feed": "no quote for 31 s; FEED_SILENCE_SECONDS is 30"}
    body.vitals.note(2, body.loop.now_ns)
    assert body.causes == {}


def test_at_night_silence_is_a_cause_only_while_something_is_held() -> None:
    body = Body(SHUT)
    body.later("3600")
    body.compared_ns = body.loop.now_ns
    assert body.causes == {}
    body.loop.desk.books.holding_accounts["VA001"] = None
    assert list(body.causes) == ["feed"]


def test_rule_6_a_night_that_is_skipped_is_neither_silence_nor_a_missed_comparison(
    body: Body,
) -> None:
    body.later("60000")
    body.readiness.resume(body.loop.now_ns)
    assert body.causes == {}
    body.later("31")
    assert list(body.causes) == ["comparison", "feed"]


def test_a_loop_that_is_late_is_a_cause(body: Body, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    body.vitals.beat(0)
    monkeypatch.setattr(time, "monotonic", lambda: now + 3.5)
    assert body.causes == {"loop": "the loop is 3.4 s late"}


def test_rule_19_to_be_killed_is_no_cause(body: Body) -> None:
    body.loop.hold(Hold.KILL_LATCH, True)
    assert body.causes == {}


def test_rule_60_a_file_that_was_lost_is_a_cause_by_its_own_name(body: Body) -> None:
    body.lost["kill latch"] = "t.db.kill was removed"
    assert body.causes == {"kill latch": "t.db.kill was removed"}


def test_rule_60_stamps_that_are_at_odds_with_the_clock_are_a_cause(body: Body) -> None:
    view, now_ns = body.loop.view, body.loop.now_ns
    body.vitals.note(2, now_ns)
    for second in range(11):
        view.skipped.skip("XXX", now_ns + (second - 10) * SECOND_NS, "too old")
    assert body.causes == {"quotes": "every row of XXX has been skipped for 10 s: too old"}
    view.skipped.take("XXX")
    view.begin_live(LiveSession(now_ns - 3600 * SECOND_NS, 3600 * SECOND_NS, SECOND_NS))
    assert "put back" in body.causes["clock"]
    view.begin_live(LiveSession(now_ns, 0, SECOND_NS))
    for second, early_s in enumerate((50, 0, 0)):
        received_ns = now_ns + second * SECOND_NS
        view.clock_offset.note(received_ns + early_s * SECOND_NS, received_ns)
    assert "contradict" in body.causes["clock"]

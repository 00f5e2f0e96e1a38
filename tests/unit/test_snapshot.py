"""The picture: what is shown of accounts, positions, decisions and the kill switch."""

from decimal import Decimal

import msgspec
import pytest

from pointsman.domain.accounts import Account, KillState, KillSwitch
from pointsman.domain.commands import Submit
from pointsman.domain.positions import Position
from pointsman.domain.reasons import Reason
from pointsman.engine.kill_latch import LatchState
from pointsman.engine.publisher import ChangeBatch, Counts
from pointsman.engine.snapshot import Document, EngineSnapshot
from tests import desk_stories as told
from tests.engine_stories import Story, accepted, begin, traded

replace = msgspec.structs.replace
OPEN = LatchState()


class Shown:
    """A story, and the picture of it."""

    def __init__(self) -> None:
        self.batches: list[ChangeBatch] = []
        self.story: Story = begin(accounts=(told.VA, "VA002"))
        books = self.story.loop.desk.books
        self.picture = EngineSnapshot(
            self.story.loop.view.quotes.last_valid, 2 * told.SECOND_NS, lambda _symbol: 2
        )
        self.picture.load([*books.accounts.values(), books.desk], Counts())
        self.story.loop.on_turn = lambda _event, step: self.batches.append(
            ChangeBatch(step.changes)
        )

    def now(self, after_ns: int = 0, latched: LatchState = OPEN) -> Document:
        """The picture so much later than the last turn."""
        batches, self.batches = self.batches, []
        self.picture.merge(batches)
        return self.picture.document(self.story.loop.now_ns + after_ns, latched)


def test_a_position_is_shown_with_its_worth_and_whether_its_stop_is_confirmed() -> None:
    shown = Shown()
    shown.story.ask(told.signal("in"))
    (entry,) = shown.story.venue.take(Submit)
    shown.story.say(accepted(entry.order), traded(entry.order, "10"))
    (position,) = shown.now(told.SECOND_NS)["positions"]
    assert (position["cover"], position["naked_ms"]) == ("unconfirmed", 1000)
    assert shown.now(3 * told.SECOND_NS)["positions"][0]["cover"] == "naked"
    (stop,) = shown.story.venue.take(Submit)
    shown.story.say(accepted(stop.order))
    shown.story.show("100.49", "100.51")
    found = shown.now()
    (position,) = found["positions"]
    told_of = {name: position[name] for name in ("quantity", "entry_price", "mark", "unrealized")}
    assert told_of == {
        "quantity": "10",
        "entry_price": "100.0000000000",
        "mark": "100.49",
        "unrealized": "4.90",
    }
    assert (position["cover"], position["stop_price"]) == ("covered", "98.00")
    account = found["accounts"][0]
    assert (account["equity"], account["unrealized"]) == ("100004.90", "4.90")
    assert (account["symbol"], account["open_positions"]) == ("XXX", 1)
    assert found["orders"] == {"working": 1, "unknown": 0}
    shown.story.ask(told.signal("out", "close", None))
    assert shown.now()["positions"][0]["cover"] == "exiting"


def test_decisions_come_newest_first_with_side_reason_and_numbers() -> None:
    shown = Shown()
    shown.story.enter("good")
    shown.story.ask(told.signal("big", quantity="500"))
    refused, accepted_one = shown.now()["decisions"]
    assert refused["signal_id"] == "big"
    assert (refused["side"], refused["outcome"]) == ("buy", "refused")
    assert refused["reason"] == "MAX_POSITION_SIZE"
    assert (refused["limit"], refused["quantity"]) == ("10000", "500")
    assert (accepted_one["outcome"], accepted_one["quantity"]) == ("accepted", "10")
    assert shown.now()["counts"] == {
        "signals": 2, "accepted": 1, "refused": 1, "fills": 1, "trades": 0,
    }  # fmt: skip


def test_a_latch_that_the_loop_has_not_come_to_yet_shows_as_killed() -> None:
    shown = Shown()
    pressed = LatchState(KillState.FLATTEN, "ann", "stuck", 5)
    found = shown.now(latched=pressed)
    assert found["trading_state"] == "HALTED"
    assert (found["kill"]["state"], found["kill"]["by"]) == ("flatten", "ann")
    assert [account["status"] for account in found["accounts"]] == ["killed", "killed"]
    shown.picture.load([KillSwitch(KillState.HALT, changed_by="bob")], Counts())
    assert shown.now(latched=pressed)["kill"]["by"] == "ann", "flatten is more than halt"
    halted = LatchState(KillState.HALT, "ann")
    assert shown.now(latched=halted)["kill"]["by"] == "bob", "the desk knows of it already"


COOLING = Account(
    "VA003", Decimal(1), 0, cooldown_until_ns=told.START_NS + 212 * told.SECOND_NS, loss_streak=3
)


@pytest.mark.parametrize(
    ("account", "switch", "status", "words"),
    [
        (Account("V", Decimal(1), 0), KillSwitch(), "active", "active"),
        (COOLING, KillSwitch(), "cooldown", "cooldown, 212 s left"),
        (replace(COOLING, is_paused=True), KillSwitch(), "paused", "paused by a person"),
        (
            replace(COOLING, frozen_for=Reason.MISMATCH),
            KillSwitch(),
            "frozen",
            "frozen: MISMATCH",
        ),
        (
            replace(COOLING, cooldown_until_ns=None, stopped_by=Reason.MAX_DRAWDOWN),
            KillSwitch(),
            "stopped",
            "stopped: MAX_DRAWDOWN",
        ),
        (
            COOLING,
            KillSwitch(is_paused=True, changed_by="ann", note="lunch"),
            "paused",
            "all paused by ann: lunch",
        ),
        (
            COOLING,
            KillSwitch(KillState.HALT, changed_by="ann", note="news"),
            "killed",
            "killed (halt), by ann: news",
        ),
    ],
)
def test_the_status_of_an_account_says_why(
    account: Account, switch: KillSwitch, status: str, words: str
) -> None:
    picture = EngineSnapshot(lambda _symbol: None, 1, lambda _symbol: 2)
    picture.load([account, switch], Counts())
    (found,) = picture.document(told.START_NS, OPEN)["accounts"]
    assert (found["status"], found["status_text"]) == (status, words)


def test_a_cooldown_that_is_over_shows_no_streak() -> None:
    picture = EngineSnapshot(lambda _symbol: None, 1, lambda _symbol: 2)
    picture.load([COOLING], Counts())
    over_ns = told.START_NS + 212 * told.SECOND_NS
    (found,) = picture.document(over_ns, OPEN)["accounts"]
    assert (found["status"], found["loss_streak"]) == ("active", 0)


def test_without_a_quote_a_position_counts_at_cost() -> None:
    shown = Shown()
    shown.story.enter()
    position = shown.story.loop.desk.books.positions[1]
    picture = EngineSnapshot(lambda _symbol: None, 1, lambda _symbol: 2)
    assert isinstance(position, Position)
    picture.load([told.account(shown.story.loop.desk), position], Counts())
    found = picture.document(told.START_NS, OPEN)
    assert (found["positions"][0]["mark"], found["accounts"][0]["equity"]) == (None, "100000")


def test_an_account_shows_how_much_of_its_limits_it_uses() -> None:
    over_ns = told.START_NS + 10 * told.SECOND_NS
    account = Account(
        va_id=told.VA,
        start_balance=Decimal(1000),
        opened_at_ns=1,
        cash=Decimal(975),
        exposure=Decimal("500.50"),
        cooldown_until_ns=over_ns,
        day_start_ns=told.START_NS,
        day_start_equity=Decimal(1000),
        day_deposits=Decimal(5),
        day_entries=3,
    )
    picture = EngineSnapshot(lambda _symbol: None, 1, lambda _symbol: 2)
    picture.load([account], Counts())
    (found,) = picture.document(told.START_NS, OPEN)["accounts"]
    assert (found["exposure"], found["daily_loss"], found["entries_today"]) == ("500.50", "30", 3)
    assert found["cooldown_until_ns"] == over_ns
    picture.load([replace(account, day_start_ns=0)], Counts())
    (found,) = picture.document(over_ns, OPEN)["accounts"]
    assert (found["daily_loss"], found["cooldown_until_ns"]) == (None, None)

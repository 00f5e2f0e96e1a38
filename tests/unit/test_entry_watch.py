"""The watch on entries: each check holds for what is right and breaks for what is not."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from pointsman.domain.accounts import Account, DeskRecord, KillState, KillSwitch
from pointsman.domain.events import Killed, Rearmed, SignalReceived
from pointsman.domain.market import Quote
from pointsman.domain.positions import Trade
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import PositionSide
from pointsman.domain.signals import Action, Decision, Outcome, Window
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.books import Books
from pointsman.simulator.broken import Broken
from pointsman.simulator.entry_watch import MINUTE_NS, EntryWatch
from tests.desk_stories import quote, signal
from tests.simulations import order, policy

NOW_NS = 1_000 * SECOND_NS
GOOD = quote(NOW_NS, symbol="AAA")
OPEN = Window(0, 2 * NOW_NS)
replace = msgspec.structs.replace


def books() -> Books:
    made = Books(policy(), DeskRecord("ABCDEF"))
    made.put_account(Account("VA001", Decimal(100), 0))
    return made


def accept(watch: EntryWatch, at_ns: int = NOW_NS, **changes: Any) -> None:
    """An entry is accepted; `changes` are of its signal, quote and window."""
    sent = signal("S1", symbol="AAA", price=changes.get("price"))
    told = changes.get("quote", replace(GOOD, ts_ns=at_ns))
    event = SignalReceived(sent, told, told, changes.get("window", OPEN), 0)
    decision = Decision(
        "S1", "VA001", "AAA", Outcome.ACCEPTED, at_ns, action=Action.ENTRY, quote=told
    )
    watch.decided(event, decision, changes.get("books") or books(), at_ns)


BAD: dict[str, Quote | None] = {
    "none": None,
    "not a number": replace(GOOD, bid=Decimal("NaN")),
    "endless": replace(GOOD, ask=Decimal("Infinity")),
    "zero": replace(GOOD, bid=Decimal(0)),
    "crossed": replace(GOOD, bid=GOOD.ask, ask=GOOD.bid),
    "a size below zero": replace(GOOD, bid_size=Decimal(-1)),
    "wide": replace(GOOD, ask=Decimal(101)),
    "old": replace(GOOD, ts_ns=NOW_NS - SECOND_NS),
}


@pytest.mark.parametrize("bad", BAD)
def test_i14_an_entry_on_a_bad_quote_is_seen_when_decided_and_when_it_leaves(bad: str) -> None:
    watch = EntryWatch(policy())
    with pytest.raises(Broken, match="I14"):
        accept(watch, quote=BAD[bad])
    if (fed := BAD[bad]) is not None:
        watch.fed["AAA"] = fed
    with pytest.raises(Broken, match="I14"):
        watch.sent(order(1, price="101"), NOW_NS)


@pytest.mark.parametrize(
    "changes",
    [{"window": None}, {"window": Window(0, NOW_NS)}, {"price": Decimal("99.9")}],
    ids=["no window", "a window that has closed", "slippage"],
)
def test_i14_an_entry_at_a_bad_moment_is_seen(changes: dict[str, Any]) -> None:
    accept(EntryWatch(policy()))
    accept(EntryWatch(policy()), price=Decimal(100))
    with pytest.raises(Broken, match="I14"):
        accept(EntryWatch(policy()), **changes)


def test_i12_more_entries_in_a_minute_than_allowed_are_seen() -> None:
    watch = EntryWatch(policy())
    accept(watch)
    accept(watch, NOW_NS + SECOND_NS)
    accept(watch, NOW_NS + MINUTE_NS)
    with pytest.raises(Broken, match="I12"):
        accept(watch, NOW_NS + MINUTE_NS + SECOND_NS - 1)


def test_i11_more_slots_than_allowed_are_seen() -> None:
    held = books()
    for number in range(1, 4):
        held.put_order(order(number, price="101"))
    accept(EntryWatch(policy()), books=held)
    held.put_order(order(4, price="101"))
    with pytest.raises(Broken, match="I11"):
        accept(EntryWatch(policy()), books=held)


def lost(number: int) -> Trade:
    return Trade(
        f"{number}.0", number, "VA001", "AAA", PositionSide.LONG, Decimal(1), Decimal(100),
        Decimal(99), Decimal(-1), Decimal(0), 0, NOW_NS, Reason.STOP_LOSS,
    )  # fmt: skip


def test_i13_an_entry_within_a_cooldown_is_seen() -> None:
    watch = EntryWatch(policy())
    for number in range(policy().limits_of("VA001").max_loss_cooldown):
        accept(watch, NOW_NS - (3 - number) * MINUTE_NS)
        watch.closed(lost(number))
    with pytest.raises(Broken, match="I13"):
        accept(watch, NOW_NS + SECOND_NS)


@pytest.mark.parametrize("reason", [Reason.COOLDOWN, Reason.KILLED, Reason.MAX_ORDERS_PER_MINUTE])
def test_i13_an_exit_that_a_limit_keeps_is_seen(reason: Reason) -> None:
    watch, event = EntryWatch(policy()), Rearmed("ann", "looked at it")
    refused = Decision(
        "S1", "VA001", "AAA", Outcome.REFUSED, NOW_NS, reason=reason, action=Action.EXIT
    )
    watch.decided(event, replace(refused, reason=Reason.NOTHING_TO_CLOSE), books(), NOW_NS)
    with pytest.raises(Broken, match="I13"):
        watch.decided(event, refused, books(), NOW_NS)


def test_i15_an_entry_that_leaves_or_works_on_while_killed_is_seen() -> None:
    watch, working = EntryWatch(policy()), books()
    watch.fed["AAA"] = GOOD
    entry = order(1, price="101")
    watch.sent(entry, NOW_NS)
    working.put_order(entry)
    with pytest.raises(Broken, match="I15"):
        watch.took_in(Killed(False, "ann", "a bad feeling"), working)
    with pytest.raises(Broken, match="I15"):
        watch.sent(entry, NOW_NS)
    working.put_order(replace(entry, is_cancel_pending=True))
    watch.took_in(Killed(False, "ann", "a bad feeling"), working)


def test_i15_only_a_person_opens_what_the_machine_has_shut() -> None:
    watch = EntryWatch(policy())
    watch.fed["AAA"] = GOOD
    watch.switched(KillSwitch(KillState.HALT))
    watch.switched(KillSwitch())
    with pytest.raises(Broken, match="I15"):
        watch.sent(order(1, price="101"), NOW_NS)
    watch.took_in(Rearmed("ann", "looked at it"), books())
    watch.sent(order(1, price="101"), NOW_NS)

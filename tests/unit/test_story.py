"""Why: the story of one signal holds all that came of it, in order and with its numbers."""

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import msgspec
import pytest

from pointsman.domain.events import ChargePaid, FundingPaid, ReportWord
from pointsman.domain.sides import MarketPosition, PositionSide, SignalSide
from pointsman.domain.signals import Remarks
from pointsman.execution.ports import JournalEntry
from pointsman.reading.documents import Document
from pointsman.reading.story import Story, near_ids, read_story, story_document
from pointsman.storage.reader import open_reader
from pointsman.terminal.why import draw_story
from tests.story_database import Day, lived_day
from tests.unit.stored_samples import START_NS, decision, fill, order, signal
from tests.unit.test_tables import drawn

ZONE = "America/New_York"


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """The day's database."""
    path = lived_day().store(tmp_path_factory.mktemp("day") / "trading.db")
    with closing(open_reader(path)) as opened:
        yield opened


def told(connection: Connection, signal_id: str, width: int = 100) -> list[str]:
    """The story as a person reads it."""
    story = read_story(connection, signal_id)
    assert story is not None
    return drawn(draw_story(story, ZONE), width)


def document(connection: Connection, signal_id: str) -> Document:
    """The story as a program reads it."""
    story = read_story(connection, signal_id)
    assert story is not None
    found: Document = json.loads(json.dumps(story_document(story)))
    return found


def happened(lines: list[str]) -> list[str]:
    """When and what, of the time line."""
    start = next(i for i, line in enumerate(lines) if line.startswith("What happened"))
    rows = [line.split() for line in lines[start + 3 :] if line.lstrip().startswith("+")]
    return [" ".join(row)[:40] for row in rows]


@pytest.mark.parametrize(
    ("symbol", "currency", "words"),
    [
        ("XXX/USD", None, ", fee 0.15839"),
        ("XXX/USD", "XXX", ", fee 0.15839 XXX"),
        ("XXX/USD", "BNB", ", fee 0.15839 BNB, not in the result"),
    ],
)
def test_a_fee_is_told_with_its_currency(symbol: str, currency: str | None, words: str) -> None:
    """One that no result counts says so."""
    of = order(1, symbol=symbol, signal_id="s1")
    filled = msgspec.structs.replace(fill(of, "t1"), fee_currency=currency, booked_at_ns=START_NS)
    story = Story(
        signal("s1"), decision("s1", of.client_order_id), (of,), (filled,), (), (), (), (), 2
    )
    assert any(
        line.endswith(f"buy 10 at 158.39{words}") for line in drawn(draw_story(story, ZONE), 120)
    )


def test_a_refusal_opens_with_its_reason_and_its_numbers(connection: Connection) -> None:
    lines = told(connection, "late")
    assert lines[:4] == [
        "late  buy 50 XXX at 158.39",
        "REFUSED: LATENCY",
        "The newest quote is too old.",
        "Measured 1,000 ms; must be at most 500 ms.",
    ]


def test_rule_11_every_rule_stands_in_order_with_its_mark(connection: Connection) -> None:
    lines = told(connection, "late")
    rules = [line.split()[2] for line in lines if line.startswith(("✓ pass", "✗ FAIL"))]
    checks = document(connection, "late")["decision"]["checks"]
    assert rules == [check["rule"] for check in checks]
    assert rules[0] == "UNKNOWN_ACCOUNT"
    assert rules.index("OUTSIDE_WINDOW") < rules.index("LATENCY") < rules.index("SPREAD")
    assert [line.split()[2] for line in lines if line.startswith("✗ FAIL")] == ["LATENCY"]


def test_the_window_is_told_on_the_local_clock(connection: Connection) -> None:
    (line,) = [line for line in told(connection, "late") if "OUTSIDE_WINDOW" in line]
    assert line.split()[3:] == ["2018-01-02", "09:30:05.000", "09:30:00", "to", "16:00:00"]


def test_an_acceptance_opens_with_its_plan(connection: Connection) -> None:
    lines = told(connection, "loser")
    assert lines[1] == "ACCEPTED: enter 50 XXX at 158.46 or better, as position 1"


def test_what_came_of_it_is_in_the_order_of_time(connection: Connection) -> None:
    assert happened(told(connection, "loser", 120)) == [
        "+0.000 accepted",
        "+0.000 entry order ABCDEF1E1: buy 50 at ",
        "+0.020 fill ABCDEF1E1: buy 20 at 158.39,",
        "+0.020 fill ABCDEF1E1: buy 30 at 158.40,",
        "+0.020 stop-loss order ABCDEF1S1: sell 2",
        "+0.020 stop-loss order ABCDEF1S2: sell 3",
        "+0.020 entry ended ABCDEF1E1: filled; 50",
        "+0.500 fill ABCDEF1S1: sell 20 at 155.20",
        "+0.500 fill ABCDEF1S2: sell 30 at 155.20",
        "+0.500 stop-loss ended ABCDEF1S1: filled",
        "+0.500 stop-loss ended ABCDEF1S2: filled",
        "+0.500 closed long 50 from 158.396 to 15",
        "+5.100 ID_REUSED the id was decided befo",
    ]


def test_a_closed_position_says_what_it_came_to(connection: Connection) -> None:
    text = " ".join(" ".join(told(connection, "loser", 120)).split())
    assert "158.396 to 155.20: -161.37 after fees, STOP_LOSS, held 480 ms" in text


def test_rule_13_what_came_again_is_told(connection: Connection) -> None:
    text = "\n".join(told(connection, "loser"))
    assert "1 time with the same content, and got the same answer" in text
    assert "1 time with other content; nothing was done about those" in text


def test_what_is_not_over_is_told_at_the_end(connection: Connection) -> None:
    lines = told(connection, "holder")
    assert lines[-2:] == [
        "Position 2 is open: long 30 XXX, stop at 155.23.",
        "Order ABCDEF2S2 is ACCEPTED, 30 may still fill.",
    ]
    text = "\n".join(lines)
    assert "ABCDEF2E1: canceled, NOT_FILLED; 50 of 60 at 158.39 on average" in text


def test_an_exit_names_the_position_that_it_closes(connection: Connection) -> None:
    lines = told(connection, "part")
    assert lines[:2] == ["part  close 20 XXX", "ACCEPTED: close 20 XXX of position 2"]
    assert "An exit is never held up" in "\n".join(lines)
    assert [order["client_order_id"] for order in document(connection, "part")["orders"]] == [
        "ABCDEF2X1"
    ]


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("signal_id", ["loser", "holder", "part", "late", "nobody"])
def test_nothing_is_wider_than_the_terminal(
    connection: Connection, signal_id: str, width: int
) -> None:
    lines = told(connection, signal_id, width)
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)


def test_programs_get_all_records_of_the_story(connection: Connection) -> None:
    story = document(connection, "loser")
    assert story["signal"]["ts"] == "2018-01-02T14:30:01.000000Z"
    assert story["decision"]["outcome"] == "accepted"
    assert [len(story[name]) for name in ("orders", "fills", "trades", "incidents")] == [3, 4, 1, 1]
    window = next(c for c in story["decision"]["checks"] if c["rule"] == "OUTSIDE_WINDOW")
    assert window["limit"] == "2018-01-02T14:30:00.000000Z..2018-01-02T21:00:00.000000Z"
    assert [held["position_id"] for held in document(connection, "holder")["positions"]] == [2]


def test_an_unknown_id_has_no_story_but_near_ones(connection: Connection) -> None:
    assert read_story(connection, "LOOSER") is None
    assert near_ids(connection, "LOOSER") == ["loser"]
    assert near_ids(connection, "zzz") == []


def test_rule_16_the_cooldown_that_a_loss_began_belongs_to_its_story(tmp_path: Path) -> None:
    day = Day()
    policy = day.policy
    assert policy.limits.max_loss_cooldown == 3
    for number in (1, 2, 3):
        day.lose(number * 1_000, f"loss-{number}", number)
    with closing(open_reader(day.store(tmp_path / "trading.db"))) as connection:
        last = document(connection, "loss-3")
        first = document(connection, "loss-1")
    assert [incident["kind"] for incident in last["incidents"]] == ["COOLDOWN_STARTED"]
    assert first["incidents"] == []


def test_what_a_signal_asked_for_and_why_it_was_too_much(tmp_path: Path) -> None:
    day = Day()
    levels: dict[str, Any] = {
        "stop_loss": Decimal(120),
        "take_profit": Decimal(170),
        "ttl_ns": 5 * 10**9,
    }
    day.signal(1_000, "far", **levels, quantity=Decimal(10), ts_ns=day.at_ns(980))
    shares: dict[str, Any] = {
        "stop_loss_percentage": Decimal("1.5"),
        "take_profit_percentage": Decimal(3),
    }
    day.signal(2_000, "near", **shares, quantity=Decimal(10), reduce_only=True)
    with closing(open_reader(day.store(tmp_path / "trading.db"))) as connection:
        far = " ".join(" ".join(told(connection, "far")).split())
        near = "\n".join(told(connection, "near"))
    assert "asked for stop at 120.00, target 170.00, valid for 5.000 s" in far
    assert "20 ms after its own stamp" in far
    assert "-0.020 stamped by its sender" in far
    shown = "Measured 24.2376 % (from the reference, with a stop at 120); must be at most 10 %"
    assert shown in far
    assert "stop 1.5 % away, target 3 % away, reduce only" in near
    assert "REFUSED: NOTHING_TO_CLOSE" in near


def test_rule_10_a_signal_that_was_cut_says_to_what(tmp_path: Path) -> None:
    day = Day()
    day.signal(1_000, "long", quantity=Decimal(50))
    day.report(1_020, "ABCDEF1E1", ReportWord.TRADE, "50", "158.39")
    day.signal(1_100, "flip", side=SignalSide.SELL, quantity=Decimal(80))
    with closing(open_reader(day.store(tmp_path / "trading.db"))) as connection:
        lines = told(connection, "flip")
        naked = told(connection, "long")
    assert lines[1] == "ACCEPTED: close 50 XXX of position 1"
    assert any("50: more would have flipped the position" in line for line in lines)
    assert "Position 1 is open: long 50 XXX, without a confirmed stop." in naked


def test_funding_stands_in_the_story_of_the_signal_that_opened_the_position(tmp_path: Path) -> None:
    """With what it was for."""
    day = lived_day()
    ts_ns = day.desk.now_ns
    paid = FundingPaid("f1", "XXX", PositionSide.LONG, Decimal("-0.75"), ts_ns)
    day.entries.append(JournalEntry(ts_ns, paid, day.desk.handle(paid, ts_ns).changes))
    with closing(open_reader(day.store(tmp_path / "day.db"))) as connection:
        lines = told(connection, "holder")
        (share,) = document(connection, "holder")["fundings"]
    assert (share["va_id"], share["quantity"], share["amount"]) == ("VA002", "30", "-0.75")
    (line,) = [line for line in lines if " funding " in line]
    assert "30 XXX of position" in line


def test_rule_51_a_charge_is_called_so_in_the_story(tmp_path: Path) -> None:
    day = lived_day()
    ts_ns = day.desk.now_ns
    paid = ChargePaid("c1", Decimal("-0.75"), ts_ns, "XXX")
    day.entries.append(JournalEntry(ts_ns, paid, day.desk.handle(paid, ts_ns).changes))
    with closing(open_reader(day.store(tmp_path / "day.db"))) as connection:
        lines = told(connection, "holder")
    (line,) = [line for line in lines if " charge " in line]
    assert "30 XXX of position" in line


def test_rules_55_and_58_a_story_tells_what_was_not_used_and_what_was_not_opened(
    tmp_path: Path,
) -> None:
    day = Day()
    remarks = Remarks(("comment",), ("orderType: not done here",), ("quantity: 1e1 -> 10",))
    asked: dict[str, Any] = {
        "quantity": Decimal(50),
        "market_position": MarketPosition.LONG,
        "remarks": remarks,
    }
    step = day.signal(1_000, "s1", **asked)
    assert step.decision is not None
    left = msgspec.structs.replace(step.decision, opening_quantity=Decimal(7))
    waits = msgspec.structs.replace(left, opening_id="s1/open")
    for decided, words in ((left, "left unopened"), (waits, "then opens")):
        with closing(open_reader(day.store(tmp_path / f"{words}.db"))) as opened:
            story = read_story(opened, "s1")
        assert story is not None
        drawing = draw_story(msgspec.structs.replace(story, decision=decided), ZONE)
        lines = "\n".join(drawn(drawing, 160))
        for each in (words, "7", "comment", "orderType", "1e1 -> 10", "is long after it"):
            assert each in lines, (each, lines)

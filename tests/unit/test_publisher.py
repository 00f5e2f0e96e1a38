"""The hand-over of changed records: whole or folded, a reader sees the same in the end."""

from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.commands import Cancel, Record, Submit
from pointsman.engine import publisher
from pointsman.engine.kill_latch import LatchState
from pointsman.engine.publisher import BATCHES_MAX, ChangeBatch, Counts, Publisher, count, fold
from pointsman.engine.snapshot import Document, EngineSnapshot
from tests import desk_stories as told
from tests.engine_stories import begin, canceled, traded

END_NS = told.START_NS + 10**12


def busy_turns() -> list[tuple[Record, ...]]:
    """What entries, stops, exits and refusals have changed, turn by turn, with one position that
    stays open."""
    story = begin()
    turns: list[tuple[Record, ...]] = [
        (told.account(story.loop.desk), story.loop.desk.books.desk),
    ]
    story.loop.on_turn = lambda _event, step: turns.append(step.changes)
    for number in range(5):
        story.enter(f"in-{number}")
        story.ask(told.signal(f"out-{number}", "close", None))
        (leave,) = story.venue.take(Submit)
        story.say(traded(leave.order, "10", price="99" if number % 2 else "101"))
        for cancel in story.venue.take(Cancel):
            story.say(canceled(story.order(cancel.client_order_id)))
        story.ask(told.signal(f"none-{number}", "close", None))
    story.enter("stays")
    return turns


TURNS = busy_turns()


def shown(batches: list[ChangeBatch]) -> Document:
    picture = EngineSnapshot(lambda _symbol: None, 2 * told.SECOND_NS, lambda _symbol: 2)
    picture.merge(batches)
    return picture.document(END_NS, LatchState())


@given(st.lists(st.integers(0, len(TURNS)), max_size=4), st.integers(0, 1))
def test_however_it_is_folded_the_picture_is_the_same(cuts: list[int], known: int) -> None:
    bounds = [0, *sorted(cuts), len(TURNS)]
    folded: list[ChangeBatch] = [ChangeBatch(turn) for turn in TURNS[: bounds[known]]]
    waiting: list[ChangeBatch] = []
    for start, end in zip(bounds[known:], bounds[known + 1 :], strict=False):
        waiting = [fold([*waiting, *map(ChangeBatch, TURNS[start:end])])]
    assert shown([*folded, *waiting]) == shown([ChangeBatch(turn) for turn in TURNS])


def test_what_came_and_went_leaves_only_its_counts() -> None:
    batch = fold([ChangeBatch(turn) for turn in TURNS])
    assert count(record for turn in TURNS for record in turn) == count(batch.records) + batch.gone
    orders = [record for record in batch.records if type(record).__name__ == "Order"]
    assert len(orders) == 1, "the stop of the position that stays"
    again = batch
    for _ in range(50):
        again = fold([again, *map(ChangeBatch, TURNS)])
    assert len(again.records) <= len(batch.records) + publisher.DECISIONS_KEPT * 2


def test_a_reader_that_never_comes_costs_bounded_memory() -> None:
    hand_over = Publisher()
    for number in range(3 * BATCHES_MAX):
        hand_over.put(TURNS[number % len(TURNS)])
    batches = hand_over.take()
    assert len(batches) <= BATCHES_MAX
    assert hand_over.take() == []
    every = [TURNS[number % len(TURNS)] for number in range(3 * BATCHES_MAX)]
    total = Counts()
    for batch in batches:
        total += batch.gone + count(batch.records)
    assert total == count(record for turn in every for record in turn)

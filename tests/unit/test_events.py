"""Events: what a venue can say stands in the life-cycle table, and every event can be journaled."""

import msgspec
import pytest

from pointsman.domain.events import Event, ReportWord
from pointsman.domain.life_cycle import ReportKind
from pointsman.domain.timers import Timer, TimerKind


@pytest.mark.parametrize("word", [word for word in ReportWord if word is not ReportWord.TRADE])
def test_a_venue_s_word_is_a_row_of_the_life_cycle_table(word: ReportWord) -> None:
    assert word.report_kind.value == word.value


def test_a_trade_is_a_partial_or_the_last_fill_by_the_quantities_alone() -> None:
    with pytest.raises(ValueError, match="TRADE"):
        _ = ReportWord.TRADE.report_kind
    said = {word.report_kind for word in ReportWord if word is not ReportWord.TRADE}
    ours = {ReportKind.SENT, ReportKind.DENIED}
    assert set(ReportKind) - said - ours == {ReportKind.PARTIAL_FILL, ReportKind.LAST_FILL}


def test_every_event_is_frozen_and_says_its_name_in_the_journal() -> None:
    kinds = Event.__subclasses__()
    assert len(kinds) > 20
    for kind in kinds:
        assert kind.__struct_config__.frozen
        assert kind.__struct_config__.tag == kind.__name__


def test_timers_are_due_in_the_order_of_time_then_kind_then_key() -> None:
    timers = [
        Timer(2, TimerKind.COVER_QUERY, "1", 0),
        Timer(1, TimerKind.SUBMIT_TIMEOUT, "b", 0),
        Timer(1, TimerKind.SUBMIT_TIMEOUT, "a", 0),
        Timer(1, TimerKind.COOLDOWN_END, "z", 0),
    ]
    assert sorted(timers) == list(reversed(timers))
    assert msgspec.json.decode(msgspec.json.encode(timers[0]), type=Timer) == timers[0]

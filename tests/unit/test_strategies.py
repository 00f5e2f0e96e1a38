"""The signals of a simulated run."""

from random import Random

from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Signal
from pointsman.simulator.strategies import HOUR_NS, SIGNALS_AN_HOUR, Strategies


def signals(seed: int) -> list[Signal]:
    strategies = Strategies(Random(seed), ("VA001", "VA002"), 4 * HOUR_NS)
    return [strategies.next_signal({}) for _ in strategies.times]


def test_about_sixty_an_hour_in_order_from_the_seed() -> None:
    times = Strategies(Random(1), ("VA001",), 4 * HOUR_NS).times
    assert len(times) == 4 * SIGNALS_AN_HOUR
    assert times == sorted(times)
    assert signals(1) == signals(1) != signals(2)


def test_every_kind_comes_also_the_same_id_again_with_and_without_other_content() -> None:
    made = signals(1)
    assert {signal.side for signal in made} == set(SignalSide)
    assert {signal.va_id for signal in made} == {"VA001", "VA002"}
    assert {signal.market_position for signal in made} == {None, "long", "short"}
    first: dict[str, Signal] = {}
    repeats = [s for s in made if s.signal_id in first or first.setdefault(s.signal_id, s) is not s]
    assert any(signal == first[signal.signal_id] for signal in repeats)
    assert any(signal != first[signal.signal_id] for signal in repeats)

"""Every kind of event and of wake-up is taken in by a function."""

from pointsman.domain.events import Event, SignalReceived
from pointsman.domain.timers import TimerKind
from pointsman.execution.event_handlers import HANDLERS, TIMERS


def test_every_kind_of_event_and_timer_has_a_handler() -> None:
    known = set(Event.__subclasses__())
    assert set(HANDLERS) | {SignalReceived} >= known
    assert set(TIMERS) == set(TimerKind)

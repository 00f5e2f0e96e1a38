"""Which symbols a comparison asks about."""

from pointsman.venues.binance.activity import ALL_AFTER_NS, Activity


class Clock:
    now_ns = 1

    def __call__(self) -> int:
        return self.now_ns


def test_all_symbols_are_asked_about_at_first_once_a_minute_and_after_a_gap() -> None:
    clock = Clock()
    activity = Activity(clock)
    assert activity.active() is None
    activity.saw_all(activity.begin_with_all(), ["BTCUSDT"])
    assert activity.active() == {"BTCUSDT"}
    clock.now_ns += ALL_AFTER_NS
    assert activity.active() is None
    activity.saw_all(activity.begin_with_all(), [])
    assert activity.active() == set()
    activity.touch_all()
    assert activity.active() is None


def test_what_happens_while_it_is_asked_stays_active() -> None:
    activity = Activity(Clock())
    activity.touch("ETHUSDT")
    activity.touch("SOLUSDT")
    began = activity.begin_with_all()
    activity.touch("ETHUSDT")
    activity.saw_all(began, ["BTCUSDT"])
    assert activity.active() == activity.names() == {"BTCUSDT", "ETHUSDT"}


def test_touches_change_with_everything_that_happens_in_a_symbol() -> None:
    activity = Activity(Clock())
    seen = [activity.touches("BTCUSDT")]
    activity.touch("BTCUSDT")
    seen.append(activity.touches("BTCUSDT"))
    activity.touch_all()
    seen.append(activity.touches("BTCUSDT"))
    activity.touch("ETHUSDT")
    assert activity.touches("BTCUSDT") == seen[-1]
    assert len(set(seen)) == 3

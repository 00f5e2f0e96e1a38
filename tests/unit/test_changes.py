"""Changed settings over a recorded policy."""

import pytest

from pointsman.config.problems import SettingsError
from pointsman.config.settings import load_settings
from pointsman.domain.timestamps import parse_ts
from pointsman.looking_back.changes import Changes, read_pairs, read_period, require_first_level

OWN = {"VA002__MAX_SPREAD_BPS": "4", "VA002__MAX_LATENCY_MS": "100"}


def test_a_general_limit_changes_those_that_inherit_it_and_no_limit_of_an_account_s_own() -> None:
    recorded = load_settings(OWN).policy({})
    values = {
        "MAX_SPREAD_BPS": "7",
        "COOLDOWN_DURATION_SECONDS": "60",
        "MAX_OPEN_POSITIONS_PER_VA": "9",
        "VA003__MAX_LATENCY_MS": "50",
        "GLOBAL_MAX_DAILY_LOSS": "100",
        "STOP_LOSS_PERCENTAGE": "1",
    }
    changed = Changes(values, load_settings(values)).policy(recorded)
    assert changed == load_settings({**OWN, **values}).policy({})
    assert changed.limits_of("VA002").max_spread_bps == 4
    assert changed.limits_of("VA001").max_spread_bps == 7


def test_trading_hours_are_other_ones_only_where_they_are_changed() -> None:
    assert Changes({}, load_settings({})).hours() is None
    values = {"VA001__TRADING_WINDOW_START": "12:00"}
    hours = Changes(values, load_settings(values)).hours()
    assert hours is not None
    at_ns = parse_ts("2026-01-05T15:00:00Z")  # 10:00 in New York
    opens = [hours(va_id).window_at(at_ns) for va_id in ("VA001", "VA002")]
    assert [window is not None and window.opens_ns <= at_ns for window in opens] == [False, True]


@pytest.mark.parametrize(
    ("texts", "words"),
    [(["MAX_SPREAD_BPS"], "write NAME=VALUE"), (["=5"], "write NAME=VALUE")],
)
def test_what_is_no_pair_is_refused_with_what_to_write(texts: list[str], words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_pairs(texts, "--set")
    assert words in refusal.value.problems[0].remedy


def test_a_setting_that_decides_nothing_asks_for_recorded_quotes() -> None:
    require_first_level(["VA001__MAX_SPREAD_BPS", "TRADING_WINDOW_END"])
    with pytest.raises(SettingsError) as refusal:
        require_first_level(["PAPER_LATENCY_MS"])
    assert "--market" in refusal.value.problems[0].remedy


def test_a_period_is_open_where_nothing_is_said_and_a_day_is_its_first_moment() -> None:
    period = read_period("2026-01-05", None)
    noon = parse_ts("2026-01-05T12:00:00Z")
    assert period.has(noon)
    assert not period.has(noon - 86_400 * 10**9)
    with pytest.raises(SettingsError):
        read_period(None, "soon")

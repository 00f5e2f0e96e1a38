"""When the link for orders counts as down."""

from pointsman.domain.timestamps import SECOND_NS
from pointsman.venues.link_health import LINK_DOWN_AFTER_NS, LinkHealth


def test_one_lost_answer_is_no_lost_link() -> None:
    health = LinkHealth()
    assert health.unreadable(0) is None
    assert health.unreadable(LINK_DOWN_AFTER_NS - 1) is None
    assert health.good() is None
    assert health.unreadable(LINK_DOWN_AFTER_NS) is None


def test_nothing_readable_for_five_seconds_takes_the_link_down_once() -> None:
    health = LinkHealth()
    told = [health.unreadable(seconds * SECOND_NS) for seconds in range(8)]
    assert told == [None] * 5 + [False, None, None]
    assert [health.good(), health.good()] == [True, None]


def test_a_request_without_an_answer_counts_from_when_it_left() -> None:
    health = LinkHealth()
    assert health.unreadable(4 * SECOND_NS, sent_ns=0) is None
    assert health.unreadable(5 * SECOND_NS, sent_ns=SECOND_NS) is False


def test_a_refused_key_takes_it_down_at_once() -> None:
    health = LinkHealth()
    assert [health.refused_key(), health.refused_key(), health.good()] == [False, None, True]

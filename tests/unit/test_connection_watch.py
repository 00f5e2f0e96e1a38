"""The watch on the connection: a check that has never been seen to fail is no evidence."""

import pytest

from pointsman.domain.events import VenueLink
from pointsman.domain.orders import Role
from pointsman.domain.timestamps import SECOND_NS
from pointsman.simulator.broken import Broken
from pointsman.simulator.connection import Connection
from pointsman.simulator.connection_watch import SENDS_A_SECOND_MAX, ConnectionWatch
from tests.desk_stories import decide, ready_desk, signal
from tests.simulations import order


def test_i23_stops_that_leave_at_the_speed_of_the_wire_are_seen() -> None:
    watch = ConnectionWatch(Connection())
    for number in range(SENDS_A_SECOND_MAX):
        watch.closing(order(1, Role.STOP), number)
    with pytest.raises(Broken, match="I23"):
        watch.closing(order(1, Role.STOP), SECOND_NS - 1)
    watch.closing(order(1, Role.EXIT), SECOND_NS - 1)
    watch.closing(order(1, Role.STOP), 2 * SECOND_NS)


@pytest.mark.parametrize("link", VenueLink)
def test_i23_an_entry_that_is_accepted_while_a_link_is_known_to_be_down_is_seen(
    link: VenueLink,
) -> None:
    connection, desk = Connection(), ready_desk()
    watch = ConnectionWatch(connection)
    watch.decided(decide(desk, signal("a")))
    connection.cut(link, 2 * SECOND_NS)
    watch.decided(decide(desk, signal("b", quantity="1")))
    assert [news.is_up for news in connection.news(SECOND_NS, SECOND_NS)] == [False]
    with pytest.raises(Broken, match="I23"):
        watch.decided(decide(desk, signal("c", quantity="1")))


def test_i23_a_comparison_that_is_owed_after_the_account_stream_came_back_is_seen() -> None:
    connection = Connection()
    connection.cut(VenueLink.ACCOUNT_STREAM, SECOND_NS)
    for now_ns in (0, 2 * SECOND_NS):
        ConnectionWatch(connection).at_instant()
        list(connection.news(now_ns, now_ns))
    with pytest.raises(Broken, match="I23"):
        ConnectionWatch(connection).at_instant()

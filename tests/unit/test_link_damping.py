"""A link that flaps stays down until it has held: few events, and no entry meanwhile (RULES 46)."""

import pytest

from pointsman.domain.accounts import Incident
from pointsman.domain.commands import Compare, Step, Submit
from pointsman.domain.events import LinkChanged, VenueLink
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Outcome
from pointsman.domain.timestamps import SECOND_NS
from pointsman.execution.link_damping import (
    FLAPS_WITHIN_NS,
    HOLD_NS,
    HOLD_NS_MAX,
    LinkDamping,
)
from tests import desk_stories as told
from tests.engine_stories import Story, begin, changed

TENTH_NS = SECOND_NS // 10


def change(is_up: bool, link: VenueLink = VenueLink.ACCOUNT_STREAM) -> LinkChanged:
    return LinkChanged(link, is_up, 0, "" if is_up else "reset by peer")


def hears(damping: LinkDamping, is_up: bool, now_ns: int) -> LinkChanged | None:
    return damping.heard(change(is_up), now_ns)


def test_a_link_that_is_lost_now_and_then_is_told_as_it_changes() -> None:
    damping = LinkDamping()
    for times in range(5):
        now_ns = times * (FLAPS_WITHIN_NS + SECOND_NS)
        assert hears(damping, False, now_ns) == change(False)
        assert hears(damping, True, now_ns + SECOND_NS) == change(True)
    assert damping.due_ns is None


def test_one_that_flaps_is_up_once_it_has_held() -> None:
    damping = LinkDamping()
    assert [hears(damping, is_up, 0) for is_up in (False, True)] == [change(False), change(True)]
    down = hears(damping, False, TENTH_NS)
    assert down is not None
    assert down.detail == "reset by peer; it flaps, and counts as up once it has held for 5 s"
    for times in range(2, 20, 2):
        assert hears(damping, True, times * TENTH_NS) is None
        assert hears(damping, False, (times + 1) * TENTH_NS) is None
        assert damping.due_ns is None
    assert hears(damping, True, 2 * SECOND_NS) is None
    assert damping.due_ns == 2 * SECOND_NS + HOLD_NS
    assert damping.take_due(damping.due_ns - 1) == []
    assert damping.take_due(damping.due_ns) == [change(True)]
    assert damping.due_ns is None


def test_it_has_to_hold_longer_each_time_up_to_a_minute() -> None:
    damping, now_ns, held_ns = LinkDamping(), 0, []
    for _ in range(8):
        hears(damping, False, now_ns)
        hears(damping, True, now_ns)
        due_ns = now_ns if damping.due_ns is None else damping.due_ns
        held_ns.append(due_ns - now_ns)
        damping.take_due(due_ns)
        now_ns = due_ns + SECOND_NS
    assert held_ns[:5] == [0, HOLD_NS, 2 * HOLD_NS, 4 * HOLD_NS, 8 * HOLD_NS]
    assert set(held_ns[5:]) == {HOLD_NS_MAX}


def test_links_do_not_hold_each_other_up() -> None:
    damping = LinkDamping()
    for is_up in (False, True, False, True):
        hears(damping, is_up, 0)
    for is_up in (False, True):
        of_quotes = change(is_up, VenueLink.QUOTES)
        assert damping.heard(of_quotes, 0) == of_quotes


def flaps(story: Story, link: VenueLink, times: int) -> None:
    for number in range(times):
        story.say(change(number % 2 == 1, link))
        story.pass_time(TENTH_NS)


@pytest.mark.parametrize("link", VenueLink)
def test_rule_46_while_a_link_flaps_no_entry_is_accepted_and_few_incidents_are_made(
    link: VenueLink,
) -> None:
    story = begin()
    flaps(story, link, 40)
    reasons = [incident.kind for incident in changed(story, Incident)]
    assert reasons.count(Reason.LINK_DOWN) == 2
    assert reasons.count(Reason.LINK_UP) == 1
    assert outcome(story) is Outcome.REFUSED
    story.pass_time(HOLD_NS)
    assert outcome(story) is Outcome.ACCEPTED


def outcome(story: Story) -> Outcome:
    story.show()
    story.ask(told.signal(f"s{len(story.answers)}"))
    step = story.answers[-1]
    assert isinstance(step, Step)
    assert step.decision is not None
    return step.decision.outcome


def test_rule_46_after_each_return_of_the_account_stream_a_comparison_is_asked_for() -> None:
    story = begin()
    flaps(story, VenueLink.ACCOUNT_STREAM, 3)
    story.venue.sent.clear()
    story.say(change(True))
    assert story.venue.take(Compare) != []
    assert story.venue.take(Submit) == []

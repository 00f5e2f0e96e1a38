"""Quotes and signals come by two ways; what was acknowledged first is in force first."""

from tests import desk_stories as told
from tests.engine_stories import begin
from tests.live_stories import running


async def test_a_quote_that_was_acknowledged_is_in_force_for_the_signal_sent_after_it() -> None:
    story = begin()
    waiting = [told.quote(story.loop.now_ns, bid="109.99", ask="110.01")]

    async with running(story) as live:

        def take_quotes() -> bool:
            for quote in waiting:
                live.live.feed(quote)
            return bool(waiting)

        live.live.take_quotes = take_quotes
        decision = await live.live.submit(told.signal("after"))
        assert decision.quote == waiting[0]

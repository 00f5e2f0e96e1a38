"""The page in a real browser, on a real port, with a real engine loop behind it.

Skipped where no Chromium is installed: `apt-get install chromium`.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from pointsman.api.server import HttpServer, listen, url_of
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Check
from pointsman.terminal.measures import allowed, measured
from tests.browser import Tab, browser, chromium, tab_of
from tests.http_stories import CONTROL, READ, TOKENS, UNLIMITED, Served
from tests.unit.test_measures import WORDS, ZONE

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium is installed to look at the page"),
    pytest.mark.timeout(180),
]

EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
LESS_USUAL = (
    Check(Reason.TICK_TOO_COARSE, False, "9.7", "9.99", "price"),
    Check(Reason.STOP_INVALID, True, "1.173127", "1.172531", "price"),
    Check(Reason.STOP_INVALID, True, "1.173127", "1.172531", "take-profit"),
    Check(Reason.ENTRIES_HELD, True),
    Check(Reason.SPREAD, False, "12", "10.0", "bps"),
    Check(Reason.MAX_POSITION_SIZE, True, "1234.56789", "10000", "notional"),
)
"""Checks beside those of the terminal's own table."""
IS_DRAWN = "document.querySelectorAll('.account').length > 0"


@pytest.fixture(scope="module")
def browser_at() -> Iterator[str]:
    with browser() as address:
        yield address


class Shown:
    """The page of a running application in a browser."""

    def __init__(self, tab: Tab, served: Served, url: str) -> None:
        self.tab, self.served, self.url = tab, served, url

    async def open(self, width: int = 1600, height: int = 1000) -> None:
        """Show it, in a window of this size."""
        await self.tab.open(f"{self.url}/?theme=dark", width, height)
        await self.tab.until("!!document.getElementById('ask')")


@contextlib.asynccontextmanager
async def shown(
    folder: Path, browser_at: str, settings: dict[str, str] | None = None
) -> AsyncIterator[Shown]:
    with Served(folder, settings, UNLIMITED) as served:
        listener = listen("127.0.0.1", 0)
        server = HttpServer(served.app, listener)
        server.start()
        try:
            async with tab_of(browser_at) as tab:
                yield Shown(tab, served, url_of(listener))
        finally:
            server.stop()


async def test_without_the_token_nothing_is_shown_and_with_it_everything(
    tmp_path: Path, browser_at: str
) -> None:
    async with shown(tmp_path, browser_at, TOKENS) as page:
        await page.open()
        await page.tab.until("document.getElementById('ask').open")
        assert not await page.tab.run(IS_DRAWN)
        assert "VA001" not in await page.tab.text("body")
        await page.tab.fill("#ask input", READ)
        await page.tab.press("#ask button[type=submit]")
        await page.tab.until(IS_DRAWN)
        kept = "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])"
        assert READ not in await page.tab.run(kept)
        await page.tab.press("#kill")
        assert await page.tab.run("document.querySelector('#ask button[type=submit]').disabled")


async def test_a_kill_is_typed_and_text_from_outside_stays_text(
    tmp_path: Path, browser_at: str
) -> None:
    async with shown(tmp_path, browser_at) as page:
        await page.open()
        await page.tab.until(IS_DRAWN)
        await page.tab.press("#kill")
        submit = "document.querySelector('#ask button[type=submit]')"
        assert await page.tab.run(f"{submit}.disabled")
        await page.tab.fill("#ask input[maxlength]", EVIL)
        await page.tab.fill("#ask-word", "kill")
        assert not await page.tab.run(f"{submit}.disabled")
        await page.tab.run(f"{submit}.click()")
        await page.tab.until("!document.getElementById('ask').open")
        assert page.served.latch.latched.is_set
        await page.tab.until("document.getElementById('state-word').innerText === 'KILLED'")
        assert EVIL in await page.tab.text("#state-why")
        assert (
            await page.tab.run("document.querySelectorAll('main script, img[src=x]').length") == 0
        )
        assert await page.tab.run("document.title") != "owned"
        assert page.tab.faults == []


async def test_the_story_of_a_decision_has_each_rule_and_its_numbers(
    tmp_path: Path, browser_at: str
) -> None:
    async with shown(tmp_path, browser_at) as page:
        await page.open()
        await page.tab.until("document.querySelectorAll('.drow').length > 0")
        await page.tab.press(".drow")
        await page.tab.until("document.querySelectorAll('#story .rule').length > 0")
        assert "Rules, in the order" in await page.tab.text("#story")
        await page.tab.run("dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
        assert await page.tab.run("document.getElementById('story').hidden")


async def test_a_rule_is_said_in_the_words_of_the_terminal(tmp_path: Path, browser_at: str) -> None:
    """But for the day of a time, which a narrow column has no room for."""
    asked = [
        (check, side, measured(check, ZONE), allowed(check, side, ZONE))
        for check in (*(check for check, *_ in WORDS), *LESS_USUAL)
        for side in (SignalSide.BUY, SignalSide.SELL)
        if check.rule is not Reason.OUTSIDE_WINDOW
    ]
    told = [[*msgspec.to_builtins((c.rule, c.value, c.limit, c.unit)), s] for c, s, *_ in asked]
    async with shown(tmp_path, browser_at) as page:
        await page.open()
        await page.tab.until(IS_DRAWN)
        said = await page.tab.run(
            "import('./assets/words.js').then((w) => JSON.stringify("
            f"{json.dumps(told)}.map(([rule, value, limit, unit, side]) => "
            "[w.measured(rule, value, unit), w.allowed(rule, limit, unit, side)])))"
        )
    assert json.loads(said) == [[value, limit] for *_, value, limit in asked]


async def test_it_says_when_it_is_stale(tmp_path: Path, browser_at: str) -> None:
    async with shown(tmp_path, browser_at) as page:
        await page.open()
        await page.tab.until(IS_DRAWN)
        await page.tab.call(
            "Network.emulateNetworkConditions",
            offline=True,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )
        await page.tab.until("document.body.classList.contains('stale')")
        assert "STALE" in await page.tab.text("#fresh")
        assert "pointsman kill" in await page.tab.text("#alarm")
        await page.tab.press("#kill")
        await page.tab.fill("#ask-word", "kill")
        await page.tab.press("#ask button[type=submit]")
        await page.tab.until("document.querySelector('.problem').innerText.includes('No answer')")
        assert not page.served.latch.latched.is_set


async def test_what_may_only_be_read_cannot_be_changed(tmp_path: Path, browser_at: str) -> None:
    async with shown(tmp_path, browser_at, TOKENS) as page:
        await page.open()
        await page.tab.until("document.getElementById('ask').open")
        await page.tab.fill("#ask input", READ)
        await page.tab.press("#ask button[type=submit]")
        await page.tab.until(IS_DRAWN)
        await page.tab.run("import('./assets/actions.js').then((a) => a.askFlatten('VA001'))")
        await page.tab.fill("#ask input[maxlength]", "why not")
        await page.tab.fill("#ask-word", "VA001")
        await page.tab.press("#ask button[type=submit]")
        await page.tab.until(
            "document.querySelector('.problem').innerText.includes('CONTROL_TOKEN')"
        )
        assert CONTROL not in await page.tab.text("body")

"""The page in a real browser, on a real port, with a real engine loop behind it.

Skipped where no Chromium is installed: `apt-get install chromium`.
"""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from pointsman.api.server import HttpServer, listen, url_of
from pointsman.domain.reasons import Reason
from pointsman.domain.sides import SignalSide
from pointsman.domain.signals import Check
from pointsman.terminal.measures import allowed, measured
from tests.browser import Tab, browser_tab, chromium
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
TABS = ("Trades", "Results", "Orders", "Incidents", "Feed", "Comparisons", "Settings", "Webhook")


class Shown:
    """The page of a running application in a browser."""

    def __init__(self, tab: Tab, served: Served, url: str) -> None:
        self.tab, self.served, self.url = tab, served, url

    async def open(self, width: int = 1600, height: int = 1000) -> None:
        """Show it, in a window of this size."""
        await self.tab.open(f"{self.url}/?theme=dark", width, height)
        await self.tab.until("!!document.getElementById('ask')")

    async def text(self, selector: str) -> str:
        """What an element says."""
        return str(await self.tab.run(f"document.querySelector({selector!r}).innerText"))

    async def press(self, selector: str) -> None:
        """Click an element."""
        await self.tab.run(f"document.querySelector({selector!r}).click()")

    async def write(self, selector: str, text: str) -> None:
        """Type into an input."""
        await self.tab.run(f"document.querySelector({selector!r}).focus()")
        await self.tab.write(text)


@contextlib.asynccontextmanager
async def shown(folder: Path, settings: dict[str, str] | None = None) -> AsyncIterator[Shown]:
    with Served(folder, settings, UNLIMITED) as served:
        listener = listen("127.0.0.1", 0)
        server = HttpServer(served.app, listener)
        server.start()
        try:
            async with browser_tab() as tab:
                yield Shown(tab, served, url_of(listener))
        finally:
            server.stop()


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1600])
async def test_it_fits_every_width_and_nothing_goes_wrong(tmp_path: Path, width: int) -> None:
    async with shown(tmp_path) as page:
        await page.open(width, 900)
        await page.tab.until(IS_DRAWN)
        await page.tab.until("!!document.querySelector('#plot canvas')")
        for index, name in enumerate(TABS):
            await page.tab.run(f"document.querySelectorAll('#tabs button')[{index}].click()")
            assert name in await page.text('#tabs button[aria-selected="true"]')
        assert await page.tab.run("document.documentElement.scrollWidth") <= width
        hosts = {urlsplit(asked).netloc for asked in page.tab.asked}
        assert hosts == {urlsplit(page.url).netloc}
        assert page.tab.faults == []


async def test_without_the_token_nothing_is_shown_and_with_it_everything(tmp_path: Path) -> None:
    async with shown(tmp_path, TOKENS) as page:
        await page.open()
        await page.tab.until("document.getElementById('ask').open")
        assert not await page.tab.run(IS_DRAWN)
        assert "VA001" not in await page.text("body")
        await page.write("#ask input", READ)
        await page.press("#ask button[type=submit]")
        await page.tab.until(IS_DRAWN)
        kept = "JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])"
        assert READ not in await page.tab.run(kept)
        await page.press("#kill")
        assert await page.tab.run("document.querySelector('#ask button[type=submit]').disabled")


async def test_a_kill_is_typed_and_text_from_outside_stays_text(tmp_path: Path) -> None:
    async with shown(tmp_path) as page:
        await page.open()
        await page.tab.until(IS_DRAWN)
        await page.press("#kill")
        submit = "document.querySelector('#ask button[type=submit]')"
        assert await page.tab.run(f"{submit}.disabled")
        await page.write("#ask input[maxlength]", EVIL)
        await page.write("#ask-word", "kill")
        assert not await page.tab.run(f"{submit}.disabled")
        await page.tab.run(f"{submit}.click()")
        await page.tab.until("!document.getElementById('ask').open")
        assert page.served.latch.latched.is_set
        await page.tab.until("document.getElementById('state-word').innerText === 'KILLED'")
        assert EVIL in await page.text("#state-why")
        assert (
            await page.tab.run("document.querySelectorAll('main script, img[src=x]').length") == 0
        )
        assert await page.tab.run("document.title") != "owned"
        assert page.tab.faults == []


async def test_the_story_of_a_decision_has_each_rule_and_its_numbers(tmp_path: Path) -> None:
    async with shown(tmp_path) as page:
        await page.open()
        await page.tab.until("document.querySelectorAll('.drow').length > 0")
        await page.press(".drow")
        await page.tab.until("document.querySelectorAll('#story .rule').length > 0")
        assert "Rules, in the order" in await page.text("#story")
        await page.tab.run("dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape'}))")
        assert await page.tab.run("document.getElementById('story').hidden")


async def test_a_rule_is_said_in_the_words_of_the_terminal(tmp_path: Path) -> None:
    """But for the day of a time, which a narrow column has no room for."""
    asked = [
        (check, side, measured(check, ZONE), allowed(check, side, ZONE))
        for check in (*(check for check, *_ in WORDS), *LESS_USUAL)
        for side in (SignalSide.BUY, SignalSide.SELL)
        if check.rule is not Reason.OUTSIDE_WINDOW
    ]
    told = [[*msgspec.to_builtins((c.rule, c.value, c.limit, c.unit)), s] for c, s, *_ in asked]
    async with shown(tmp_path) as page:
        await page.open()
        await page.tab.until(IS_DRAWN)
        said = await page.tab.run(
            "import('./assets/words.js').then((w) => JSON.stringify("
            f"{json.dumps(told)}.map(([rule, value, limit, unit, side]) => "
            "[w.measured(rule, value, unit), w.allowed(rule, limit, unit, side)])))"
        )
    assert json.loads(said) == [[value, limit] for *_, value, limit in asked]


async def test_it_says_when_it_is_stale(tmp_path: Path) -> None:
    async with shown(tmp_path) as page:
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
        assert "STALE" in await page.text("#fresh")
        assert "pointsman kill" in await page.text("#alarm")
        await page.press("#kill")
        await page.write("#ask-word", "kill")
        await page.press("#ask button[type=submit]")
        await page.tab.until("document.querySelector('.problem').innerText.includes('No answer')")
        assert not page.served.latch.latched.is_set


async def test_what_may_only_be_read_cannot_be_changed(tmp_path: Path) -> None:
    async with shown(tmp_path, TOKENS) as page:
        await page.open()
        await page.tab.until("document.getElementById('ask').open")
        await page.write("#ask input", READ)
        await page.press("#ask button[type=submit]")
        await page.tab.until(IS_DRAWN)
        await page.tab.run("import('./assets/actions.js').then((a) => a.askFlatten('VA001'))")
        await page.write("#ask input[maxlength]", "why not")
        await page.write("#ask-word", "VA001")
        await page.press("#ask button[type=submit]")
        await page.tab.until(
            "document.querySelector('.problem').innerText.includes('CONTROL_TOKEN')"
        )
        assert CONTROL not in await page.text("body")

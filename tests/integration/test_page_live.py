"""The page of a real engine in a real browser: every panel, every action, at every width.

One engine and one browser serve the whole file, so each test leaves the engine as it was.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from tests.browser import Tab, browser, chromium, tab_of
from tests.integration.sessions import command, environment

pytestmark = [
    pytest.mark.skipif(chromium() is None, reason="no Chromium is installed to look at the page"),
    pytest.mark.timeout(180),
]

TABS = (
    "Trades", "Results", "Looking back", "Orders", "Incidents", "Feed", "Comparisons", "Settings",
    "Webhook",
)  # fmt: skip
IS_DRAWN = "document.querySelectorAll('.account').length === 3 && !!document.querySelector('.drow')"
SUBMIT = "#ask button[type=submit]"
START_SECONDS = 60
SETTINGS = {
    "VIRTUAL_ACCOUNTS": "VA001:100000,VA002:100000,VA003:100000",
    "MAX_DAILY_LOSS": "500",
    "MAX_DRAWDOWN_PERCENTAGE": "5",
    "GLOBAL_MAX_DRAWDOWN_PERCENTAGE": "5",
}


class Live(NamedTuple):
    """A running engine, and a browser."""

    url: str
    browser: str
    folder: Path

    def get(self, path: str) -> Any:
        with urlopen(f"{self.url}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    words = ("run", "--market", "sim", "--speed", "20", "--headless", "--db", "live.db")
    with (folder / "log").open("wb") as log, browser() as address:
        engine = subprocess.Popen(
            command(*words), cwd=folder, env=environment(SETTINGS), stdout=log, stderr=log
        )
        try:
            yield Live(url_in(folder / "log"), address, folder)
        finally:
            engine.terminate()
            engine.wait(20)


def url_in(log: Path) -> str:
    """Where the engine listens, once its log says so and something has been traded."""
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        found = re.search(r"http://127\.0\.0\.1:[0-9]+", log.read_text())
        if found and len(Live(found[0], "", log.parent).get("trades")) >= 4:
            return found[0]
        time.sleep(0.2)
    raise AssertionError(log.read_text()[-2000:])


async def opened(tab: Tab, live: Live, width: int, theme: str = "dark") -> None:
    await tab.open(f"{live.url}/?theme={theme}", width, 900)
    await tab.until(IS_DRAWN)
    await tab.until("!!document.querySelector('#plot canvas')")


@pytest.mark.parametrize(("width", "theme"), [(320, "light"), (768, "dark"), (1600, "light")])
async def test_every_panel_fits_has_no_barrier_and_asks_nobody_else(
    live: Live, width: int, theme: str
) -> None:
    async with tab_of(live.browser) as tab:
        await opened(tab, live, width, theme)
        for index, name in enumerate(TABS):
            await tab.run(f"document.querySelectorAll('#tabs button')[{index}].click()")
            assert name in await tab.text('#tabs button[aria-selected="true"]')
            assert await tab.run("document.getElementById('list').innerText.length") > 20
            if width > 1000:
                assert await tab.barriers("document.getElementById('p-lists')") == [], name
        assert await tab.barriers() == []
        assert await tab.run("document.documentElement.scrollWidth") <= width
        hosts = {urlsplit(asked).netloc for asked in tab.asked}
        assert hosts == {urlsplit(live.url).netloc}
        assert tab.faults == []


async def test_a_barrier_would_be_found(live: Live) -> None:
    async with tab_of(live.browser) as tab:
        await opened(tab, live, 1600)
        await tab.run("document.querySelector('main').append(document.createElement('button'))")
        assert [found.partition(":")[0] for found in await tab.barriers()] == ["button-name"]


async def test_the_reference_needs_no_other_host_and_has_no_barrier(live: Live) -> None:
    async with tab_of(live.browser) as tab:
        await tab.open(f"{live.url}/docs", 768, 900)
        await tab.until("document.querySelectorAll('article').length > 20")
        assert await tab.barriers() == []
        assert {urlsplit(asked).netloc for asked in tab.asked} == {urlsplit(live.url).netloc}
        assert tab.faults == []


async def test_equity_and_drawdown_come_from_what_was_kept_with_the_limits(live: Live) -> None:
    async with tab_of(live.browser) as tab:
        await opened(tab, live, 1600)
        kept = "import('./assets/model.js').then(({model, equityPoints}) => "
        await tab.until(f"{kept} model.kept.get('')?.length > 3)")
        points = live.get("equity?limit=1500")
        first = await tab.run(f"{kept} equityPoints('')[0][1])")
        assert first == pytest.approx(float(points[0]["equity"]))
        for kind, who, words in (
            (0, "VA001", "daily loss limit: 99,5"),
            (1, "VA001", "drawdown limit: \N{MINUS SIGN}5.00%"),
            (1, "All", "kills at this drawdown of all"),
        ):
            await tab.run(f"document.querySelectorAll('#plot-kind button')[{kind}].click()")
            await tab.run(
                "[...document.querySelectorAll('#plot-who button')]"
                f".find((one) => one.innerText === {who!r}).click()"
            )
            await tab.until(f"document.getElementById('plot-note').innerText.includes({words!r})")
        assert tab.faults == []


async def test_looking_back_sweeps_a_limit_and_tells_what_each_rule_refused(live: Live) -> None:
    async with tab_of(live.browser) as tab:
        await opened(tab, live, 1600)
        await tab.run(
            f"document.querySelectorAll('#tabs button')[{TABS.index('Looking back')}].click()"
        )
        await tab.fill(".lookback input", "0, nine")
        await tab.press(".lookback form button")
        await tab.until("!!document.querySelector('.lookback .problem')")
        assert "MAX_LOSS_COOLDOWN=nine" in await tab.text(".lookback .problem")
        await tab.run("document.querySelector('.lookback input').select()")
        await tab.write("0, 2")
        await tab.press(".lookback form button")
        await tab.until("document.querySelectorAll('.lookback .plot canvas').length === 2")
        said = await tab.text(".lookback")
        assert "as it was" in said
        assert "would have brought" in said
        assert await tab.run("document.querySelectorAll('.lookback table').length") == 2
        assert [fault for fault in tab.faults if "422" not in fault] == []


async def test_a_decision_a_position_and_a_filter_lead_to_the_story(live: Live) -> None:
    async with tab_of(live.browser) as tab:
        await opened(tab, live, 768)
        await tab.fill("#decision-text", "VA002")
        shown = "[...document.querySelectorAll('.drow .va')].map((one) => one.innerText)"
        await tab.until(f"new Set({shown}).size === 1")
        await tab.press(".drow")
        await tab.until("document.querySelectorAll('#story .rule').length > 0")
        assert "VA002" in await tab.text("#story")
        assert await tab.barriers("document.getElementById('story')") == []
        assert tab.faults == []


ACTIONS = [
    ("#pause", "PAUSED", "", {"trading_state": "REDUCING"}),
    ("#pause", "Set active", "RESUME", {"trading_state": "ACTIVE"}),
    ("#kill", "KILLED", "kill", {"trading_state": "HALTED"}),
    ("#pause", "Set active", "REARM", {"trading_state": "ACTIVE"}),
]


async def test_what_a_person_may_do_is_typed_has_a_reason_and_is_done(live: Live) -> None:
    async with tab_of(live.browser) as tab:
        await opened(tab, live, 1600)
        for button, words, typed, state in ACTIONS:
            await tab.press(button)
            assert await tab.barriers("document.getElementById('ask')") == []
            if typed:
                assert await tab.run(f"document.querySelector({SUBMIT!r}).disabled")
                await tab.fill("#ask-word", typed)
            await tab.run("document.querySelector('#ask input[maxlength]').select()")
            await tab.fill("#ask input[maxlength]", f"a test of {typed or 'PAUSE'}")
            await tab.press(SUBMIT)
            await tab.until("!document.getElementById('ask').open")
            await tab.until(f"document.getElementById('state').innerText.includes({words!r})")
            assert f"a test of {typed or 'PAUSE'}" in await tab.text("#state")
            assert live.get("status").items() >= state.items()
        assert tab.faults == []


async def test_one_account_is_paused_flattened_and_resumed(live: Live) -> None:
    async with tab_of(live.browser) as tab:
        await opened(tab, live, 1600)
        for ask, typed, field, wanted in (
            ("askPause", "", "status", ("paused",)),
            ("askFlatten", "VA003", "open_positions", (0,)),
            ("askResume", "VA003", "status", ("active", "cooldown")),
        ):
            await tab.run(f"import('./assets/actions.js').then((all) => all.{ask}('VA003'))")
            await tab.run("document.querySelector('#ask input[maxlength]').select()")
            await tab.fill("#ask input[maxlength]", "a test")
            if typed:
                await tab.fill("#ask-word", typed)
            await tab.press(SUBMIT)
            await tab.until("!document.getElementById('ask').open")
            give_up_at = time.monotonic() + 20
            while live.get("accounts/VA003")[field] not in wanted:
                assert time.monotonic() < give_up_at, ask
        assert tab.faults == []


async def test_a_test_signal_is_decided_and_a_comparison_is_made(live: Live) -> None:
    async with tab_of(live.browser) as tab:
        await opened(tab, live, 1600)
        await tab.run("import('./assets/actions.js').then((all) => all.askSignal())")
        await tab.run("document.querySelectorAll('#ask select')[1].value = 'close'")
        await tab.run("document.querySelector('#ask input').select()")
        await tab.fill("#ask input", "NVDA")
        await tab.press(SUBMIT)
        await tab.until("!!document.querySelector('.toast')")
        assert await tab.text(".toast") in (
            "Accepted",
            "Refused: NOTHING_TO_CLOSE",
            "Refused: SYMBOL_LOCKED",
        )
        await tab.run("document.querySelector('.toast').remove()")
        await tab.run("import('./assets/actions.js').then((all) => all.reconcileNow())")
        await tab.until("document.querySelector('.toast')?.innerText.includes('Compared')")
        assert tab.faults == []


def report_of(live: Live, file: Path) -> Path:
    words = ("report", "--html", str(file), "--db", live.get("status")["database"])
    made = subprocess.run(command(*words), env=environment({}), cwd=live.folder, check=False)
    assert made.returncode == 0
    return file


async def test_the_report_of_the_run_is_one_file_that_everyone_can_read(
    live: Live, tmp_path: Path
) -> None:
    file = report_of(live, tmp_path / "report.html")
    async with tab_of(live.browser) as tab:
        for width in (320, 1600):
            await tab.open(file.as_uri(), width, 900)
            await tab.until("document.querySelectorAll('.plot canvas').length === 2")
            for index in range(3):
                await tab.run(f"document.querySelectorAll('.pick')[2].children[{index}].click()")
            assert await tab.run("document.documentElement.scrollWidth") <= width
            assert await tab.barriers() == []
        assert {urlsplit(asked).scheme for asked in tab.asked} == {"file"}
        assert tab.faults == []

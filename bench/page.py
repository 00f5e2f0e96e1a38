"""The page: what twenty of them cost the loop of an engine, what it weighs, and what it asks of a
browser.

An engine on the simulated market, with 50 accounts and 200 positions, is asked ten times a second
how late its loop was called, in turns with and without twenty pages attached. A page is attached as
a browser does it: it follows the stream, and asks for the picture once a second and for comparisons
every five.
"""

import asyncio
import contextlib
import gzip
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import aiohttp

from bench.scratch import scratch_folder
from bench.table import Row, at_most, percentile
from tests.browser import Tab, browser_tab, chromium

PAGES, ACCOUNTS, HELD, UPDATES = 20, 50, 4, 20
WINDOW_SECONDS, WINDOWS = 5.0, 6  # not money: seconds
WEIGHT_MAX = 300_000
_WEB = Path(__file__).resolve().parents[1] / "src" / "pointsman" / "api" / "web"
_START = "import sys; from pointsman.cli.app import main; sys.exit(main())"
_LAG = re.compile(r"^trading_event_loop_lag_seconds(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


def measure() -> list[Row]:
    """The rows of the table."""
    with scratch_folder() as folder:
        alone, watched, shown = asyncio.run(_measured(folder))
    weight = sum(len(gzip.compress(file.read_bytes())) for file in _WEB.iterdir())
    late, bare = percentile(watched.lags, 0.99), percentile(alone.lags, 0.99)
    cpu = (watched.cpu - alone.cpu) / PAGES
    return [
        at_most(
            f"lag of the loop with {PAGES} pages attached, p99",
            late / bare,
            1.2,
            f"{late * 1e3:.1f} ms",
            f"without: {bare * 1e3:.1f} ms",
        ),
        Row(
            "CPU of the engine for one page attached, of a core",
            f"{cpu:.3f}",
            "",
            f"{cpu:.2%}",
            f"without pages: {alone.cpu:.1%}",
            None,
        ),
        Row(
            "the page over the wire",
            f"{weight / WEIGHT_MAX:.2f}",
            "at most 300 KB",
            f"{weight / 1e3:.0f} KB",
            "",
            weight <= WEIGHT_MAX,
        ),
        *_of_a_browser(shown),
    ]


class Shown(NamedTuple):
    """Of a browser that was just started: when it had the first picture, when the accounts, and the
    script of one update."""

    first_ms: float  # not money: milliseconds
    whole_ms: float  # not money: milliseconds
    update_ms: float  # not money: milliseconds


def _of_a_browser(shown: Shown | None) -> list[Row]:
    if shown is None:
        sys.stderr.write("no Chromium is installed: the page was not looked at\n")
        return []
    return [
        at_most(
            "first picture of the page, cold", shown.first_ms / 1000, 1,
            f"{shown.first_ms:.0f} ms", f"with all in it: {shown.whole_ms:.0f} ms",
        ),
        at_most(
            "script of an update of the page", shown.update_ms / 10, 1,
            f"{shown.update_ms:.1f} ms", "10 ms",
        ),
    ]  # fmt: skip


class Window:
    """What was measured with so many pages: how late the loop was called, and the share of a core
    that the engine took."""

    def __init__(self) -> None:
        self.lags: list[float] = []  # not money: seconds
        self.spent = self.passed = 0.0  # not money: seconds

    @property
    def cpu(self) -> float:  # not money: a share
        return self.spent / self.passed


async def _measured(folder: Path) -> tuple[Window, Window, Shown | None]:
    """Without pages and with them, in turns."""
    accounts = ",".join(f"VA{number:03}:100000" for number in range(1, ACCOUNTS + 1))
    log = folder / "log"
    engine = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _START, "run", "--market", "sim", "--headless", "--signals", "none",
        "--db", str(folder / "page.db"), cwd=folder, stderr=log.open("wb"),
        env={**os.environ, "HTTP_PORT": "0", "VIRTUAL_ACCOUNTS": accounts},
    )  # fmt: skip
    windows = {0: Window(), PAGES: Window()}
    try:
        url = await asyncio.to_thread(_url, log)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            await _hold(session, url)
            shown = await _shown(url) if chromium() else None
            for number in range(2 * WINDOWS):
                pages = PAGES if number % 2 else 0
                attached = [asyncio.create_task(_page(session, url)) for _ in range(pages)]
                await asyncio.sleep(1)
                window, began, spent = windows[pages], time.monotonic(), _cpu_seconds(engine.pid)
                window.lags += await _sampled(session, url)
                window.spent += _cpu_seconds(engine.pid) - spent
                window.passed += time.monotonic() - began
                for task in attached:
                    task.cancel()
                await asyncio.gather(*attached, return_exceptions=True)
    finally:
        engine.terminate()
        await engine.wait()
    return windows[0], windows[PAGES], shown


async def _hold(session: aiohttp.ClientSession, url: str) -> None:
    """Have four positions in each account; some signals meet a market that refuses them."""
    held: Counter[str] = Counter()
    for number in range(20 * ACCOUNTS):
        va_id = f"VA{number % ACCOUNTS + 1:03}"
        if held[va_id] == HELD:
            continue
        signal = {
            "signal_id": f"s{number}", "va_id": va_id, "symbol": "BTC/USDT", "side": "buy",
            "quantity": "0.001", "stop_loss": "9%",
        }  # fmt: skip
        async with session.post(f"{url}/api/v1/signals", json=signal) as answer:
            decision = await answer.json()
        held[va_id] += decision.get("outcome") == "accepted"
        if decision.get("outcome") != "accepted":
            await asyncio.sleep(0.05)
    sys.stderr.write(f"{held.total()} entries were accepted\n")


async def _shown(url: str) -> Shown:
    """What a browser needs for the page."""
    async with browser_tab() as tab:
        await tab.call("Performance.enable")
        await tab.open(f"{url}/", 1600, 1000)
        await tab.until("document.querySelectorAll('.prow').length > 1")
        first = await tab.run("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        whole = await tab.run("performance.now()")
        await asyncio.sleep(3)
        began, asked = await _script_ms(tab), len(tab.asked)
        await asyncio.sleep(UPDATES)
        updates = sum("/status" in each for each in tab.asked[asked:])
        return Shown(first, whole, (await _script_ms(tab) - began) / max(1, updates))


async def _script_ms(tab: Tab) -> float:  # not money: milliseconds
    metrics = (await tab.call("Performance.getMetrics"))["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "ScriptDuration")) * 1e3


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _url(log: Path) -> str:
    """Where the engine listens, once it says so."""
    for _ in range(600):
        if found := re.search(r"http://127\.0\.0\.1:[0-9]+", log.read_text()):
            return found[0]
        time.sleep(0.1)
    raise TimeoutError(log.read_text()[-1000:])


async def _sampled(session: aiohttp.ClientSession, url: str) -> list[float]:
    found = []
    for _ in range(int(WINDOW_SECONDS * 10)):
        async with session.get(f"{url}/metrics") as answer:
            lag = _LAG.search(await answer.text())
        if lag:
            found.append(float(lag[1]))
        await asyncio.sleep(0.1)
    return found


async def _page(session: aiohttp.ClientSession, url: str) -> None:
    """One page, attached until it is cancelled."""

    async def ask(path: str) -> None:
        async with session.get(f"{url}/api/v1/{path}") as answer:
            await answer.read()

    async def follow() -> None:
        async with session.get(f"{url}/api/v1/stream") as answer:
            async for _ in answer.content:
                pass

    async def look() -> None:
        for second in range(10**9):
            await ask("status")
            if second % 5 == 0:
                await ask("reconciliations")
            await asyncio.sleep(1)

    with contextlib.suppress(aiohttp.ClientError):
        await asyncio.gather(follow(), look())

"""Makes docs/page-*.png again: the page at three widths, on a real run of the simulated market.

It starts an engine in a folder of its own, waits for a moment at which there is something to see,
and takes the pictures with Chromium. Run it from the checkout as
`.venv/bin/python docs/make_page_picture.py [FOLDER]`.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser import Tab, browser_tab, chromium  # noqa: E402 - the checkout is found above

WIDTHS = (("", 1600, 1000), ("-1024", 1024, 1366), ("-phone", 390, 844))
PRESS_SLIPPAGE = (
    "[...document.querySelectorAll('.drow')].find((row) => row.innerText.includes('SLIPPAGE'))"
    ".click()"
)
PRESS_LOOKING_BACK = """
    [...document.querySelectorAll('#tabs button')]
        .find((one) => one.innerText === 'Looking back').click();
    const values = document.querySelector('.lookback input');
    values.value = '0, 2, 3, 4, 6';
    values.dispatchEvent(new Event('input'));
    document.querySelector('.lookback form button').click();
"""
PATIENCE_SECONDS = 240
RUN = ("--market", "sim", "--signals", "demo", "--speed", "10", "--seed", "0", "--headless")
PORT = 18080
URL = f"http://127.0.0.1:{PORT}"


def is_worth_a_picture() -> bool:
    """Whether there are covered positions, an account in cooldown, and enough trades to plot."""
    try:
        with urlopen(f"{URL}/api/v1/status", timeout=5) as answer:  # noqa: S310 - ours
            status = json.load(answer)
    except OSError:
        return False  # it does not listen yet
    covers = [row["cover"] for row in status["positions"]]
    cooling = any(row["status"] == "cooldown" for row in status["accounts"])
    return len(covers) >= 2 and cooling and status["counts"]["trades"] >= 12


async def wait_for_one() -> None:
    """Wait for a moment that is worth a picture."""
    for _ in range(PATIENCE_SECONDS * 5):
        if await asyncio.to_thread(is_worth_a_picture):
            return
        await asyncio.sleep(0.2)
    raise SystemExit("nothing worth a picture came")


async def take(tab: Tab, target: Path) -> None:
    """All pictures: both themes at each width, and the story of a refusal."""
    for name, width, height in WIDTHS:
        for theme in ("dark", "light"):
            await tab.open(f"{URL}/?theme={theme}", width, height)
            await tab.until("document.querySelectorAll('.drow').length > 3")
            await asyncio.sleep(5)  # so that there is something live on the plot
            await tab.until("document.querySelectorAll('.prow').length > 2")
            await tab.picture(target / f"page{name}-{theme}.png", is_whole=True)
    await tab.open(f"{URL}/?theme=dark", 1600, 1000)
    await tab.until("!!document.querySelector('.drow.is-refused .numbers')")
    await tab.run(PRESS_SLIPPAGE)
    await tab.until("!!document.querySelector('.rule.fail')")
    await tab.picture(target / "page-why.png")
    await tab.open(f"{URL}/?theme=light", 1600, 1000)
    await tab.until("!!document.querySelector('.account')")
    await tab.run(PRESS_LOOKING_BACK)
    await tab.until("document.querySelectorAll('.lookback .plot canvas').length === 2")
    await asyncio.sleep(1)  # so that the plots are drawn
    await tab.picture(target / "page-looking-back.png", is_whole=True)


async def take_report(tab: Tab, database: Path, target: Path) -> None:
    """The report of the run, in both themes."""
    file = database.with_name("report.html")
    words = ("report", "--html", str(file), "--db", str(database))
    start = "import sys; from pointsman.cli.app import main; sys.exit(main())"
    made = await asyncio.create_subprocess_exec(sys.executable, "-c", start, *words)
    assert await made.wait() == 0
    for theme in ("light", "dark"):
        await tab.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": theme}],
        )
        await tab.open(file.as_uri(), 1400, 1000)
        await tab.until("document.querySelectorAll('.plot canvas').length === 2")
        await asyncio.sleep(1)  # so that the plots are drawn
        await tab.picture(target / f"report-{theme}.png")


async def make(target: Path) -> None:
    """Start an engine, take the pictures, and stop it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "main.py"), *RUN, "--db", "trading.db"]
        with (Path(folder) / "engine.log").open("wb") as log:
            engine = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HTTP_PORT": str(PORT)},
            )
        try:
            async with browser_tab() as tab:
                await wait_for_one()
                await take(tab, target)
                await take_report(tab, Path(folder) / "trading.db", target)
                for fault in tab.faults:
                    sys.stdout.write(f"the browser complains: {fault}\n")
        finally:
            engine.terminate()
            await engine.wait()


def main() -> None:
    """Make the pictures."""
    if chromium() is None:
        raise SystemExit("no Chromium is installed: apt-get install chromium")
    asyncio.run(make(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"))
    sys.stdout.write("the pictures of the page are made again\n")


if __name__ == "__main__":
    main()

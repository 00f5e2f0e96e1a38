"""A real browser for tests and pictures of the page: Chromium without a window, driven over its
DevTools protocol.

A `Tab` opens addresses, runs expressions in them, types, and keeps what went wrong there: errors of
the console, faults of scripts, breaches of the content policy; and every address that was asked.
"""

import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
START_SECONDS, ANSWER_SECONDS, PATIENCE_SECONDS = 30.0, 60.0, 40.0
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-port=0",
)


def chromium() -> str | None:
    """The browser, where one is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Tab:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader = asyncio.create_task(self._read())
        self.faults: list[str] = []
        self.asked: list[str] = []

    async def begin(self) -> None:
        """Have it tell of everything."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What a method of the protocol answers."""
        number = len(self._waiting) + 1
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        return await asyncio.wait_for(future, ANSWER_SECONDS)

    async def open(self, url: str, width: int, height: int) -> None:
        """Show an address in a window of this size."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        await self.call("Page.navigate", url=url)

    async def run(self, expression: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE_SECONDS
        while not await self.run(expression):
            assert loop.time() < end, f"it never came true: {expression}; {self.faults}"
            await asyncio.sleep(0.1)

    async def text(self, selector: str) -> str:
        """What an element says."""
        return str(await self.run(f"document.querySelector({selector!r}).innerText"))

    async def press(self, selector: str) -> None:
        """Click an element."""
        await self.run(f"document.querySelector({selector!r}).click()")

    async def fill(self, selector: str, text: str) -> None:
        """Type into an input."""
        await self.run(f"document.querySelector({selector!r}).focus()")
        await self.write(text)

    async def barriers(self, within: str = "document") -> list[str]:
        """What is in the way of somebody who cannot see, point or tell colours apart, as axe finds
        it."""
        await self.run(f"{AXE.read_text('utf-8')};0")
        options = "{resultTypes: ['violations']}"
        found = await self.run(
            f"axe.run({within}, {options}).then((all) => all.violations.map((one) =>"
            " `${one.id}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 5)}`))"
        )
        return [str(one) for one in found]

    async def write(self, text: str) -> None:
        """Type into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def picture(self, path: Path, *, is_whole: bool = False) -> None:
        """What is shown, as PNG; `is_whole`: also what is below the window."""
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=is_whole)
        path.write_bytes(base64.b64decode(shot["data"]))  # noqa: ASYNC240 - a picture at a time

    async def close(self) -> None:
        """End."""
        self._reader.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                future = self._waiting[told["id"]]
                if "error" in told:
                    future.set_exception(AssertionError(told["error"]["message"]))
                else:
                    future.set_result(told["result"])
            else:
                self._note(told["method"], told["params"])

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.faults.append(json.dumps(params["exceptionDetails"])[:600])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.faults.append(json.dumps(params["args"])[:600])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.faults.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])


@contextlib.contextmanager
def browser() -> Iterator[str]:
    """A browser of its own, which ends with it: where it can be spoken to."""
    found = chromium()
    assert found is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [found, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield f"http://127.0.0.1:{_port(Path(profile))}"
        finally:
            process.terminate()
            process.wait()


@contextlib.asynccontextmanager
async def tab_of(address: str) -> AsyncIterator[Tab]:
    """A new page in a browser, which is closed at the end."""
    async with aiohttp.ClientSession() as session:
        async with session.put(f"{address}/json/new?about:blank") as answer:
            page = await answer.json()
        async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            tab = Tab(socket)
            await tab.begin()
            yield tab
            await tab.close()
        async with session.get(f"{address}/json/close/{page['id']}"):
            pass


@contextlib.asynccontextmanager
async def browser_tab() -> AsyncIterator[Tab]:
    """A page in a browser of its own."""
    with browser() as address:
        async with tab_of(address) as tab:
            yield tab


def _port(profile: Path) -> str:
    """Where the browser listens, once it says so."""
    told, give_up_at = profile / "DevToolsActivePort", time.monotonic() + START_SECONDS
    while not (told.exists() and told.read_text()):
        assert time.monotonic() < give_up_at, "the browser did not start"
        time.sleep(0.05)
    return told.read_text().splitlines()[0]

"""Makes the pictures of the dashboard in docs/ again: a real run of the simulated market, in three
sizes, dark and light.

It starts an engine in a folder of its own, attaches a dashboard without a terminal, waits for a
moment at which there is something to see, and keeps what is shown. Run it from the checkout as
`.venv/bin/python docs/make_dashboard_picture.py`.
"""

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from textual.pilot import Pilot

from pointsman.config.settings import resolve_settings
from pointsman.dashboard.app import NOTICE_SECONDS, STORY_SECONDS, Dashboard
from pointsman.dashboard.cells import Picture
from pointsman.dashboard.links import Link, link_to
from pointsman.dashboard.panel import Panel
from pointsman.engine.control_client import socket_path

ROOT = Path(__file__).resolve().parents[1]
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
SIZES = {"small": (80, 24), "medium": (120, 35), "large": (200, 50)}
"""Each size with its columns and lines; it is drawn dark and light."""
FIRST_SIZE = (150, 42)
"""That of the picture which people see first; dark."""
START_SECONDS, PATIENCE_SECONDS = 30, 240
LOG = "engine.log"
RUN = ("--market", "sim", "--signals", "demo", "--speed", "10", "--seed", "0", "--headless")
LIMITS = {
    "MAX_DAILY_LOSS": "60",
    "MAX_DRAWDOWN_PERCENTAGE": "0.1",
    "MAX_LOSS_COOLDOWN": "2",
    "COOLDOWN_DURATION_SECONDS": "240",
    "HTTP_PORT": "0",
}
"""Limits that are near, so that their use is seen."""
TRADES_LEAST = 16


def is_worth_a_picture(picture: Picture) -> bool:
    """Whether there is a past that has earned something, positions that are covered, an account in
    cooldown, and decisions of both kinds."""
    covers = [row["cover"] for row in picture["positions"]]
    newest = picture["decisions"][:12]
    reasons = {row["reason"] for row in newest}
    cooling = any(row["status"] == "cooldown" for row in picture["accounts"])
    has_past = picture["counts"]["trades"] >= TRADES_LEAST
    is_covered = len(covers) >= 3 and set(covers) == {"covered"}
    earned = sum(
        Decimal(row["realized"]) + Decimal(row["unrealized"]) for row in picture["accounts"]
    )
    is_mixed = None in reasons and len(reasons) >= 3
    return has_past and is_covered and cooling and is_mixed and earned > 0


async def drawn(link: Link) -> dict[str, str]:
    """The dashboard as SVG in each size and theme, once it is worth it."""
    loop, found, is_over = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def watch() -> Iterator[Picture]:
        for picture in link.watch():
            yield picture
            if is_worth_a_picture(picture):
                loop.call_soon_threadsafe(found.set)
                while not is_over.wait(1):
                    yield picture  # what is seen stays as it is

    app = Dashboard(link._replace(watch=watch), theme="dark")
    shown: dict[str, str] = {}
    async with app.run_test(size=FIRST_SIZE) as pilot:
        await asyncio.wait_for(found.wait(), PATIENCE_SECONDS)
        await select_a_refusal(app, pilot)
        shown["dashboard"] = app.export_screenshot()
        for ending in ("", "-light"):
            for name, size in SIZES.items():
                await pilot.resize_terminal(*size)
                await pilot.pause(2 * STORY_SECONDS)
                shown[f"dashboard-{name}{ending}"] = app.export_screenshot()
            await pilot.press("t")
            await pilot.pause(NOTICE_SECONDS + 1)
    is_over.set()
    return {name: without_foreign_fonts(svg) for name, svg in shown.items()}


async def select_a_refusal(app: Dashboard, pilot: Pilot[None]) -> None:
    """Put the cursor on the newest refusal, whose story is worth reading."""
    rows = app.query_one("#decisions", Panel).shown
    at = next(at for at, row in enumerate(rows) if row["reason"] is not None)
    await pilot.press(*["down"] * at)
    await pilot.pause(3 * STORY_SECONDS)


def without_foreign_fonts(svg: str) -> str:
    """A picture that asks no other host for its font."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("font-family: Fira Code, monospace", f"font-family: {FONTS}")


def wait_for(engine: subprocess.Popen[bytes], path: Path) -> None:
    """Wait until the engine listens at `path`."""
    for _ in range(START_SECONDS * 10):
        if path.exists():
            return
        if engine.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit(f"no engine listens; its log:\n{(path.parent / LOG).read_text('utf-8')}")


def make(folder: Path) -> dict[str, str]:
    """Start an engine, draw its dashboard at each size, and stop it."""
    database = folder / "trading.db"
    command = [sys.executable, str(ROOT / "main.py"), *RUN, "--db", str(database)]
    with (folder / LOG).open("wb") as log:
        engine = subprocess.Popen(  # noqa: S603 - ours
            command, cwd=folder, stdout=log, stderr=log, env=os.environ | LIMITS
        )
    try:
        wait_for(engine, socket_path(database))
        settings = resolve_settings({"DATABASE_PATH": str(database)}, None, {}).settings
        return asyncio.run(drawn(link_to(settings)))
    finally:
        engine.terminate()
        engine.wait()


def main() -> None:
    """Make the picture."""
    with tempfile.TemporaryDirectory() as folder:
        for name, shown in make(Path(folder)).items():
            target = ROOT / "docs" / f"{name}.svg"
            target.write_text(shown, "utf-8")
            sys.stdout.write(f"{target.relative_to(ROOT)} is made again\n")


if __name__ == "__main__":
    main()

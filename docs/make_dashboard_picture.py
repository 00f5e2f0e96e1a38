"""Makes the pictures of the dashboard in docs/ again: a real run of the simulated market.

It starts an engine in a folder of its own, attaches a dashboard without a terminal, waits for a
moment at which there is something to see, and keeps what is shown. Run it from the checkout as
`.venv/bin/python docs/make_dashboard_picture.py`.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from pointsman.config.settings import resolve_settings
from pointsman.dashboard.app import STORY_SECONDS, Dashboard
from pointsman.dashboard.cells import Picture
from pointsman.dashboard.links import Link, link_to
from pointsman.engine.control_client import socket_path

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"dashboard": (120, 35), "dashboard-small": (80, 24), "dashboard-large": (200, 50)}
"""Each picture with its columns and lines."""
START_SECONDS, PATIENCE_SECONDS = 30, 180
LOG = "engine.log"
RUN = ("--market", "sim", "--signals", "demo", "--speed", "10", "--seed", "0", "--headless")
LIMITS = {"MAX_DAILY_LOSS": "500", "MAX_DRAWDOWN_PERCENTAGE": "2"}
"""Limits that are off where nobody sets them, so that their use is seen."""


def is_worth_a_picture(picture: Picture) -> bool:
    """Whether there are covered positions, an account in cooldown, and decisions of both kinds."""
    covers = [row["cover"] for row in picture["positions"]]
    reasons = {row["reason"] for row in picture["decisions"][:10]}
    cooling = any(row["status"] == "cooldown" for row in picture["accounts"])
    return len(covers) >= 2 and set(covers) == {"covered"} and cooling and len(reasons) >= 4


async def drawn(link: Link) -> dict[str, str]:
    """The dashboard as SVG at each size, once it is worth it."""
    loop, found, is_over = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def watch() -> Iterator[Picture]:
        for picture in link.watch():
            yield picture
            if is_worth_a_picture(picture):
                loop.call_soon_threadsafe(found.set)
                while not is_over.wait(1):
                    yield picture  # what is seen stays as it is

    app = Dashboard(link._replace(watch=watch))
    shown: dict[str, str] = {}
    async with app.run_test(size=(120, 35)) as pilot:
        await asyncio.wait_for(found.wait(), PATIENCE_SECONDS)
        for name, size in SIZES.items():
            await pilot.resize_terminal(*size)
            await pilot.pause(STORY_SECONDS)
            shown[name] = app.export_screenshot()
    is_over.set()
    return shown


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

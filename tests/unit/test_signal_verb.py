"""`pointsman signals`: which of them, and as they come."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from pointsman.cli.app import main
from pointsman.cli.signal_verb import since_of
from pointsman.domain.timestamps import parse_ts
from tests.as_installed import as_installed

NEWEST_NS = parse_ts("2026-01-05T15:30:20Z")


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("20s", "2026-01-05T15:30:00Z"),
        ("10m", "2026-01-05T15:20:20Z"),
        ("2h", "2026-01-05T13:30:20Z"),
        ("1d", "2026-01-04T15:30:20Z"),
        ("14:30", "2026-01-05T14:30:00Z"),
        ("2026-01-05", "2026-01-05T00:00:00Z"),
        ("2026-01-05T15:00:00Z", "2026-01-05T15:00:00Z"),
    ],
)
def test_a_time_since_when(text: str, means: str) -> None:
    assert since_of(text, NEWEST_NS) == parse_ts(means)


@pytest.mark.parametrize("text", ["", "x", "10", "25:00", "yesterday"])
def test_another_text_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 10m, 2h"):
        since_of(text, NEWEST_NS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first two minutes of the demo."""
    folder = tmp_path_factory.mktemp("signals")
    run = "pointsman run --market sim --speed max --duration 120 --db demo.db"
    subprocess.run(["bash", "-c", run], cwd=folder, env=as_installed(folder), check=True)
    return folder


def asked(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *options: str,
) -> list[dict[str, str]]:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(
        sys, "argv", ["pointsman", "signals", "--db", "demo.db", "--json", *options]
    )
    assert main() == 0
    rows: list[dict[str, str]] = json.loads(capsys.readouterr().out)
    return rows


def test_what_is_wanted_is_shown_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    every = asked(folder, monkeypatch, capsys)
    symbol = every[0]["symbol"]
    since = every[-3]["received_at"]
    refused = [row for row in every if row["outcome"] == "refused"]
    of_symbol = [row for row in every if row["symbol"] == symbol]
    both = [row for row in refused if row["symbol"] == symbol]
    later = [row for row in every if row["received_at"] >= since]
    assert all(0 < len(some) < len(every) for some in (refused, of_symbol, both, later))
    assert asked(folder, monkeypatch, capsys, "--refused") == refused
    assert asked(folder, monkeypatch, capsys, "--symbol", symbol) == of_symbol
    assert asked(folder, monkeypatch, capsys, "--refused", "--symbol", symbol) == both
    assert asked(folder, monkeypatch, capsys, "--since", since) == later
    assert asked(folder, monkeypatch, capsys, "--refused", "--limit", "2") == refused[-2:]


def until(done: Callable[[], bool]) -> None:
    """Wait for it."""
    give_up_at = time.monotonic() + 60
    while not done():
        assert time.monotonic() < give_up_at
        time.sleep(0.1)


def hears_interrupts() -> None:
    """A shell starts what it puts into the background with SIGINT ignored, tests among it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_what_comes_is_shown_as_it_comes(tmp_path: Path) -> None:
    """Beside an engine, whose first demo signal comes within seconds; Ctrl-C ends it with 0."""
    env = {**as_installed(tmp_path), "PYTHONUNBUFFERED": "1"}
    pointsman, told = tmp_path / "bin" / "pointsman", tmp_path / "told"
    with (
        told.open("w") as out,
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            [pointsman, "run", "--headless"], cwd=tmp_path, env=env, stderr=log
        ) as run,
    ):
        try:
            until(lambda: "http listens" in (tmp_path / "log").read_text())
            follow = [str(pointsman), "signals", "--follow"]
            with subprocess.Popen(
                follow, cwd=tmp_path, env=env, stdout=out, preexec_fn=hears_interrupts
            ) as follower:
                until(lambda: "demo-3 " in told.read_text() or "demo-3\n" in told.read_text())
                follower.send_signal(signal.SIGINT)
                assert follower.wait(30) == 0
        finally:
            run.send_signal(signal.SIGINT)
    rows = [line for line in told.read_text().splitlines() if "demo-3" in line]
    assert len(rows) == 1, "each is shown once"

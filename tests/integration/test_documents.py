"""The commands of the pages in docs/, run as a reader would: beside a running engine where they
speak to one.

What needs a network, Docker or minutes is held to what it names: make targets, files, verbs, the
service.
"""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pointsman.domain.signal_text import parse_signal
from tests.as_installed import ROOT, as_installed

PAGES = (
    "commands",
    "signals",
    "http",
    "settings",
    "monitoring",
    "docker",
    "development",
    "recipes",
    "looking-back",
)
TEXT = "".join((ROOT / "docs" / f"{page}.md").read_text("utf-8") for page in PAGES)
PATIENCE_SECONDS = 60.0
COMPOSE_VERBS = {"up", "logs", "exec", "ps", "restart", "stop", "down"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """All command lines, without their comments, in the order of the text."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    found = [re.sub(r"\s+#.*", "", line).strip() for line in lines]
    return [line for line in found if line]


def is_run(line: str) -> bool:
    """Whether a command makes an engine of its own."""
    return line.startswith("python main.py") or "pointsman run" in line


RUNS = [line for line in commands() if is_run(line)]
ASKED = [
    line
    for line in commands()
    if line.startswith(("pointsman ", "curl "))
    and not line.startswith("pointsman dashboard")
    and not is_run(line)
]
URL = "http://127.0.0.1:8080"
"""Where the pages say that an engine listens."""


def listens_at(folder: Path) -> str:
    """Where the engine of a folder listens."""
    found = re.search(r"http listens\s+url=(\S+)", (folder / "log").read_text())
    assert found is not None
    return found[1]


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}"],
        cwd=folder,
        env=as_installed(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def beside_an_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which an engine runs that has decided the first demo signal."""
    folder = tmp_path_factory.mktemp("reader")
    found = as_installed(folder)
    with (folder / "log").open("w") as log:
        engine = subprocess.Popen(
            [folder / "bin" / "pointsman", "run", "--headless"],
            cwd=folder,
            env=found,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while shell("pointsman why demo-1", folder).returncode:
            assert engine.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < give_up_at, (folder / "log").read_text()
        yield folder
    finally:
        engine.send_signal(signal.SIGINT)
        engine.wait(PATIENCE_SECONDS)


def test_what_is_asked_of_a_running_engine_is_answered(beside_an_engine: Path) -> None:
    assert len(ASKED) > 12
    url = listens_at(beside_an_engine)
    for line in ASKED:
        done = shell(line.replace(URL, url), beside_an_engine)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        assert done.stdout.strip(), line


@pytest.fixture(scope="module")
def after_make_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a run on the simulated market has been, and has left its database."""
    folder = tmp_path_factory.mktemp("after")
    done = shell("pointsman run --duration 1", folder)
    assert done.returncode == 0, done.stderr
    (quotes,), (signals, _alert) = blocks("csv"), blocks("json")
    (folder / "quotes.csv").write_text(quotes)
    (folder / "signals.jsonl").write_text(signals)
    (folder / "main.py").symlink_to(ROOT / "main.py")
    return folder


@pytest.mark.parametrize("line", RUNS)
def test_a_run_ends_well(line: str, after_make_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    shutil.copytree(after_make_run, folder, symlinks=True)
    done = shell(line, folder)
    assert done.returncode == 0, (line, done.stdout, done.stderr)


def test_rule_11_both_example_signals_are_refused_on_a_live_feed(tmp_path: Path) -> None:
    (quotes,), (signals, _alert) = blocks("csv"), blocks("json")
    (tmp_path / "quotes.csv").write_text(quotes)
    (tmp_path / "signals.jsonl").write_text(signals)
    line = "cat quotes.csv | pointsman run --market - --signals signals.jsonl --json"
    report = yaml.safe_load(shell(line, tmp_path).stdout)
    assert (report["signals"]["received"], report["signals"]["refused"]) == (2, 2)
    assert set(report["signals"]["by_reason"]) <= {
        "LATENCY",
        "NO_QUOTE",
        "OUTSIDE_WINDOW",
        "NOTHING_TO_CLOSE",
    }


def test_quotes_of_now_on_standard_input_are_all_taken(tmp_path: Path) -> None:
    (tmp_path / "quotes.csv").write_text(blocks("csv")[0])
    (line,) = [line for line in RUNS if "--market - " in line]
    report = yaml.safe_load(shell(f"{line} --json", tmp_path).stdout)
    assert report["quotes"] == 4


def test_a_signal_that_is_piped_is_accepted(tmp_path: Path) -> None:
    (signals, _alert) = blocks("json")
    (tmp_path / "signals.jsonl").write_text(signals)
    (line,) = [line for line in RUNS if "--signals - " in line]
    report = yaml.safe_load(shell(f"{line} --json", tmp_path).stdout)
    assert (report["signals"]["accepted"], report["signals"]["refused"]) == (1, 0)


def test_the_example_signals_trade_on_the_example_quotes(tmp_path: Path) -> None:
    (quotes,), (signals, _alert) = blocks("csv"), blocks("json")
    (tmp_path / "quotes.csv").write_text(quotes)
    (tmp_path / "signals.jsonl").write_text(signals)
    (line,) = [line for line in RUNS if "--market quotes.csv" in line]
    shell(f"{line} --db t.db", tmp_path)
    trades = shell("pointsman trades --json --db t.db", tmp_path).stdout
    assert [trade["quantity"] for trade in yaml.safe_load(trades)] == ["5"]


def test_the_python_example_trades(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(blocks("python")[0])
    done = shell("python example.py", tmp_path)
    assert done.stdout.startswith("accepted None 193.81"), (done.stdout, done.stderr)


def test_the_python_client_of_the_example_gets_a_decision(beside_an_engine: Path) -> None:
    example = blocks("python")[1].replace(URL, listens_at(beside_an_engine))
    (beside_an_engine / "client.py").write_text(example)
    # It is there already where the commands of the pages have run before.
    shell("pointsman accounts add VA009 --balance 50000", beside_an_engine)
    done = shell("python client.py", beside_an_engine)
    of_the_market = "accepted None|refused (SPREAD|SLIPPAGE|LATENCY|NO_QUOTE|INVALID_QUOTE)"
    assert re.fullmatch(of_the_market, done.stdout.strip()), done


def test_the_alert_of_the_example_becomes_a_signal() -> None:
    """As TradingView sends it, its placeholders filled in."""
    filled = {
        "strategy.order.action": "buy",
        "ticker": "NASDAQ:NVDA",
        "strategy.order.contracts": "1",
        "close": "126.00",
        "strategy.market_position": "long",
        "strategy.market_position_size": "1",
        "timenow": "2026-01-05T14:30:02Z",
    }
    body = re.sub(r"\{\{([a-z_.]+)\}\}", lambda name: filled[name[1]], blocks("json")[1])
    signal = parse_signal(body, default_va_id="VA001", default_signal_id="alert")
    assert (signal.symbol, signal.side, signal.quantity) == ("NVDA", "buy", 1)


def test_the_commands_that_are_not_run_name_what_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    for line in commands():
        words = line.split()
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", makefile, re.MULTILINE), line
        elif words[0] == "export":
            assert "docker compose exec -T trading-engine cat" in line
        elif words[:2] == ["docker", "compose"]:
            del words[0]
            if words[1] == "--profile":
                assert any(words[2] in each.get("profiles", []) for each in services.values())
                words[1:3] = []
            assert words[1] in COMPOSE_VERBS, line
            assert words[1] != "exec" or words[2] in services, line
        elif words[0] == "cp":
            assert (ROOT / words[1]).exists(), line
        elif words[0] in ("pytest", "pip"):
            names = [name.rpartition("=")[2] for name in words[1:]]
            files = [name for name in names if "/" in name or name.endswith(".txt")]
            assert all((ROOT / name).exists() for name in files), line
        else:
            assert line in RUNS or line in ASKED or line.startswith("pointsman dashboard"), line


def test_every_page_that_a_page_names_exists() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            assert "://" in link or (page.parent / link).exists(), (page.name, link)


def test_the_backup_by_cron_keeps_the_old_copy_until_the_new_one_is_known_to_be_good(
    after_make_run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "reader"
    shutil.copytree(after_make_run, folder, symlinks=True)
    (script,) = [block for block in blocks("bash") if "db backup" in block]
    script = script.replace("/var/lib/pointsman", str(folder))
    script = script.replace("/opt/pointsman/.venv/bin/pointsman", str(folder / "bin" / "pointsman"))
    (folder / "pointsman-backup").write_text(script)
    for _same_day_again in range(2):
        done = shell("/bin/sh -e pointsman-backup", folder)
        assert done.returncode == 0, (done.stdout, done.stderr)
    (kept,) = (folder / "backup").iterdir()
    files = {file.name: file.read_bytes() for file in kept.iterdir()}
    assert shell(f"pointsman status --db {kept / 'trading.db'}", folder).returncode == 0
    with (folder / "trading.db").open("r+b") as database:
        database.write(b"damaged")
    assert shell("/bin/sh -e pointsman-backup", folder).returncode != 0
    assert {file.name: file.read_bytes() for file in kept.iterdir()} == files

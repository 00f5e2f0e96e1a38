"""The import contract can fail: each violation planted in a skeleton of the rooms breaks it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A module of every room, importing what it may.
SKELETON = {
    "__init__.py": "",
    "domain/money.py": "import decimal",
    "execution/desk.py": "import pointsman.execution.governor",
    "execution/governor.py": "import pointsman.domain.money",
    "execution/ports.py": "import pointsman.domain.money",
    "engine/live_loop.py": """
        import asyncio, time
        import pointsman.execution.desk, pointsman.market.sim, pointsman.storage.codec
        import pointsman.venues.paper.venue, pointsman.config.settings""",
    "market/sim.py": "import pointsman.domain.money",
    "storage/codec.py": "import pointsman.execution.ports, sqlite3",
    "venues/__init__.py": "",
    "venues/paper/venue.py": "import pointsman.execution.governor, pointsman.config.settings",
    "config/settings.py": "import os",
    "simulator/run.py": "import pointsman.engine.live_loop",
    "reading/story.py": "import pointsman.engine.live_loop",
    "api/app.py": "import pointsman.engine.live_loop, pointsman.reading.story",
    "terminal/why.py": "import pointsman.reading.story",
    "dashboard/app.py": "import pointsman.terminal.why",
    "service/live_run.py": "import pointsman.api.server, pointsman.terminal.why",
    "cli/app.py": "import pointsman.service.live_run, pointsman.dashboard.app",
    "cli/simulate.py": "import pointsman.simulator.run",
}


def lint(folder: Path, modules: dict[str, str]) -> subprocess.CompletedProcess[str]:
    package = folder / "src" / "pointsman"
    for name, text in modules.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text("\n".join(line.strip() for line in text.splitlines()))
    code = "import sys; from importlinter.cli import lint_imports_command as run; run()"
    config = str(ROOT / "pyproject.toml")
    return subprocess.run(
        [sys.executable, "-c", code, "--config", config, "--no-cache", "--no-logo"],
        env={"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_tree_that_keeps_the_contract_passes(tmp_path: Path) -> None:
    result = lint(tmp_path, SKELETON)
    assert result.returncode == 0, result.stdout
    assert "2 kept, 0 broken" in result.stdout


def test_rooms_that_are_not_built_yet_are_not_missed(tmp_path: Path) -> None:
    built = {name: text for name, text in SKELETON.items() if name.startswith(("__", "domain"))}
    result = lint(tmp_path, built | {"execution/desk.py": "import pointsman.domain.money"})
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "imported", "contract"),
    [
        ("domain/plant.py", "time", "no clock"),
        ("execution/plant.py", "asyncio", "no clock"),
        ("execution/plant.py", "pathlib", "no clock"),
        ("execution/plant.py", "pointsman.storage.codec", "point down"),
        ("execution/plant.py", "pointsman.engine.live_loop", "point down"),
        ("domain/plant.py", "pointsman.execution.governor", "point down"),
        ("domain/plant.py", "pointsman.config.settings", "point down"),
        ("venues/plant.py", "pointsman.market.sim", "point down"),
        ("storage/plant.py", "pointsman.venues.paper.venue", "point down"),
        ("config/plant.py", "pointsman.venues.paper.venue", "point down"),
        ("market/plant.py", "pointsman.engine.live_loop", "point down"),
        ("engine/live_loop.py", "pointsman.api.server", "point down"),
        ("engine/live_loop.py", "pointsman.reading.story", "point down"),
        ("service/plant.py", "pointsman.dashboard.app", "point down"),
        ("reading/plant.py", "pointsman.api.server", "point down"),
        ("api/plant.py", "pointsman.simulator.run", "point down"),
        ("api/plant.py", "pointsman.cli.app", "point down"),
        ("plant/app.py", "decimal", "point down"),
    ],
    ids=lambda value: str(value).removeprefix("pointsman."),
)
def test_a_planted_import_breaks_the_contract(
    tmp_path: Path, module: str, imported: str, contract: str
) -> None:
    text = f"{SKELETON.get(module, '')}\nimport {imported}"
    result = lint(tmp_path, SKELETON | {module: text})
    assert result.returncode == 1, result.stdout
    broken = [line for line in result.stdout.splitlines() if "BROKEN" in line]
    assert any(contract in line for line in broken), result.stdout

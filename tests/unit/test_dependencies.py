"""pyproject.toml declares every package that is imported, and none that is not."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

NAMES = {"dotenv": "python-dotenv", "nats": "nats-py", "pydantic_core": "pydantic"}
"""Modules whose package has another name."""

NOT_IMPORTED = {
    "httptools": "the protocol that uvicorn is told to use",
    "tzdata": "the time zones of zoneinfo where the system has none",
}


def declared(texts: list[str]) -> set[str]:
    return {re.split(r"[<>=\[ ]", text)[0] for text in texts}


def imported() -> set[str]:
    modules = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module)
    tops = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names
    return {NAMES.get(top, top.replace("_", "-")) for top in tops - {"pointsman"}}


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    optional = declared([*extras["calendar"], *extras["cluster"], *extras["notify"]])
    always = declared(project["dependencies"])
    assert imported() == (always - set(NOT_IMPORTED)) | optional
    assert set(NOT_IMPORTED) <= always


def test_a_paper_run_does_not_load_what_only_real_venues_need() -> None:
    probe = "import sys, pointsman.cli.run, pointsman.engine.open_venue, pointsman.venues.bridge;"
    probe += "print(sorted({'aiohttp', 'ccxt', 'yarl'} & set(sys.modules)))"
    command = [sys.executable, "-c", probe]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_an_engine_of_one_machine_loads_nothing_of_a_cluster() -> None:
    probe = "import sys, pointsman.cli.run, pointsman.engine.embedded, pointsman.service.live_run;"
    probe += "names = [n for n in sys.modules if n.split('.')[0] == 'nats' or '.cluster' in n];"
    probe += "print(names)"
    command = [sys.executable, "-c", probe]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"

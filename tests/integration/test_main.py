"""RULES 39: what works in a checkout that nobody has installed."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_rule_39_every_requirement_is_pinned_and_tests_are_among_them() -> None:
    lines = [
        line.strip()
        for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    assert all(re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==", line) for line in lines), lines
    names = {re.split(r"[=\[]", line)[0] for line in lines}
    assert {"msgspec", "typer", "pytest", "pytest-cov", "hypothesis"} <= names


def test_rule_39_main_finds_src_from_anywhere_without_an_install(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "--market" in result.stdout

"""RULES 39: what works in a checkout that nobody has installed."""

import os
import re
import subprocess
import sys
from fnmatch import fnmatch
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


def test_rule_39_without_the_requirements_it_says_what_to_install(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-S", "-E", str(ROOT / "main.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "is not installed: pip install -r" in result.stderr
    assert str(ROOT / "requirements.txt") in result.stderr
    assert "Traceback" not in result.stderr


def test_what_a_run_leaves_behind_is_not_for_the_repository() -> None:
    left = "g.db g.db-wal g.db-shm g.db.kill g.db.lock g.db.sock g.db.log g.paper.db.lock tokens"
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    for name in left.split():
        assert any(fnmatch(name, pattern) for pattern in ignored), name

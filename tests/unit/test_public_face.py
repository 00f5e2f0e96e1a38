"""`from pointsman import …`: the list of names that users may rely on, and nothing deeper."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import pointsman
from pointsman import PointsmanError

ROOT = Path(__file__).resolve().parents[2]

PUBLIC = (
    (
        "Action, ApiError, Check, Client, Decision, Engine, EngineStopped, InboxFull, Outcome, "
        "PointsmanError, Quote, Reason, Settings, SettingsError, Side, Signal, SignalProblem, "
        "SignalSide, StorageError, StorageHeld, __version__, load_settings, open_engine"
    )
    .replace(",", "")
    .split()
)


def test_the_public_names_are_these() -> None:
    assert sorted(pointsman.__all__) == sorted(PUBLIC)
    assert dir(pointsman) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(pointsman, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = pointsman.Nothing


def test_errors_that_a_user_can_cause_have_one_base() -> None:
    errors = [
        pointsman.ApiError, pointsman.EngineStopped, pointsman.InboxFull, pointsman.SettingsError,
        pointsman.SignalProblem, pointsman.StorageError, pointsman.StorageHeld,
    ]  # fmt: skip
    assert [error for error in errors if not issubclass(error, PointsmanError)] == []


def test_importing_the_client_brings_in_no_engine() -> None:
    code = (
        "import sys; from pointsman import Client; "
        "print([m for m in sys.modules if m.startswith('pointsman.')])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(re.findall(r"pointsman\.\w+", result.stdout))
    assert loaded == {"pointsman.client", "pointsman.errors", "pointsman.version"}


def test_documents_import_from_the_package_alone() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    deep = [
        f"{page.name}: {line}"
        for page in pages
        for line in page.read_text("utf-8").splitlines()
        if re.match(r"\s*(from|import) pointsman\.", line)
    ]
    assert deep == []

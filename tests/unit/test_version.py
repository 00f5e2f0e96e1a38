"""The version is the same wherever it is said."""

import tomllib
from pathlib import Path

import pointsman
from pointsman.version import __version__


def test_the_package_is_as_new_as_its_project_says() -> None:
    project = Path(__file__).resolve().parents[2] / "pyproject.toml"
    assert tomllib.loads(project.read_text())["project"]["version"] == __version__
    assert pointsman.__version__ == __version__

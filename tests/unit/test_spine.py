"""The spine that ARCHITECTURE names: ten files, short enough together to be read in an hour."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = 10
LINES_MAX = 1_650


def spine() -> list[Path]:
    """The files of the numbered list under "The spine", in their order."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    section = text.partition("\n## The spine\n")[2].partition("\n## ")[0]
    numbered = re.findall(r"^([0-9]+)\. `([a-z_/]+\.py)`: .+\?", section, re.MULTILINE)
    assert [int(number) for number, _ in numbered] == list(range(1, FILES + 1))
    return [ROOT / "src" / "pointsman" / path for _, path in numbered]


def test_architecture_names_ten_different_files_that_exist() -> None:
    paths = spine()
    assert len(set(paths)) == FILES
    assert [path for path in paths if not path.is_file()] == []


def test_the_spine_is_short_enough_to_be_read_in_an_hour() -> None:
    lines = {path.name: len(path.read_text("utf-8").splitlines()) for path in spine()}
    assert sum(lines.values()) <= LINES_MAX, lines

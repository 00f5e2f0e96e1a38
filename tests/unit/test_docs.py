"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from docs.generate import END, PARTS, START, redrawn
from pointsman.config.fields import NAMES, SettingFields

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.name)
def test_generated_parts_are_what_the_code_says(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text == redrawn(text, PARTS[path]()), "run `make docs`"


def test_drawing_again_replaces_what_stands_between_the_markers_and_nothing_else() -> None:
    before = f"head\n{START}\n\nold\n\n{END}\ntail\n"
    after = redrawn(before, "new")
    assert after == f"head\n{START}\n\nnew\n\n{END}\ntail\n"
    assert redrawn(after, "new") == after


@pytest.mark.parametrize("text", ["no markers", START, f"{END} then {START}"])
def test_a_document_without_its_markers_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a generated document has the lines"):
        redrawn(text, "new")


def test_every_picture_is_shown_or_linked_by_a_page_that_is_read() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = set(
        re.findall(r"\((?:docs/)?([\w-]+\.(?:svg|png))\)", "".join(map(Path.read_text, pages)))
    )
    assert named == {
        path.name for path in (ROOT / "docs").iterdir() if path.suffix in (".svg", ".png")
    }


def commands(text: str) -> list[str]:
    """The command lines in the fenced blocks of a document, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))


def test_every_command_in_contributing_is_a_make_target() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    lines = commands(text)
    assert lines
    assert {line.split()[0] for line in lines} == {"make"}
    assert {line.split()[1] for line in lines} <= make_targets()
    assert set(re.findall(r"`make ([a-z]+)`", text)) <= make_targets()


def test_ci_runs_the_test_target_and_nothing_else() -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert script[0].startswith("#!")
    assert [line for line in script if "make" in line] == ["exec make test"]


def test_the_examples_for_proxies_pass_on_the_webhook_and_nothing_else() -> None:
    text = (ROOT / "docs/reverse-proxy.md").read_text("utf-8")
    nginx, haproxy = (
        re.search(rf"```{name}\n(.*?)```", text, re.S) for name in ("nginx", "haproxy")
    )
    assert nginx is not None
    assert haproxy is not None
    port = SettingFields.model_fields["http_port"].default
    locations = dict(re.findall(r"location (\S+) \{\n(.*?)\n    \}", nginx[1], re.S))
    assert set(locations) == {"/webhook", "/"}
    assert f"proxy_pass http://127.0.0.1:{port};" in locations["/webhook"]
    assert locations["/"].strip() == "return 404;"
    assert "http-request return status 404 unless { path_beg /webhook }" in haproxy[1]
    assert f"server engine 127.0.0.1:{port}" in haproxy[1]
    names = set(re.findall(r"\b(?:[A-Z]+_)+[A-Z]+\b", text))
    assert names <= set(NAMES), "every setting that it names exists"

"""How the verbs present themselves: order, examples, `-h`."""

import re
import shlex
import sys
from typing import Any

import pytest
from typer.main import get_command

from pointsman.cli.app import main
from pointsman.cli.command_line import app
from pointsman.cli.verb_help import EXAMPLES
from tests.as_installed import ROOT


def verbs(group: Any, path: str = "") -> list[str]:
    """The words of every verb and group, in the order of the help."""
    context = group.make_context(path.strip() or "pointsman", [], resilient_parsing=True)
    if path:
        context.parent = context
    found = []
    for name in group.list_commands(context):
        found.append(f"{path}{name}")
        command = group.commands[name]
        if hasattr(command, "commands"):
            found += verbs(command, f"{path}{name} ")
    return found


def test_every_verb_has_an_example_and_stands_in_the_order_of_use() -> None:
    assert verbs(get_command(app)) == list(EXAMPLES)


def test_the_contract_names_every_verb() -> None:
    contract = (ROOT / "docs" / "contract.md").read_text("utf-8")
    groups = {words.split()[0] for words in EXAMPLES if " " in words} - {"accounts"}
    assert [
        words for words in EXAMPLES if words not in groups and f"`{words}" not in contract
    ] == []


@pytest.mark.parametrize(("words", "example"), EXAMPLES.items())
def test_an_example_is_one_of_its_verb_with_options_that_exist(
    words: str, example: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert example.startswith(f"pointsman {words}")
    given = shlex.split(example)
    monkeypatch.setattr(sys, "argv", ["pointsman", *words.split(), "-h"])
    assert main() == 0
    said = capsys.readouterr().out
    assert "<bool>" not in said
    assert " ".join(example.split()) in " ".join(said.split())
    for option in (each for each in given if each.startswith("--")):
        monkeypatch.setattr(sys, "argv", [*given[: len(words.split()) + 1], "-h"])
        assert re.search(rf"{option}\b", said) or words in ("config", "venue", "db", "journal")

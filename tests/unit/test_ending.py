"""What a verb says at its end, and where."""

import json

import pytest
import typer

from pointsman.cli.ending import complain, fail, tell
from pointsman.cli.options import Options
from pointsman.engine.exit_codes import ExitCode

Output = pytest.CaptureFixture[str]


def test_an_answer_is_one_document_or_lines_that_cannot_steer_the_terminal(capsys: Output) -> None:
    tell(Options(), {"a": 1}, "one", "two \x1b[31m")
    assert capsys.readouterr() == ("one\ntwo \\x1b[31m\n", "")
    tell(Options(as_json=True), {"a": 1}, "one", "two")
    said = capsys.readouterr()
    assert (json.loads(said.out), said.err) == ({"a": 1}, "")


def test_what_is_wrong_goes_beside_the_answer_and_ends_with_its_code(capsys: Output) -> None:
    complain("look at it")
    with pytest.raises(typer.Exit) as ended:
        fail("it is held", ExitCode.BUSY)
    assert ended.value.exit_code == ExitCode.BUSY
    assert capsys.readouterr() == ("", "pointsman: look at it\npointsman: it is held\n")

"""Where quotes and signals come from, and how fast: what the flags of a run may say together."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from pointsman.cli.feed_options import default_market, read_market, read_signals, read_speed
from pointsman.config.settings import resolve_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("q.csv").touch()
    Path("s.jsonl").touch()
    Path("sub").mkdir()


def test_what_the_flags_say() -> None:
    assert read_market(["sim"]) == ("sim", ())
    assert read_market(["q.csv", "q.csv"]) == ("FILE", (Path("q.csv"), Path("q.csv")))
    assert [read_signals(kind, 1, None) for kind in ("sim", "FILE", "http")] == [
        "demo",
        "none",
        "none",
    ]
    assert read_signals("http", 1, "s.jsonl") == "s.jsonl"
    assert [read_speed(kind, None) for kind in ("sim", "FILE", "http")] == [1, None, 1]
    assert [read_speed("sim", text) for text in ("max", "100")] == [None, 100]


@pytest.mark.parametrize(("venue", "market"), [("paper", "sim"), ("alpaca", "http")])
def test_no_order_goes_to_a_real_venue_on_simulated_quotes_by_default(
    venue: str, market: str
) -> None:
    assert default_market(resolve_settings({"VENUE": venue}, None, {}).settings) == market


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (lambda: read_market(["sim", "q.csv"]), "name it alone, or files only"),
        (lambda: read_market(["none.csv"]), "none.csv: No such file or directory; name a file"),
        (lambda: read_market(["q.csv/x"]), "q.csv/x: Not a directory; name a file"),
        (lambda: read_market(["sub"]), "sub is a folder; name the files in it"),
        (lambda: read_market(["/dev/null"]), "not a regular file; name one, or - for standard"),
        (lambda: read_signals("FILE", 1, "demo"), "name a file, - or none"),
        (lambda: read_signals("FILE", 1, "-"), "here name a file or none"),
        (lambda: read_signals("sim", None, "-"), "cannot be used with --speed max"),
        (lambda: read_signals("sim", 1, "sub"), "sub is a folder"),
        (lambda: read_speed("http", "2"), "quotes on HTTP need speed 1"),
        (lambda: read_speed("sim", "0"), "0: write max, or a whole number from 1 to 100000"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(
    read: Callable[[], object], told: str
) -> None:
    with pytest.raises(typer.BadParameter) as refused:
        read()
    assert told in str(refused.value)

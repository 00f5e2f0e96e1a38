"""Where quotes and signals come from, and how fast: what the flags of a run may say together."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from pointsman.cli.feed_options import read_market, read_signals, read_speed
from pointsman.config.known_venues import KNOWN_VENUES
from pointsman.market.venue_quotes.sources import SOURCES


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("q.csv").touch()
    Path("s.jsonl").touch()
    Path("sub").mkdir()


def test_what_the_flags_say() -> None:
    assert read_market(["sim"], "paper") == ("sim", ())
    assert read_market(["q.csv", "q.csv"], "paper") == ("FILE", (Path("q.csv"), Path("q.csv")))
    assert read_market([], "paper") == ("sim", ())
    assert read_market(["binanceusdm"], "paper") == ("binanceusdm", ())
    assert read_market([], "binanceusdm") == ("binanceusdm", ())
    assert read_market(["venue"], "binanceusdm") == ("binanceusdm", ())
    assert read_market(["-"], "binanceusdm") == ("-", ())
    assert [read_signals(kind, 1, None) for kind in ("sim", "FILE", "http")] == [
        "demo",
        "none",
        "none",
    ]
    assert read_signals("http", 1, "s.jsonl") == "s.jsonl"
    assert [read_speed(kind, None) for kind in ("sim", "FILE", "http")] == [1, None, 1]
    assert [read_speed("sim", text) for text in ("max", "100")] == [None, 100]


def test_the_quotes_of_every_known_venue_can_be_had() -> None:
    assert list(SOURCES) == list(KNOWN_VENUES)


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (lambda: read_market(["sim", "q.csv"], "paper"), "name it alone, or files only"),
        (
            lambda: read_market(["none.csv"], "paper"),
            "name a file that can be read, or one of sim, venue, -, http, binanceusdm",
        ),
        (lambda: read_market(["binance"], "paper"), "bybit, alpaca; did you mean binanceusdm?"),
        (lambda: read_signals("sim", 1, "demos"), "demo, none, -; did you mean demo?"),
        (lambda: read_market(["q.csv/x"], "paper"), "q.csv/x: Not a directory; name a file"),
        (lambda: read_market(["sub"], "paper"), "sub is a folder; name the files in it"),
        (
            lambda: read_market(["/dev/null"], "paper"),
            "not a regular file; name one, or -",
        ),
        (lambda: read_market(["venue"], "paper"), "orders go to paper; name one of binanceusdm"),
        (lambda: read_market(["venue", "q.csv"], "paper"), "name it alone, or files only"),
        (lambda: read_market(["sim"], "bybit"), "sim: orders go to bybit; use venue"),
        (lambda: read_market(["q.csv"], "bybit"), "q.csv: orders go to bybit; use venue"),
        (lambda: read_market(["binanceusdm"], "bybit"), "binanceusdm: orders go to bybit"),
        (lambda: read_speed("binanceusdm", "2"), "quotes on the market of binanceusdm need"),
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

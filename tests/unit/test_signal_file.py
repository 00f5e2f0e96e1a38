"""Signal files: good and bad lines in the order of the file, each with its number."""

import gzip
import json
from pathlib import Path

import pytest

from pointsman.market.lines import UnreadableFile
from pointsman.market.signal_file import BadSignal, SignalFile, SignalLine


def line(**fields: object) -> str:
    whole = {"signal_id": "s", "va_id": "VA001", "symbol": "XXX", "side": "buy", "quantity": "1"}
    return json.dumps(whole | fields)


MIXED = "\n".join(
    [
        line(signal_id="late", ts="2018-01-02T15:00:00Z"),
        "",
        "   ",
        "{broken",
        line(signal_id="early", ts="2018-01-02T14:30:00Z"),
        line(quantity="1e308"),
        line(signal_id="no time"),
    ]
)


@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode())])
def test_a_bad_line_does_not_stop_the_rest_and_order_is_the_file_s(
    tmp_path: Path, pack: object
) -> None:
    assert callable(pack)
    path = tmp_path / "signals"
    path.write_bytes(pack(MIXED))
    lines = list(SignalFile(path).lines())
    good = [(at.line, at.signal.signal_id, at.ts_ns) for at in lines if isinstance(at, SignalLine)]
    bad = [(at.line, at.field) for at in lines if isinstance(at, BadSignal)]
    assert [at.line for at in lines] == [1, 4, 5, 6, 7]
    assert good == [
        (1, "late", 1_514_905_200_000_000_000),
        (5, "early", 1_514_903_400_000_000_000),
        (7, "no time", None),
    ]
    assert bad == [(4, "body"), (6, "quantity")]


def test_a_bad_line_says_what_it_held_and_what_would_do(tmp_path: Path) -> None:
    path = tmp_path / "signals"
    path.write_text(line(quantity="1e308"))
    (bad,) = SignalFile(path).lines()
    assert isinstance(bad, BadSignal)
    assert (bad.line, bad.field, bad.value) == (1, "quantity", "1e308")
    assert "plain decimal" in bad.remedy


def test_a_line_that_cannot_be_read_at_all_is_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "signals"
    path.write_bytes(b"\xff\n" + line().encode() + b"\n" + b" " * 70_000 + b"\n")
    first, second, third = SignalFile(path).lines()
    assert isinstance(first, BadSignal)
    assert isinstance(second, SignalLine)
    assert isinstance(third, BadSignal)
    assert (first.field, third.field) == ("line", "line")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="absent"):
        SignalFile(tmp_path / "absent")


def test_the_digest_is_the_content_s(tmp_path: Path) -> None:
    for name, content in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / name).write_text(content)
    a, b, c = (SignalFile(tmp_path / name).digest() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("name", "count"), [("signals_2018-01-02.jsonl", 613), ("signals_2018-01-02_large.jsonl", 611)]
)
def test_the_recorded_signals_are_all_well_formed(shared_data: Path, name: str, count: int) -> None:
    path = shared_data / "canonical" / name
    lines = list(SignalFile(path).lines())
    raw = [json.loads(text) for text in path.read_text().splitlines()]
    assert [at for at in lines if isinstance(at, BadSignal)] == []
    good = [at.signal for at in lines if isinstance(at, SignalLine)]
    assert len(good) == count
    for signal, fields in zip(good, raw, strict=True):
        assert signal.signal_id == fields["signal_id"]
        assert str(signal.side) == fields["side"]
        assert str(signal.quantity) == str(fields.get("quantity"))
        assert str(signal.price) == str(fields.get("price"))

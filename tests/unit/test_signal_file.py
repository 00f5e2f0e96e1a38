"""Signal files: good and bad lines in the order of time, each with its number."""

import gzip
import json
from pathlib import Path

import pytest

from pointsman.market import signal_file
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
def test_rule_65_a_bad_line_does_not_stop_the_rest_and_order_is_that_of_time(
    tmp_path: Path, pack: object
) -> None:
    assert callable(pack)
    path = tmp_path / "signals"
    path.write_bytes(pack(MIXED))
    file = SignalFile(path)
    assert (file.lines_early, file.first_early) == (1, 5)
    assert "1 signals are earlier than one before them, the first on line 5" in file.told()[0]
    lines = list(file.lines())
    good = [(at.line, at.signal.signal_id, at.ts_ns) for at in lines if isinstance(at, SignalLine)]
    bad = [(at.line, at.field) for at in lines if isinstance(at, BadSignal)]
    assert [at.line for at in lines] == [5, 6, 7, 1, 4]
    assert good == [
        (5, "early", 1_514_903_400_000_000_000),
        (7, "no time", None),
        (1, "late", 1_514_905_200_000_000_000),
    ]
    for taken, line_decided in enumerate(lines, 1):
        assert list(file.lines(after=line_decided.line)) == lines[taken:]
    assert bad == [(6, "quantity"), (4, "body")]


def test_signals_without_a_time_before_any_with_one_are_told_for_recorded_quotes(
    tmp_path: Path,
) -> None:
    path = tmp_path / "signals"
    undated, dated = line(signal_id="a"), line(signal_id="b", ts="2018-01-02T15:00:00Z")
    path.write_text(f"{undated}\n{dated}\n{undated}\n")
    (told,) = SignalFile(path).told_of_recorded()
    assert "1 signal has no ts and is decided before the first quote (NO_QUOTE" in told
    path.write_text(f"{undated}\n{undated}\n")
    assert "2 signals have no ts and are decided" in SignalFile(path).told_of_recorded()[0]
    path.write_text(f"{dated}\n{undated}\n")
    assert SignalFile(path).told_of_recorded() == ()


def test_rule_65_a_file_too_long_to_be_sorted_has_its_early_lines_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal_file, "SORTED_LINES_MAX", 4)
    path = tmp_path / "signals"
    path.write_text(MIXED)
    file = SignalFile(path)
    assert "they are refused" in file.told()[0]
    lines = list(file.lines())
    assert [at.line for at in lines] == [1, 4, 5, 6, 7]
    assert isinstance(lines[2], BadSignal)
    assert (lines[2].field, lines[2].remedy[:17]) == ("ts", "sort the file by ")
    assert [at.line for at in file.lines(after=5)] == [6, 7]


def test_a_file_in_order_says_nothing_and_goes_on_after_the_last_line(tmp_path: Path) -> None:
    path = tmp_path / "signals"
    stamps = ("2018-01-02T14:30:00Z", "2018-01-02T14:30:00Z", "2018-01-02T15:00:00Z")
    path.write_text("\n".join(line(signal_id=f"s{n}", ts=ts) for n, ts in enumerate(stamps)))
    file = SignalFile(path)
    assert (file.told(), file.good_lines) == ((), 3)
    assert [at.line for at in file.lines(after=1)] == [2, 3]


@pytest.mark.parametrize(
    ("text", "how"),
    [
        (json.dumps(json.loads(line()), indent=2), "jq -c .`"),
        (f"\n[{line()},\n{line()}]", "jq -c .[]`"),
    ],
)
def test_one_json_document_over_several_lines_is_refused_with_what_to_do(
    tmp_path: Path, text: str, how: str
) -> None:
    path = tmp_path / "signals"
    path.write_text(text)
    with pytest.raises(UnreadableFile, match="write one object a line") as caught:
        SignalFile(path)
    assert how in str(caught.value)


def test_a_bad_line_says_what_it_held_and_what_would_do(tmp_path: Path) -> None:
    path = tmp_path / "signals"
    path.write_text(line(quantity="1e308"))
    (bad,) = SignalFile(path).lines()
    assert isinstance(bad, BadSignal)
    assert (bad.line, bad.field, bad.value) == (1, "quantity", "1e308")
    assert "plain decimal" in bad.remedy


def test_a_line_that_cannot_be_read_at_all_is_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "signals"
    path.write_bytes(
        b"passphrase hunter2 \xff\n" + line().encode() + b"\nhunter2" + b" " * 70_000 + b"\n"
    )
    first, second, third = SignalFile(path).lines()
    assert isinstance(first, BadSignal)
    assert isinstance(second, SignalLine)
    assert isinstance(third, BadSignal)
    assert (first.field, third.field) == ("line", "line")
    assert "hunter2" not in first.value + third.value, "it may be a secret"


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

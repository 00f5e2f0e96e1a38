"""The instruments file: exact numbers, defaults for what is missing, every mistake named."""

import csv
import gzip
import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.config.instruments import at_venue, load_instruments
from pointsman.config.problems import SettingsError
from pointsman.domain.market import Instrument
from pointsman.domain.policy import default_instrument


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A short path: a message cuts a long one."""
    monkeypatch.chdir(tmp_path)
    return Path("instruments.json")


def problems(path: Path, text: str) -> list[tuple[str, str, str]]:
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_instruments(path)
    assert str(path) in str(caught.value)
    return [(problem.variable, problem.value, problem.remedy) for problem in caught.value.problems]


def test_numbers_are_read_exactly_quoted_or_not(path: Path) -> None:
    path.write_text(
        """{"BTC/USDT": {"tick": 0.10, "lot": "0.00001", "min_qty": 0.0001, "min_notional": 5,
        "currency": "USDT", "fee_bps": 7.5}}"""
    )
    assert load_instruments(path) == {
        "BTC/USDT": Instrument(
            "BTC/USDT",
            tick=Decimal("0.10"),
            lot=Decimal("0.00001"),
            min_qty=Decimal("0.0001"),
            min_notional=Decimal(5),
            currency="USDT",
            fee_bps=Decimal("7.5"),
        )
    }
    assert str(load_instruments(path)["BTC/USDT"].tick) == "0.10"


@pytest.mark.parametrize("symbol", ["AAPL", "ETH/EUR", "BTC/USDT:USDT"])
def test_what_is_missing_is_the_default_of_the_symbol(path: Path, symbol: str) -> None:
    path.write_text(json.dumps({symbol: {}}))
    assert load_instruments(path) == {symbol: default_instrument(symbol)}


def test_the_least_quantity_is_one_lot_of_the_lot_that_is_given(path: Path) -> None:
    path.write_text('{"AAPL": {"lot": "0.001"}, "MSFT": {"lot": "0.001", "min_qty": "2"}}')
    read = load_instruments(path)
    assert read["AAPL"].min_qty == Decimal("0.001")
    assert read["MSFT"].min_qty == Decimal(2)


def test_rule_59_a_tick_or_lot_that_is_missing_is_derived(path: Path) -> None:
    path.write_text('{"AAPL": {"lot": "0.001"}, "MSFT": {"tick": "0.05"}, "TSLA": {}}')
    read = load_instruments(path)
    derived = {symbol: (one.is_tick_derived, one.is_lot_derived) for symbol, one in read.items()}
    assert derived == {"AAPL": (True, False), "MSFT": (False, True), "TSLA": (True, True)}


def test_rule_59_a_number_with_an_exponent_has_one_meaning(path: Path) -> None:
    text = json.dumps({"SHIB/USDT": {"tick": 1e-08, "lot": 1.0, "min_notional": "5E+0"}})
    path.write_text(text)
    assert "1e-08" in text
    read = load_instruments(path)["SHIB/USDT"]
    assert (read.tick, read.lot, read.min_notional) == (Decimal("0.00000001"), 1, 5)


def test_rule_59_spellings_of_a_symbol_mean_the_same_as_in_signals(path: Path) -> None:
    path.write_text('{"btc/usdt": {}, "BINANCE:ETHUSDT": {}, " aapl ": {}, "\u5e01USDT": {}}')
    assert sorted(load_instruments(path)) == ["AAPL", "BTC/USDT", "ETHUSDT", "\u5e01USDT"]
    path.write_text('{"btc/usdt": {"tick": 1}, "BTC/USDT": {}}')
    with pytest.raises(SettingsError, match="BTC/USDT appears twice, in two spellings"):
        load_instruments(path)


def test_every_mistake_is_named_at_once(path: Path) -> None:
    text = """{"AAPL": {"tick": 0, "lot": -1, "tik": 1, "currency": "dollars"},
     "MSFT": {"fee_bps": 1e4, "min_qty": NaN, "min_notional": true, "tick": null},
     "a b": {}, "TSLA": [1]}"""
    found = problems(path, text)
    assert [(variable, value) for variable, value, _ in found] == [
        ("AAPL.tick", "0"),
        ("AAPL.lot", "-1"),
        ("AAPL.tik", "1"),
        ("AAPL.currency", "dollars"),
        ("MSFT.fee_bps", "1e4"),
        ("MSFT.min_qty", "NaN"),
        ("MSFT.min_notional", "true"),
        ("MSFT.tick", "null"),
        ("symbol", "a b"),
        ("TSLA", '["1"]'),
    ]
    remedies = {variable: remedy for variable, _, remedy in found}
    assert remedies["AAPL.tick"] == "use a number above 0"
    assert "did you mean tick?" in remedies["AAPL.tik"]
    assert "min_notional" in remedies["AAPL.tik"]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "line 1, column 1 is not JSON"),
        ('{"AAPL": {"tick": 0.01}\n,}', "line 2, column 2 is not JSON"),
        ('{"AAPL": {}, "AAPL": {"tick": 1}}', "'AAPL' appears twice"),
        ('{"AAPL": {"tick": 1, "tick": 2}}', "'tick' appears twice"),
        ("[]", "write one JSON object"),
        ("[" * 100_000, "write one JSON object"),
    ],
)
def test_a_file_that_is_no_object_is_refused(path: Path, text: str, remedy: str) -> None:
    assert [remedy in found[2] for found in problems(path, text)] == [True]


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file or directory"):
        load_instruments(tmp_path / "none.json")
    with pytest.raises(SettingsError, match="Is a directory"):
        load_instruments(tmp_path)
    (tmp_path / "latin").write_bytes(b'{"\xe9": {}}')
    with pytest.raises(SettingsError, match="save the file as UTF-8"):
        load_instruments(tmp_path / "latin")


VENUE = Instrument(
    "AAPL",
    tick=Decimal("0.01"),
    lot=Decimal("0.01"),
    min_qty=Decimal("0.05"),
    min_notional=Decimal(5),
    currency="USD",
    fee_bps=Decimal(2),
    max_market_quantity=Decimal(100),
)


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({}, {}),
        ({"tick": "0.05", "lot": "0.5"}, {"tick": "0.05", "lot": "0.5", "min_qty": "0.5"}),
        ({"min_qty": "3", "min_notional": "1"}, {"min_qty": "3"}),
        ({"min_qty": "0.01", "min_notional": "50"}, {"min_notional": "50"}),
        ({"fee_bps": "0"}, {"fee_bps": "0"}),
        ({"max_market_qty": "40"}, {"max_market_quantity": "40"}),
        ({"max_market_qty": "400"}, {}),
    ],
)
def test_rule_48_the_file_makes_what_the_venue_says_stricter_and_never_looser(
    path: Path, fields: dict[str, str], changes: dict[str, str]
) -> None:
    path.write_text(json.dumps({"AAPL": fields}))
    wanted = {name: Decimal(value) for name, value in changes.items()}
    other = msgspec.structs.replace(VENUE, symbol="MSFT")
    both = at_venue({"AAPL": VENUE, "MSFT": other}, load_instruments(path))
    assert both == {"AAPL": msgspec.structs.replace(VENUE, **wanted), "MSFT": other}


def test_rule_48_a_tick_or_lot_that_is_no_multiple_of_the_venues_is_named(path: Path) -> None:
    path.write_text('{"AAPL": {"tick": "0.015", "lot": "0.001"}}')
    with pytest.raises(SettingsError) as caught:
        at_venue({"AAPL": VENUE}, load_instruments(path))
    found = [(one.variable, one.value, one.remedy) for one in caught.value.problems]
    multiple = "write a multiple of it, or leave it out"
    assert sorted(found) == [
        ("AAPL.lot", "0.001", f"the venue's lot is 0.01; {multiple}"),
        ("AAPL.tick", "0.015", f"the venue's tick is 0.01; {multiple}"),
    ]


def test_where_the_venue_says_nothing_the_file_is_all_there_is(path: Path) -> None:
    path.write_text('{"AAPL": {"tick": "0.05"}}')
    assert at_venue({}, load_instruments(path)) == load_instruments(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("tick", "lot", "min_qty", "min_notional", "currency", "fee_bps", "max_market_qty")


@given(st.dictionaries(st.text(), st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON))
def test_any_json_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, document: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(document))
    with suppress(SettingsError):
        read = load_instruments(path)
        assert all(one.tick > 0 and one.lot > 0 and one.min_qty >= 0 for one in read.values())


def test_the_sizes_of_real_instruments_are_read(shared_data: Path, path: Path) -> None:
    packed = (shared_data / "reference" / "symbol-properties-database.csv.gz").read_bytes()
    rows = [
        row
        for row in csv.DictReader(gzip.decompress(packed).decode("utf-8-sig").splitlines())
        if row["type"] == "crypto" and row["market"] == "binance"
    ]
    assert len(rows) > 100
    path.write_text(
        json.dumps(
            {
                row["market_ticker"]: {
                    "tick": row["minimum_price_variation"],
                    "lot": row["lot_size"],
                    "currency": row["quote_currency"],
                }
                for row in rows
            }
        )
    )
    read = load_instruments(path)
    assert len(read) == len({row["market_ticker"] for row in rows})
    for row in rows:
        assert read[row["market_ticker"]].tick == Decimal(row["minimum_price_variation"])

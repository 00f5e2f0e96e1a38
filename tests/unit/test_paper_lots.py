"""The paper venue fills whole lots only, whatever size is displayed (RULES 61)."""

from pathlib import Path

from pointsman.domain.market import Quote
from tests.conformance.bench import (
    LONG,
    Bench,
    entry,
    market_exit,
    open_paper,
    row,
    words,
)


def test_rule_61_displayed_sizes_are_taken_in_whole_lots_and_what_is_less_is_not(
    tmp_path: Path,
) -> None:
    venue, btc = open_paper(tmp_path / "paper.db"), "BTC/USDT"
    bench = Bench(venue)

    def shown(ts_ns: int, size: str) -> Quote:
        return row(ts_ns, "10000.0", "10000.1", bid_size=size, ask_size=size, symbol=btc)

    bench.quote(shown(100, "0.14036879"))
    told = bench.submit(entry("E1", LONG, "0.3", "10100", symbol=btc))
    assert words(told) == ["ACCEPTED", "TRADE 0.140", "CANCELED NOT_FILLED"]
    bench.quote(shown(200, "0.00036879"))
    assert words(bench.submit(market_exit("X1", LONG, "0.14", symbol=btc))) == ["ACCEPTED"]
    assert words(bench.quote(shown(300, "0.05099999"))) == ["TRADE 0.050"]
    assert words(bench.quote(shown(400, "7"))) == ["TRADE 0.090"]
    venue.close()

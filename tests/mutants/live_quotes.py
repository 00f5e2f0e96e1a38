"""The mutants of live quotes: what is believed of a quote that nobody has changed."""

from tests.mutants.mutant import Mutant

CONNECTION, FEED = "market/venue_connection.py", "market/venue_feed.py"
BYBIT, ALPACA = "market/venue_quotes/bybit.py", "market/venue_quotes/alpaca.py"
RECORDER = "market/quote_recorder.py"
ON_A_SOCKET = "tests/integration/test_venue_connection.py"
WHY = "the simulator has no venue that sends only changes"

LIVE_QUOTES = (
    Mutant(
        "I14", "a heartbeat counts from when it was answered", CONNECTION,
        "stamp_ns + sent_ns - received_ns)", "time.time_ns())",
        ON_A_SOCKET, WHY,
    ),
    Mutant(
        "I14", "a heartbeat confirms on a connection that has fallen silent", CONNECTION,
        "if self._current and not is_silent:", "if self._current:",
        ON_A_SOCKET, WHY,
    ),
    Mutant(
        "I14", "a quote that was refused stays confirmed", CONNECTION,
        "            self._current.pop(quote.symbol, None)\n", "            pass\n",
        "tests/integration/test_venue_feed.py", WHY,
    ),
    Mutant(
        "I14", "a heartbeat makes no quote fresh", "domain/market.py",
        "return max(self.ts_ns, self.confirmed_ns)", "return self.ts_ns",
        "tests/unit/test_market_view.py", WHY,
    ),
    Mutant(
        "I14", "a message of a book is missed", BYBIT,
        "elif data.u != book.number + 1:", "elif False:",
        "tests/unit/test_venue_quotes_bybit.py", WHY,
    ),
    Mutant(
        "I14", "a share that is halted is traded on", ALPACA,
        "return _without_market(quote) if message.S in self._halted else quote", "return quote",
        "tests/unit/test_venue_quotes_alpaca.py", WHY,
    ),
    Mutant(
        "I14", "an engine that is behind is woken for every quote", FEED,
        "if not self._is_woken:", "if True:",
        "tests/integration/test_venue_feed.py", WHY,
    ),
    Mutant(
        "I14", "a torn end is written over", RECORDER,
        "os.ftruncate(self._fd, self._size)\n        except BaseException:",
        "self._size = os.fstat(self._fd).st_size\n        except BaseException:",
        "tests/unit/test_quote_recorder.py", WHY,
    ),
)  # fmt: skip

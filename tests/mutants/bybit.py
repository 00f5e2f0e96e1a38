"""The mutants of the Bybit adapter. The simulator does not trade there, so each names a test."""

from tests.mutants.mutant import Mutant

ADAPTER, CODES = "venues/bybit/adapter.py", "venues/bybit/codes.py"
LISTS, REQUESTS = "venues/bybit/lists.py", "venues/bybit/requests.py"
ROWS, STREAM = "venues/bybit/rows.py", "venues/bybit/stream.py"

WIRE = "tests/unit/test_bybit_requests.py"
VENUE = "tests/integration/test_bybit_adapter.py"
FAULTS = "tests/integration/test_bybit_faults.py"
BECAUSE = "the simulator does not trade at Bybit"

BYBIT = (
    Mutant(
        "I8", "a stop at Bybit waits for the wrong direction", REQUESTS,
        "1 if order.side is Side.BUY else 2", "2 if order.side is Side.BUY else 1",
        WIRE, BECAUSE,
    ),
    Mutant(
        "I9", "an exit at Bybit may open the other side", REQUESTS,
        '"reduceOnly": order.reduce_only', '"reduceOnly": False',
        WIRE, BECAUSE,
    ),
    Mutant(
        "I2", "a duplicate id at Bybit counts as a refusal", CODES,
        'Row(outcome=Proof.DUPLICATE, code="110072"',
        'Row(outcome=Proof.REFUSED, code="110072"',
        "tests/unit/test_bybit_codes.py", BECAUSE,
    ),
    Mutant(
        "I17", "an order that Bybit lists counts as absent", ADAPTER,
        "return not executed and query.client_order_id not in ids", "return not executed",
        f"{FAULTS}::test_an_order_that_any_list_shows_is_never_called_absent", BECAUSE,
    ),
    Mutant(
        "I17", "an order that has ended at Bybit counts as absent", ADAPTER,
        "            requests.ended_order_call(order_id, symbol),\n", "",
        f"{VENUE}::test_an_order_that_has_ended_is_found_after_the_venue_has_started_again",
        BECAUSE,
    ),
    Mutant(
        "I6", "funding at Bybit counts as a trade", ROWS,
        'return row.get("execType") == FUNDING', "return False",
        "tests/unit/test_bybit_rows.py", BECAUSE,
    ),
    Mutant(
        "I20", "an execution that Bybit lists late is lost", LISTS,
        "LAG_MS = 60_000", "LAG_MS = 0",
        "tests/unit/test_bybit_lists.py", BECAUSE,
    ),
    Mutant(
        "I7", "a fill that the stream of Bybit loses waits for the comparison", STREAM,
        "return min(self._due.values(), default=None)", "return None",
        "tests/unit/test_bybit_stream.py", BECAUSE,
    ),
    Mutant(
        "I17", "what Bybit does not list as held counts as flat", ADAPTER,
        "if unsaid := wanted - held.keys():", "if unsaid := wanted - wanted:",
        f"{FAULTS}::test_a_holding_is_never_gone_because_a_list_does_not_show_it", BECAUSE,
    ),
)  # fmt: skip

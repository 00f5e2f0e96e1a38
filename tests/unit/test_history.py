"""Equity over HTTP."""

import json
from contextlib import closing
from pathlib import Path

from pointsman.reading.equity import Span, equity_document, read_equity
from pointsman.storage.reader import open_reader
from tests.http_stories import READ, TOKENS, Served


def test_equity_over_http_is_that_of_the_database_and_a_bad_time_is_named(tmp_path: Path) -> None:
    with Served(tmp_path, TOKENS) as served:
        client = served.client(READ)
        with closing(open_reader(served.database)) as connection:
            expected = [equity_document(each) for each in read_equity(connection, Span("VA001"))]
        got = client.get("/equity", params={"va": "VA001"})
        assert got.json() == json.loads(json.dumps(expected))
        refused = client.get("/equity", params={"from": "yesterday"})
        assert (refused.status_code, refused.json()["field"]) == (422, "from")

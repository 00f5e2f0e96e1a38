"""The link over HTTP: where it goes, what it carries, and what it says when it comes back empty."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr
from rich.text import Text

from pointsman.config.settings import resolve_settings
from pointsman.dashboard import http_link
from pointsman.dashboard.curves import TOTAL
from pointsman.dashboard.http_link import BadUrl, Remote, TokenRefused, link_over_http
from pointsman.dashboard.links import Link, Unreachable
from pointsman.engine.requests import Kill, Pause, Resume
from tests.dashboard_pictures import NOW_NS, WORKING, order, picture, trade
from tests.story_database import lived_day

TOKEN = "secret-0123456789abcdef"


class Handler(BaseHTTPRequestHandler):
    """Answers as the test says, and notes what was asked."""

    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}
    asked: ClassVar[list[tuple[str, str, str | None, Any]]] = []

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = json.loads(body) if body else None
        self.asked.append((self.command, self.path, self.headers.get("Authorization"), said))
        status, content = self.answers.get(self.path, (404, b'{"detail": "no such route"}'))
        self.send_response(status)
        if status == 307:
            self.send_header("Location", "http://elsewhere.invalid/")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_given: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    Handler.answers, Handler.asked = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def link(url: str, path: Path, token: str | None = TOKEN) -> Link:
    settings = resolve_settings({"DATABASE_PATH": str(path)}, None, {}).settings
    return link_over_http(Remote(url, None if token is None else SecretStr(token)), settings)


def answer(path: str, status: int, document: object) -> None:
    Handler.answers[f"/api/v1{path}"] = (status, json.dumps(document).encode())


def test_pictures_are_polled_with_the_token(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_link, "PICTURE_SECONDS", 0)
    answer("/status", 200, picture(market="one"))
    pictures = link(url, tmp_path).watch()
    assert next(pictures)["market"] == "one"
    answer("/status", 200, picture(market="two"))
    assert next(pictures)["market"] == "two"
    assert Handler.asked == [("GET", "/api/v1/status", f"Bearer {TOKEN}", None)] * 2


def test_a_prefix_of_the_url_is_kept_and_no_token_sends_none(url: str, tmp_path: Path) -> None:
    Handler.answers["/desk/api/v1/status"] = (200, json.dumps(picture()).encode())
    assert next(link(f"{url}/desk/", tmp_path, None).watch())["accounts"]
    assert Handler.asked[0][2] is None


def test_commands_are_posted_without_what_the_token_says(url: str, tmp_path: Path) -> None:
    answer("/pause", 200, {"durable": True, "trading_state": "REDUCING"})
    request = Pause(va=None, reason="lunch", by="ann, dashboard")
    assert link(url, tmp_path).ask(request)["ok"]
    assert Handler.asked[0][3] == {"va": None, "reason": "lunch"}


def test_a_refusal_is_told_in_the_words_of_the_engine(url: str, tmp_path: Path) -> None:
    answer("/resume", 403, {"detail": "this needs CONTROL_TOKEN"})
    answer("/kill", 401, {"detail": "no"})
    there = link(url, tmp_path)
    assert there.ask(Resume(va=None, reason="back", by="ann")) == {
        "ok": False,
        "error": "this needs CONTROL_TOKEN",
    }
    assert "set CONTROL_TOKEN or READ_TOKEN" in there.ask(Kill())["error"]


def test_a_token_that_is_refused_says_which_setting_it_is(url: str, tmp_path: Path) -> None:
    answer("/status", 401, {})
    with pytest.raises(TokenRefused, match="set CONTROL_TOKEN or READ_TOKEN"):
        next(link(url, tmp_path).watch())


@pytest.mark.parametrize(
    ("status", "content"),
    [(200, b"<html>"), (200, b"[]"), (200, b"{}"), (404, b"<html>"), (307, b""), (502, b"{}")],
)
def test_what_is_no_engine_is_not_taken_for_one(
    url: str, tmp_path: Path, status: int, content: bytes
) -> None:
    Handler.answers["/api/v1/status"] = (status, content)
    with pytest.raises(Unreachable):
        next(link(url, tmp_path).watch())
    assert len(Handler.asked) == 1, "no redirect is followed"


def test_a_story_is_text_and_one_that_is_not_known_is_none(url: str, tmp_path: Path) -> None:
    Handler.answers["/api/v1/signals/a%2Fb%20c"] = (200, "Once upon a sprëad".encode())
    there = link(url, tmp_path)
    assert there.story("a/b c") == Text("Once upon a sprëad")
    assert there.story("d") is None


def test_without_the_engine_the_local_database_is_read(tmp_path: Path) -> None:
    there = link("http://127.0.0.1:1", lived_day().store(tmp_path / "t.db"))
    with pytest.raises(Unreachable, match=r"no engine at 127\.0\.0\.1:1"):
        next(there.watch())
    with pytest.raises(Unreachable, match="no engine at"):
        there.ask(Kill())
    assert there.last()["source"] == "database"
    assert there.story("loser") is not None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("127.0.0.1:8080", "http://HOST:8080"),
        ("ftp://desk", "http://HOST:8080"),
        ("http://", "http://HOST:8080"),
        ("http://desk:99999", "http://HOST:8080"),
        (f"http://{TOKEN}@desk", "READ_TOKEN"),
        (f"http://desk/?token={TOKEN}", "READ_TOKEN"),
    ],
)
def test_a_bad_url_says_what_would_do_and_no_secret(url: str, says: str) -> None:
    with pytest.raises(BadUrl, match=says) as bad:
        Remote(url, None)
    assert TOKEN not in str(bad.value)


def test_orders_trades_and_refusals_are_read_like_those_of_a_database(
    url: str, tmp_path: Path
) -> None:
    answer("/orders?open=true&limit=500", 200, WORKING)
    answer("/orders?limit=100", 200, [order("AAAAAA11E1"), WORKING[0]])
    answer("/trades?limit=100", 200, [trade("9.0")])
    signals = [
        {"outcome": "refused", "reason": "SPREAD", "decided_at": "2018-01-02T14:31:04Z"},
        {"outcome": "accepted", "reason": None, "decided_at": "2018-01-02T14:31:04Z"},
        {"outcome": "refused", "reason": "SPREAD", "decided_at": "2018-01-01T14:31:04Z"},
        {"signal_id": "undecided"},
    ]
    answer("/signals?limit=200", 200, signals)
    found = link(url, tmp_path).lists(NOW_NS)
    assert [row["client_order_id"] for row in found.orders] == [
        "AAAAAA15E1",
        "AAAAAA11S1",
        "AAAAAA11E1",
    ]
    assert [row["trade_id"] for row in found.trades] == ["9.0"]
    assert (found.refusals, found.counted) == ({"SPREAD": 1}, None)


def test_equity_is_read_of_all_and_of_each_account(url: str, tmp_path: Path) -> None:
    since = "/equity?from=2018-01-01T14:31:05.000000Z&limit=480"
    points = [{"at": "2018-01-02T14:00:00Z", "equity": "100.5", "va_id": None, "drawdown": None}]
    answer(since, 200, points)
    answer(f"{since}&va=V%261", 200, [])
    found = link(url, tmp_path).equity(NOW_NS, ["V&1"])
    assert [point.value for point in found[TOTAL]] == [Decimal("100.5")]
    assert found["V&1"] == ()


def test_an_engine_without_these_lists_is_unreachable_for_them(url: str, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="no such route"):
        link(url, tmp_path).lists(NOW_NS)

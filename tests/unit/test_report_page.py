"""The report as one file: nothing in it asks for anything else, and what comes from outside is
text."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from pointsman.looking_back.report_page import report_data, report_page
from tests.looked_back import Session, session

EVIL = "</script><script>alert(1)</script><!--"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return session(tmp_path_factory.mktemp("page"), seconds=400)


class Read(HTMLParser):
    """What a browser finds in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def data_in(page: str) -> Any:
    found = re.search(r'<script id="data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_it_holds_all_that_it_shows_and_names_no_other_place(told: Session) -> None:
    data = report_data(told.database, told.settings)
    page = report_page(data)
    assert data_in(page) == json.loads(json.dumps(data))
    assert list(data["equity"]) == ["VA001", "VA002", "VA003", ""]
    assert all(len(points) > 2 for points in data["equity"].values())
    assert data["by_rule"]
    read = Read(page)
    assert not [attrs for _, attrs in read.tags if {"src", "href"} & attrs.keys()]
    assert "url(" not in page.partition("</style>")[0]
    (policy,) = [
        attrs["content"]
        for tag, attrs in read.tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


def test_text_from_outside_ends_no_script(told: Session) -> None:
    data = report_data(told.database, told.settings)
    data["report"]["trades"][0]["signal_id"] = data["title"] = EVIL
    page = report_page(data)
    assert data_in(page)["title"] == EVIL
    assert [tag for tag, _ in Read(page).tags].count("script") == 2


def test_a_database_in_which_nothing_happened_yet_has_a_report_too(tmp_path: Path) -> None:
    from pointsman.config.settings import load_settings
    from pointsman.storage.sqlite_manager import SqliteManager

    manager = SqliteManager(tmp_path / "new.db")
    manager.open()
    manager.close()
    data = report_data(tmp_path / "new.db", load_settings())
    assert (data["from"], data["limits"]) == (None, {})
    assert "nothing has happened yet" in report_page(data)

"""The page and its files, as they are served: open, whole, small, and with a strict policy."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.api import page
from tests.http_stories import READ, TOKENS, Served

WEB = Path(page.__file__).parent / "web"
KB = 1024


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("page"), TOKENS) as each:
        yield each


def test_the_page_needs_no_token_and_what_it_shows_does(served: Served) -> None:
    anyone = served.client()
    assert anyone.get("//").status_code == 200
    assert anyone.get("/status").status_code == 401
    assert served.client(READ).get("/status").status_code == 200


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("main.js", "text/javascript; charset=utf-8"),
        ("uPlot.iife.min.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("words.json", "application/json"),
        ("uPlot.LICENSE.txt", "text/plain; charset=utf-8"),
    ],
)
def test_each_file_says_what_it_is(served: Served, name: str, media_type: str) -> None:
    answer = served.client().get(f"//assets/{name}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.headers["etag"]


def test_no_script_of_another_host_and_none_in_the_page_may_run(served: Served) -> None:
    policy = served.client().get("//").headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"


def test_the_page_holds_no_script_no_style_and_no_foreign_address() -> None:
    text = (WEB / "index.html").read_text("utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text)
    for file in WEB.iterdir():
        if file.suffix in (".js", ".css", ".html") and not file.name.startswith("uPlot"):
            said = file.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search(r"https?://|[\"'(]//", said), file
            assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", said)


def test_every_file_that_a_module_names_is_there() -> None:
    names = {file.name for file in WEB.iterdir()}
    for file in WEB.glob("*.js"):
        if file.name.startswith("uPlot"):
            continue
        for name in re.findall(r'from "\./([^"]+)"', file.read_text("utf-8")):
            assert name in names, (file.name, name)
    told = (WEB / "index.html").read_text("utf-8")
    assert set(re.findall(r'"assets/([^"]+)"', told)) <= names


@pytest.mark.parametrize(
    "path",
    [
        "//assets/nothing.js",
        "//assets/index.html",
        "//assets/..%2Fpage.py",
        "//assets/%2e%2e/page.py",
        "//assets/",
    ],
)
def test_no_other_file_is_served(served: Served, path: str) -> None:
    assert served.client().get(path).status_code == 404


def test_all_of_it_is_less_than_100_kilobytes_over_the_wire(served: Served) -> None:
    client = served.client()
    total = 0
    for path in ("//", *(f"//assets/{file.name}" for file in WEB.iterdir())):
        if not path.endswith("index.html"):
            answer = client.get(path, headers={"Accept-Encoding": "gzip"})
            assert answer.headers["content-encoding"] == "gzip"
            total += int(answer.headers["content-length"])
    assert total < 100 * KB


def test_a_file_that_the_browser_has_is_not_sent_again(served: Served) -> None:
    client = served.client()
    first = client.get("//assets/page.css")
    known = {"If-None-Match": f'W/"x", {first.headers["etag"]}'}
    again = client.get("//assets/page.css", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("//assets/page.css", headers={"If-None-Match": '"old"'}).status_code == 200


def test_zipped_and_plain_are_the_same(served: Served) -> None:
    client = served.client()
    for encoding in ("gzip", "identity"):
        answer = client.get("//assets/words.js", headers={"Accept-Encoding": encoding})
        assert answer.content == (WEB / "words.js").read_bytes()

"""`/docs`: every route, in groups, from the package alone."""

from collections.abc import Iterator

import pytest

from pointsman.api.reference_page import reference
from tests.http_stories import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("reference")) as each:
        yield each


def test_every_route_of_the_description_is_on_it(served: Served) -> None:
    page = served.client().get("//docs").text
    for path, methods in served.app.openapi()["paths"].items():
        for method in methods:
            assert f'<article id="{method}-{path.strip("/")}">' in page, path


def test_it_needs_no_script_and_no_other_host(served: Served) -> None:
    answer = served.client().get("//docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert 'src="http' not in answer.text
    assert 'href="http' not in answer.text


def test_routes_stand_in_groups_with_names_that_say_what_they_are_for(served: Served) -> None:
    page = served.client().get("//docs").text
    for name in ("What is, and what was", "What a person may do", "Is it well"):
        assert f"<h2>{name}</h2>" in page


def test_what_the_description_holds_is_text() -> None:
    evil = "<script>alert(1)</script>"
    operation = {
        "description": evil,
        "tags": [evil],
        "parameters": [{"name": evil, "in": "query", "description": evil, "schema": {}}],
        "responses": {"200": {"description": evil}},
    }
    described = {"info": {"title": evil}, "paths": {f"/{evil}": {"get": operation}}}
    assert "<script" not in reference(described)

"""Bodies: what they are said to be."""

import pytest
from fastapi import Request

from pointsman.api.problems import JSON, HttpProblem, media_type, require_media_type


def request(content_type: str | None) -> Request:
    headers = [] if content_type is None else [(b"content-type", content_type.encode())]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("application/json", JSON),
        ("Application/JSON ; charset=utf-8", JSON),
        ("", ""),
        (None, ""),
        ("text/plain;x", "text/plain"),
    ],
)
def test_a_media_type_is_read_without_its_parameters(said: str | None, found: str) -> None:
    assert media_type(request(said)) == found


@pytest.mark.parametrize("said", [None, "", "text/html", "x" * 500])
def test_any_other_is_refused_with_what_would_do(said: str | None) -> None:
    with pytest.raises(HttpProblem, match="; send JSON") as refused:
        require_media_type(request(said), (JSON,), "send JSON")
    assert refused.value.status == 415
    assert len(refused.value.detail) < 120

"""Tokens: who is who, in constant time (RULES 36)."""

import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers

from pointsman.api.access import ANYONE, Access, Scope, bearer_token
from pointsman.api.problems import Problem

ACCESS = Access({Scope.READ: SecretStr("r"), Scope.CONTROL: SecretStr("c")})


def bearing(token: str) -> Headers:
    return Headers({"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer abc", "abc"),
        ("Bearer  abc ", "abc"),
        ("Bearer", ""),
        ("Basic abc", None),
        ("abc", None),
        ("", None),
    ],
)
def test_a_token_stands_behind_the_word_bearer(header: str, token: str | None) -> None:
    assert bearer_token(Headers({"Authorization": header})) == token


def test_control_includes_the_other_scopes_and_the_record_names_the_scope_alone() -> None:
    caller = ACCESS.caller(bearing("c"), "192.0.2.7")
    assert caller == ("http control token from 192.0.2.7", ANYONE)
    assert ACCESS.caller(bearing("r"), "::1").scopes == {Scope.READ}


@pytest.mark.parametrize("token", ["", "x", "rr", "R", "é"])
def test_a_wrong_token_is_nobody_s_also_on_this_machine(token: str) -> None:
    with pytest.raises(Problem) as refused:
        ACCESS.caller(bearing(token), "127.0.0.1")
    assert refused.value.status == 401
    assert (refused.value.headers or {})["WWW-Authenticate"] == "Bearer"
    assert token == "" or token not in refused.value.detail.split()

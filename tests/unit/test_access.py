"""Tokens and addresses: who is who, and what that grants (RULES 36, 57)."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import Request

from pointsman.api.access import (
    ANYONE,
    CALLER,
    Access,
    Caller,
    Needs,
    Scope,
    access_of,
    bearer_token,
)
from pointsman.api.problems import HttpProblem
from pointsman.config.settings import resolve_settings

READ, CONTROL, HOOK = "read-0123456789abcdef", "control-0123456789", "hook/0123456789abcdef"
ACCESS = Access({Scope.READ: SecretStr(READ), Scope.CONTROL: SecretStr(CONTROL)}, SecretStr(HOOK))
LOCAL = {"Host": "127.0.0.1:8080"}


def asking(
    headers: Mapping[str, str], address: str = "127.0.0.1", version: str = "1.1"
) -> dict[str, Any]:
    """A request, as the server hands it over."""
    raw = Headers(headers).raw
    return {"headers": raw, "client": (address, 50_000), "http_version": version}


def bearing(token: str, address: str = "127.0.0.1") -> dict[str, Any]:
    return asking({**LOCAL, "Authorization": f"Bearer {token}"}, address)


def is_served(access: Access, scope: dict[str, Any]) -> bool:
    with suppress(HttpProblem):
        return bool(access.caller(scope).scopes)
    return False


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
    caller = ACCESS.caller(bearing(CONTROL, "192.0.2.7"))
    assert caller == ("http control token from 192.0.2.7", ANYONE, "control token")
    assert ACCESS.caller(bearing(READ, "::1")).scopes == {Scope.READ}


@pytest.mark.parametrize("token", ["", "x", READ[:-1], f"{READ}x", READ.upper(), "é", HOOK])
def test_a_wrong_token_is_nobody_s_also_on_this_machine(token: str) -> None:
    with pytest.raises(HttpProblem) as refused:
        ACCESS.caller(bearing(token))
    assert refused.value.status == 401
    assert (refused.value.headers or {})["WWW-Authenticate"] == "Bearer"
    assert token == "" or token not in refused.value.detail.split()


def test_rule_57_this_machine_needs_no_token_unless_a_sign_speaks_against_it() -> None:
    open_here = Access({})
    caller = open_here.caller(asking(LOCAL))
    assert caller == ("http from 127.0.0.1", ANYONE, "this machine")
    for host in ("localhost:8080", "[::1]:8080", "127.9.9.9", "LOCALHOST"):
        assert is_served(open_here, asking({"Host": host}))
    assert not is_served(open_here, asking(LOCAL, "192.0.2.7"))
    assert not is_served(open_here, asking(LOCAL, version="1.0"))
    assert not is_served(open_here, asking({"Host": "192.0.2.1:8080"}))
    assert not is_served(open_here, asking({**LOCAL, "Via": "1.1 proxy"}))


def test_rule_57_the_refusal_says_which_sign_spoke_against_this_machine() -> None:
    with pytest.raises(HttpProblem, match=r"HTTP/1\.0") as refused:
        Access({}).caller(asking(LOCAL, version="1.0"))
    assert "set tokens" in refused.value.detail


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("WEBHOOK_TOKEN", HOOK),
        ("WEBHOOK_SECRET", "secret-0123456789"),
        ("HTTP_ALLOWED_HOSTS", "desk.example"),
        ("HTTP_ALLOWED_HOSTS", "localhost"),
        ("READ_TOKEN", READ),
    ],
)
def test_rule_57_no_address_grants_anything_once_a_setting_says_that_callers_are_remote(
    name: str, text: str
) -> None:
    access = access_of(resolve_settings({name: text}, None, {}).settings)
    assert not is_served(access, asking(LOCAL))


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        (HOOK, True),
        (f"{HOOK}/", True),
        (f"{HOOK}//", False),
        (HOOK[:-1], False),
        (f"{HOOK}x", False),
        ("", False),
        ("/", False),
        (READ, False),
        ("é", False),
    ],
)
def test_the_token_of_the_webhook_is_that_and_nothing_else(text: str, is_it: bool) -> None:
    assert ACCESS.is_webhook_token(text) is is_it
    assert not Access({}).is_webhook_token(text)


def admitted(*scopes: Scope) -> Request:
    """A request whose caller admission has identified."""
    return Request({"type": "http", CALLER: Caller("somebody", frozenset(scopes), "a token")})


async def test_a_route_gives_its_endpoint_the_caller_whom_admission_identified() -> None:
    assert (await Needs(Scope.READ)(admitted(Scope.READ))).by == "somebody"
    assert (await Needs(*ANYONE)(admitted(Scope.SIGNAL))).by == "somebody"


async def test_a_caller_without_the_right_of_the_route_is_told_which_token_it_needs() -> None:
    with pytest.raises(HttpProblem, match="this needs READ_TOKEN or CONTROL_TOKEN") as refused:
        await Needs(Scope.READ, Scope.CONTROL)(admitted(Scope.SIGNAL))
    assert refused.value.status == 403


async def test_a_route_that_is_not_behind_admission_serves_nobody() -> None:
    with pytest.raises(KeyError):
        await Needs(*ANYONE)(Request({"type": "http", **bearing(CONTROL)}))

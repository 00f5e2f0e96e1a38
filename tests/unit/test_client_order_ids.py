"""Client order ids say what they belong to, and nothing else is read as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.client_order_ids import (
    OrderIdParts,
    client_order_id,
    parse_client_order_id,
)
from pointsman.domain.orders import Role

codes = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=6, max_size=6)
id_parts = st.builds(
    OrderIdParts,
    codes,
    st.integers(min_value=0, max_value=10**12 - 1),
    st.sampled_from(Role),
    st.integers(min_value=0, max_value=10**6 - 1),
)


def order_id(parts: OrderIdParts) -> str:
    return client_order_id(parts.code, parts.number, parts.role, parts.attempt)


@given(id_parts)
def test_rule_26_a_client_order_id_says_what_it_was_made_of(parts: OrderIdParts) -> None:
    text = order_id(parts)
    assert parse_client_order_id(text) == parts
    assert len(text) <= 32
    assert text.isascii()
    assert text.isalnum()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("ABCDE1E1", id="code too short"),
        pytest.param("ABCDEFG1E1", id="code too long"),
        pytest.param("abcdef1e1", id="lower case"),
        pytest.param("ABCDEF1Q1", id="no such role"),
        pytest.param("ABCDEFE1", id="no number"),
        pytest.param("ABCDEF1E", id="no attempt"),
        pytest.param("ABCDEF1E1 ", id="blank after"),
        pytest.param("ABCDEF1E1\n", id="line end after"),
        pytest.param("ABCDEF-1E1", id="sign"),
        pytest.param("ABCDEF\u0661E1", id="digit of another script"),
        pytest.param("web-x-1700000000", id="someone else's"),
    ],
)
def test_any_other_text_is_not_an_id_of_ours(text: str) -> None:
    assert parse_client_order_id(text) is None

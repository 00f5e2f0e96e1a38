"""When one name is another one misspelled."""

import pytest

from pointsman.domain.spelling import is_misspelled


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("APPL", "AAPL"),
        ("NVD", "NVDA"),
        ("NVDAA", "NVDA"),
        ("NDVA", "NVDA"),
        ("va009", "VA009"),
        ("VAO09", "VA009"),
        ("V009", "VA009"),
    ],
)
def test_one_letter_is_wrong(name: str, known: str) -> None:
    assert is_misspelled(name, known)
    assert is_misspelled(known, name)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("F", "T"),
        ("GM", "GE"),
        ("BTCUSDT", "ETHUSDT"),
        ("VA007", "VA001"),
        ("VA10", "VA100"),
        ("MSFT", "NVDA"),
        ("", "AAPL"),
    ],
)
def test_it_is_another_name(name: str, known: str) -> None:
    assert not is_misspelled(name, known)
    assert not is_misspelled(known, name)

"""The words that every view has for the same thing."""

import json

from pointsman.domain.accounts import TradingState
from pointsman.domain.reasons import REFUSALS, Reason
from pointsman.reading.words import AT_MOST, LIMITS, TRADING, WITHOUT_LIMIT, words_document


def test_a_limit_is_said_in_one_way_and_only_of_rules_that_refuse() -> None:
    assert not AT_MOST & set(LIMITS)
    assert AT_MOST | set(LIMITS) | set(WITHOUT_LIMIT) <= set(REFUSALS)


def test_every_trading_state_has_its_words() -> None:
    assert set(TRADING) == set(TradingState)


def test_the_document_is_plain_json_with_a_sentence_for_every_reason() -> None:
    told = json.loads(json.dumps(words_document()))
    assert set(told["sentences"]) == {reason.value for reason in Reason}
    assert {"COOLDOWN", "SPREAD"} <= set(told["at_most"])
    assert told["limits"]["SYMBOL_LOCKED"] == "only {}"

"""A measured rule for programs, and the rule that a refusal is for."""

from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check, Decision, Outcome
from pointsman.reading.checks import check_document, failed_check, reason_document
from tests.unit.test_measures import NOW_NS, WINDOW


def test_a_refusal_is_for_the_first_check_that_failed() -> None:
    spread = Check(Reason.SPREAD, False, "11", "10", "bps")
    checks = (Check(Reason.KILLED, True, "off", "off"), WINDOW, spread)
    refused = Decision("s", "VA001", "XXX", Outcome.REFUSED, NOW_NS, WINDOW.rule, checks=checks)
    assert failed_check(refused) is WINDOW
    assert reason_document(refused) == {
        "reason": "OUTSIDE_WINDOW",
        "value": "2018-01-02T14:15:28.885880Z",
        "limit": "2018-01-02T14:30:00.000000Z..2018-01-02T21:00:00.000000Z",
    }
    accepted = Decision("s", "VA001", "XXX", Outcome.ACCEPTED, NOW_NS, checks=checks[:1])
    assert failed_check(accepted) is None
    assert reason_document(accepted) == {"reason": None, "value": None, "limit": None}


def test_programs_get_the_window_as_times_and_all_else_as_stored() -> None:
    document = check_document(WINDOW)
    assert document["value"] == "2018-01-02T14:15:28.885880Z"
    assert document["limit"] == "2018-01-02T14:30:00.000000Z..2018-01-02T21:00:00.000000Z"
    spread = check_document(Check(Reason.SPREAD, True, "6.2972", "10.0", "bps"))
    assert (spread["value"], spread["limit"], spread["unit"]) == ("6.2972", "10.0", "bps")

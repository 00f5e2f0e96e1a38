"""The order life cycle: every (status, report) pair, and what holds for any history of reports."""

from itertools import accumulate, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.domain.life_cycle import (
    FINAL,
    TRANSITIONS,
    ImpossibleReport,
    OrderStatus,
    ReportKind,
    next_status,
)

# Written by hand from the rules, not from the code: I(NITIALIZED) S(UBMITTED) A(CCEPTED)
# P(ARTIALLY_FILLED) F(ILLED) C(ANCELED) E(XPIRED) R(EJECTED) D(ENIED); "-" cannot be.
EXPECTED = """
                 SENT DENIED ACCEPTED TRIGGERED PARTIAL_FILL LAST_FILL CANCELED EXPIRED REJECTED
INITIALIZED      S    D      A        A         P            F         C        E       R
SUBMITTED        S    D      A        A         P            F         C        E       R
ACCEPTED         A    -      A        A         P            F         C        E       R
PARTIALLY_FILLED P    -      P        P         P            F         C        E       R
FILLED           F    -      F        F         F            F         F        F       F
CANCELED         C    -      C        C         C            F         C        C       C
EXPIRED          E    -      E        E         E            F         C        E       E
REJECTED         R    -      R        R         R            F         C        E       R
DENIED           -    -      -        -         -            -         -        -       -
"""

MARKS = {OrderStatus.UNKNOWN, OrderStatus.PENDING_CANCEL}
RANKED = [status for status in OrderStatus if status not in MARKS]

# How much each says, least first (RULES 27); among final ones the more informative wins.
RANK = {
    status: rank
    for rank, status in enumerate(
        (
            OrderStatus.INITIALIZED,
            OrderStatus.SUBMITTED,
            OrderStatus.ACCEPTED,
            OrderStatus.PARTIALLY_FILLED,
            OrderStatus.REJECTED,
            OrderStatus.EXPIRED,
            OrderStatus.CANCELED,
            OrderStatus.FILLED,
        )
    )
}


def expected_table() -> dict[tuple[OrderStatus, ReportKind], OrderStatus | None]:
    head, *rows = [line.split() for line in EXPECTED.strip().splitlines()]
    by_letter: dict[str, OrderStatus | None] = {status[0]: status for status in RANKED}
    by_letter["-"] = None
    return {
        (OrderStatus(row[0]), ReportKind(kind)): by_letter[cell]
        for row in rows
        for kind, cell in zip(head, row[1:], strict=True)
    }


TABLE = expected_table()


def test_the_hand_written_table_has_every_pair() -> None:
    assert set(TABLE) == set(product(RANKED, ReportKind))


@pytest.mark.parametrize(
    ("status", "kind"), [pytest.param(*pair, id=f"{pair[0]}-{pair[1]}") for pair in TABLE]
)
def test_every_pair_of_status_and_report(status: OrderStatus, kind: ReportKind) -> None:
    expected = TABLE[status, kind]
    if expected is None:
        with pytest.raises(ImpossibleReport, match=f"{status} cannot be reported {kind}"):
            next_status(status, kind)
    else:
        assert next_status(status, kind) is expected


def test_rule_27_the_marks_of_our_knowledge_are_neither_reached_nor_left_by_the_table() -> None:
    reached = {following for row in TRANSITIONS.values() for following in row.values()}
    assert not MARKS & (reached | set(TRANSITIONS))


def test_final_is_what_has_ended() -> None:
    assert set(RANKED) - FINAL == {
        OrderStatus.INITIALIZED,
        OrderStatus.SUBMITTED,
        OrderStatus.ACCEPTED,
        OrderStatus.PARTIALLY_FILLED,
    }


# --- any history ----------------------------------------------------------------------------------

# Every report but our own denial, which is only for an order that never reached the venue.
REPORTS = [kind for kind in ReportKind if kind is not ReportKind.DENIED]

histories = st.lists(st.sampled_from(REPORTS), min_size=1, max_size=12)


def statuses(history: list[ReportKind]) -> list[OrderStatus]:
    """The status at first and after each report."""
    return list(accumulate(history, next_status, initial=OrderStatus.INITIALIZED))


@given(st.data(), histories)
def test_the_end_does_not_depend_on_order_or_repetition(
    data: st.DataObject, history: list[ReportKind]
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=12))
    shuffled = data.draw(st.permutations(history + repeats))
    assert statuses(shuffled)[-1] is statuses(history)[-1]


@given(histories)
def test_rule_27_the_rank_never_falls(history: list[ReportKind]) -> None:
    ranks = [RANK[status] for status in statuses(history)]
    assert ranks == sorted(ranks)


@given(histories)
def test_a_final_order_never_works_again(history: list[ReportKind]) -> None:
    ended = [status in FINAL for status in statuses(history)]
    assert ended == sorted(ended)


@given(histories)
def test_a_filled_order_stays_filled(history: list[ReportKind]) -> None:
    assert statuses([ReportKind.LAST_FILL, *history])[-1] is OrderStatus.FILLED


@given(histories)
def test_rule_44_an_order_that_the_venue_reported_once_cannot_be_denied_any_more(
    history: list[ReportKind],
) -> None:
    """That it was sent is no report of the venue."""
    status = statuses(history)[-1]
    if set(history) == {ReportKind.SENT}:
        assert next_status(status, ReportKind.DENIED) is OrderStatus.DENIED
    else:
        with pytest.raises(ImpossibleReport):
            next_status(status, ReportKind.DENIED)

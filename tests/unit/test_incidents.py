"""Incidents say whose they are, and are numbered."""

from pointsman.domain.accounts import Incident
from pointsman.domain.reasons import Reason
from pointsman.execution.incidents import note_incident
from tests.desk_stories import enter, signal
from tests.order_stories import kept_desk


def test_an_incident_takes_account_symbol_and_order_from_what_it_is_of() -> None:
    desk = kept_desk()
    position = enter(desk, signal("a"))
    books = desk.books
    [stop] = books.orders.values()
    first = books.desk.next_incident
    note_incident(books, 7, Reason.OVERFILL, of=stop, value="2", limit="1")
    note_incident(books, 8, Reason.NAKED_POSITION, of=position)
    note_incident(books, 9, Reason.FILE_LOST, value="a.db", detail="removed")
    ours = {"va_id": position.va_id, "symbol": position.symbol}
    noted = [record for record in books.take_changes() if isinstance(record, Incident)]
    assert noted == [
        Incident(f"I{first}", 7, Reason.OVERFILL, **ours,
                 client_order_id=stop.client_order_id, value="2", limit="1"),
        Incident(f"I{first + 1}", 8, Reason.NAKED_POSITION, **ours,
                 client_order_id=position.entry_order_id),
        Incident(f"I{first + 2}", 9, Reason.FILE_LOST, value="a.db", detail="removed"),
    ]  # fmt: skip
    assert books.desk.next_incident == first + 3

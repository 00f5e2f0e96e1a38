"""An invariant that does not hold: how every check of a simulated run says so."""


class Broken(Exception):
    """An invariant does not hold. `va_id` names whom it concerns, where it is one."""

    def __init__(self, invariant: str, what: object, va_id: str | None = None) -> None:
        super().__init__(f"{invariant}: {what}")
        self.invariant = invariant
        self.va_id = va_id


def expect(holds: bool, invariant: str, what: object, va_id: str | None = None) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(invariant, what, va_id)

"""One rule as it was measured, for programs."""

from pointsman.domain.money import plain
from pointsman.domain.reasons import Reason
from pointsman.domain.signals import Check, Decision, Rounding
from pointsman.domain.timestamps import iso
from pointsman.reading.documents import Document


def failed_check(decision: Decision) -> Check | None:
    """The check that a refusal is for: the first that failed."""
    return next((check for check in decision.checks if not check.passed), None)


def reason_document(decision: Decision) -> Document:
    """Reason, value and limit of a decision for programs; empty for an acceptance."""
    failed = failed_check(decision)
    told = {} if failed is None else check_document(failed)
    reason = None if decision.reason is None else decision.reason.value
    return {"reason": reason, "value": told.get("value"), "limit": told.get("limit")}


def rounding_text(rounding: Rounding) -> str:
    """What rounding changed of a signal, in the words of its other remarks."""
    asked, used, step = plain(rounding.asked), plain(rounding.used), plain(rounding.step)
    return f"{rounding.field}: {asked} -> {used}, in steps of {step}"


def check_document(check: Check) -> Document:
    """A check for programs: as it is stored, but for the times of the window."""
    value, limit, unit = check.value, check.limit, check.unit
    if check.rule is Reason.OUTSIDE_WINDOW and value is not None:
        value, unit = iso(int(value)), "UTC"
        bounds = window_bounds(limit)
        limit = limit if bounds is None else "..".join(map(iso, bounds))
    return {
        "rule": check.rule.value,
        "passed": check.passed,
        "value": value,
        "limit": limit,
        "unit": unit,
        "note": check.note,
    }


def window_bounds(limit: str | None) -> tuple[int, int] | None:
    """When a window opens and closes, from the limit of its check."""
    opens, separator, closes = (limit or "").partition("..")
    return (int(opens), int(closes)) if separator else None

"""How the check of a venue is shown: facts as a list, promises a line each as they are reached."""

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from pointsman.engine.venue_check import Fact, Promise, Verdict
from pointsman.terminal.tables import facts
from pointsman.terminal.text import printable

_MS_WIDTH = 9


def draw_facts(found: Iterable[Fact]) -> RenderableType:
    """What the venue says of itself and the account."""
    return facts((fact.name, _fact(fact)) for fact in found)


def _fact(fact: Fact) -> Text:
    if not fact.remedy:
        return Text(printable(fact.value))
    return Text(printable(f"{fact.value}; {fact.remedy}"), style="bold red")


def draw_verdict(verdict: Verdict) -> Text:
    """One promise: kept or not, how long the venue took, and what it said."""
    mark = Text("kept", "green") if verdict.is_kept else Text("NOT KEPT", "bold red")
    mark.pad_right(9 - len(mark.plain))
    took = "" if verdict.took_ms is None else f"{verdict.took_ms:,} ms"
    line = Text.assemble("  ", mark, f"{took:>{_MS_WIDTH}}  ", verdict.promise.value)
    if verdict.detail:
        line.append(f": {printable(verdict.detail)}", "dim" if verdict.is_kept else "bold red")
    return line


def draw_result(verdicts: Iterable[Verdict]) -> RenderableType:
    """What the walk amounts to, and what was not reached."""
    verdicts = list(verdicts)
    missed = [promise for promise in Promise if promise not in {one.promise for one in verdicts}]
    lines = [Text(f"  not tried          {promise.value}", "dim") for promise in missed]
    if all(one.is_kept for one in verdicts) and not missed:
        return Group(*lines, Text(f"\nAll {len(verdicts)} promises were kept.", "bold green"))
    broken = sum(not one.is_kept for one in verdicts)
    told = f"\n{broken} of {len(Promise)} promises not kept, {len(missed)} not tried."
    return Group(*lines, Text(f"{told} Do not trade there before you know why.", "bold red"))


def check_document(found: Iterable[Fact], verdicts: Iterable[Verdict] | None) -> dict[str, Any]:
    """A check for programs. `promises` is left out where no orders were sent."""
    document: dict[str, Any] = {
        "facts": [{"name": one.name, "value": one.value, "remedy": one.remedy} for one in found]
    }
    if verdicts is not None:
        document["promises"] = list(_documents(verdicts))
    return document


def _documents(verdicts: Iterable[Verdict]) -> Iterator[dict[str, Any]]:
    reached = {verdict.promise: verdict for verdict in verdicts}
    for promise in Promise:
        verdict = reached.get(promise)
        yield {
            "promise": promise.name.lower(),
            "text": promise.value,
            "is_kept": None if verdict is None else verdict.is_kept,
            "took_ms": None if verdict is None else verdict.took_ms,
            "detail": "" if verdict is None else verdict.detail,
        }

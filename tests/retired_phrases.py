"""Phrases that source and documents no longer use, because a new reader stumbles over them."""

import re
from collections.abc import Iterator

RETIRED = {
    "what would do": "the fix, or how to fix it",
    "what always holds": "Invariants",
    "the one door": "Desk.handle",
    "is told": "gets, is reported, is notified",
    "are told": "get, are reported, are notified",
    "was told": "got, was reported",
    "whoever": "the caller, anyone who",
    "so many": "this many, how many",
    "begins anew": "starts again",
    "anew": "again",
    "goes on": "continues",
    "comes to its end": "ends",
    "stands twice": "appears twice",
    "at once or not at all": "immediate-or-cancel",
}
"""Phrases that a reader from outside stumbles over, and what to write instead."""

_RETIRED = re.compile(
    r"\b(" + "|".join(re.escape(phrase).replace(r"\ ", r"\s+") for phrase in RETIRED) + r")\b",
    re.IGNORECASE,
)


def retired_phrases(text: str) -> Iterator[str]:
    """Line and advice for each retired phrase, also one that a line break divides."""
    for found in _RETIRED.finditer(text):
        phrase = " ".join(found[0].split())
        line = text.count("\n", 0, found.start()) + 1
        yield f"{line}: '{phrase}': write {RETIRED[phrase.lower()]}"

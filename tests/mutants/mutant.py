"""What a mutant is."""

from typing import NamedTuple


class Mutant(NamedTuple):
    """One fault: in the package's file `path`, `old`, which stands there exactly once, becomes
    `new`. `is_rare` says that many seeds are needed: such run last."""

    invariant: str
    fault: str
    path: str
    old: str
    new: str
    test: str = ""
    because: str = ""
    is_rare: bool = False

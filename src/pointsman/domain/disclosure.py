"""What may be shown of a value that could not be read.

Senders put passphrases and keys into their alerts, and a broken alert may hold one anywhere: in the
body that is not JSON, or in a field where a quotation mark is missing. Invariants: text
reaches answers, log, journal and incidents only where its form says that it is a number, a time, a
placeholder or one or two words; of anything else only its field is named.
"""

import re

HIDDEN = "text that is not shown"
"""Stands for a value that may hold a secret."""

_HARMLESS = re.compile(
    r"""
      [-+]? \$? [0-9] [0-9.,:eETZ%+/\ -]{0,60} (\.\.\.)?   # numbers, percentages, times
    | \{\{ [A-Za-z0-9_.\ ]{1,48} \}\}                # a placeholder that nobody has filled
    | -? [A-Za-z]{1,16} ([\ _-] [A-Za-z]{1,16})?     # buy, stop_limit, -Infinity
    | [0-9]{1,9}\ bytes | byte\ [0-9]{1,9}
    | a\ number\ of\ thousands\ of\ digits
    | \{\.\.\.\} | \[\.\.\.\]
    """,
    re.VERBOSE,
)


def disclosed(value: str) -> str:
    """A value that could not be read, as it may be shown; HIDDEN for text of any other form."""
    text = value.strip()
    return value if not text or _HARMLESS.fullmatch(text) else HIDDEN

"""The mutants of what is stored: the journal, and the tables that follow it (RULES 41)."""

from tests.mutants.mutant import Mutant

MANAGER = "storage/sqlite_manager.py"

STORING = (
    Mutant(
        "I1", "synchronous=OFF", MANAGER,
        "synchronous = FULL", "synchronous = OFF",
        "tests/unit/test_sqlite_manager.py::test_commits_are_synced_and_the_log_is_never_cut",
        "the simulated disk is in memory: nothing is there to be synced",
    ),
    Mutant(
        "I1", "the journal is written as the tables are, without a sync",
        MANAGER,
        "with self._transaction(_SYNCED) as writer:\n            newest",
        "with self._transaction(_FOLLOWING) as writer:\n            newest",
        "tests/unit/test_sqlite_manager.py::"
        "test_rule_41_the_journal_is_synced_and_the_tables_wait_for_nothing",
        "the simulated disk is in memory: nothing is there to be synced",
    ),
    Mutant(
        "I1", "a look-up is blind to what is not in the tables yet", MANAGER,
        "order = found(ahead, Order, client_order_id)", "order = None",
    ),
    Mutant(
        "I18", "the mark of what is projected is ahead of the tables", MANAGER,
        "in self._ahead.writes():", "in self._ahead.writes()[:-1]:",
    ),
    Mutant(
        "I18", "the tail of the journal is not projected at a start", MANAGER,
        "self._ahead = self._tail()", "self._tail()",
    ),
    Mutant(
        "I18", "a reader sees the tables without what they lack", "storage/tail.py",
        "if changed:", "if changed and False:",
        "tests/unit/test_reader.py", "the simulated engine is not read while it runs",
    ),
    Mutant(
        "I18", "a row builds on a row of another block", "storage/blocks.py",
        "if first != self._first:", "if not self._first:",
        "tests/unit/test_blocks.py", "a journal that is read from its first row holds all of them",
    ),
    Mutant(
        "I18", "an amount that is equal and written otherwise counts as unchanged",
        "storage/blocks.py",
        "if before != after or not _is_written_alike(before, after):", "if before != after:",
        "tests/unit/test_blocks.py", "such amounts are rare in a simulated run",
    ),
)  # fmt: skip

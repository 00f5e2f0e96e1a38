"""When to compare with the venue: every interval, at once on request, and again when no answer
came.

Invariants: a comparison is only left out where it follows one that changed nothing, and
nothing has happened since; so the one before it, and all that were left out between, would have
changed nothing either (RULES 66). Those that are made stand on the same grid of intervals.
"""

from pointsman.domain.commands import Step
from pointsman.domain.events import Compared
from pointsman.execution.books import Books


class Comparing:
    """The schedule of comparisons. `due_ns` is when the next one is to be asked for, None before
    the first was wanted."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._quiet_ticket: int | None = None
        self.due_ns: int | None = None

    def soon(self, now_ns: int) -> None:
        """Ask at the next instant."""
        self.due_ns = now_ns
        self._quiet_ticket = None

    def is_due(self, now_ns: int) -> bool:
        """Whether it is to be asked for now."""
        return self.due_ns is not None and now_ns >= self.due_ns

    def asked(self, now_ns: int) -> None:
        """It was asked for; a question that is never answered is asked again."""
        self.due_ns = now_ns + self._interval_ns

    def note(self, compared: Compared, step: Step, ticket: int) -> None:
        """A comparison ended in `step`; `ticket` is the last turn that changed something."""
        is_quiet = compared.is_complete and not step.changes and not step.commands
        self._quiet_ticket = ticket if is_quiet else None

    def may_pass(self, until_ns: int, ticket: int) -> bool:
        """Whether there are comparisons before `until_ns` that could change nothing: nothing has
        changed since the last one, which changed nothing."""
        is_quiet = self.due_ns is not None and self._quiet_ticket == ticket
        return is_quiet and self._left_out(until_ns) > 0

    def pass_to(self, until_ns: int) -> None:
        """Leave out the comparisons before `until_ns`, but for the last one whose answer may come
        before then."""
        if self.due_ns is not None:
            self.due_ns += max(0, self._left_out(until_ns)) * self._interval_ns

    def _left_out(self, until_ns: int) -> int:
        return (until_ns - (self.due_ns or 0)) // self._interval_ns - 1

    @property
    def _interval_ns(self) -> int:
        policy = self._books.policy
        if self._books.is_ready:
            return policy.reconcile_interval_ns
        return min(policy.reconcile_interval_ns, policy.submit_timeout_ns)

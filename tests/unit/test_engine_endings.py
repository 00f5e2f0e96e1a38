"""Each way in which an engine is known to end has its exit code."""

from pathlib import Path

import pytest
import typer

from pointsman.cli.engine_endings import known_endings
from pointsman.cluster.errors import (
    ClusterError,
    ClusterUnreachable,
    DeskOwned,
    NotOwner,
    WrongStream,
)
from pointsman.engine.exit_codes import ExitCode
from pointsman.engine.own_run import OtherRun
from pointsman.engine.supervision import PartDied
from pointsman.execution.venue_intake import StrangeOrders
from pointsman.venues.errors import VenueRefused, VenueUnreachable
from pointsman.venues.paper.errors import LedgerUnreadable


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (VenueUnreachable("no answer"), ExitCode.VENUE),
        (ClusterUnreachable("no server"), ExitCode.VENUE),
        (VenueRefused("wrong key"), ExitCode.SETTINGS),
        (OtherRun("another file"), ExitCode.SETTINGS),
        (NotOwner("the lease is over"), ExitCode.NOT_OWNER),
        (DeskOwned("by another"), ExitCode.BUSY),
        (LedgerUnreadable(Path("l.db"), "no database"), ExitCode.DATABASE),
        (WrongStream("of another desk"), ExitCode.MISMATCH),
        (StrangeOrders("ABCDEF1E1"), ExitCode.MISMATCH),
        (PartDied("the writer"), ExitCode.FAILURE),
        (ClusterError("its thread broke"), ExitCode.FAILURE),
    ],
    ids=lambda given: type(given).__name__,
)
def test_what_is_known_ends_with_its_code_and_says_why(
    error: Exception, code: ExitCode, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, known_endings():
        raise error
    assert ended.value.exit_code == code
    assert str(error) in capsys.readouterr().err


def test_what_is_not_known_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), known_endings():
        raise ZeroDivisionError

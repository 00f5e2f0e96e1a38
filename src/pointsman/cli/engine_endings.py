"""How a verb that runs an engine ends: each expected error has its exit code, and says how to fix
it."""

from collections.abc import Iterator
from contextlib import contextmanager

from pointsman.cli.ending import fail
from pointsman.engine.exit_codes import ExitCode


@contextmanager
def known_endings() -> Iterator[None]:
    """Within this block an expected error ends the run with its exit code, and says how to fix
    it."""
    from pointsman.cluster.errors import (
        ClusterError,
        ClusterUnreachable,
        DeskOwned,
        NotOwner,
        WrongStream,
    )
    from pointsman.engine.file_watch import FilesLost
    from pointsman.engine.own_run import OtherRun
    from pointsman.engine.same_account import OtherAccount
    from pointsman.engine.supervision import PartDied
    from pointsman.execution.venue_intake import StrangeOrders
    from pointsman.market.lines import UnreadableFile
    from pointsman.venues.errors import VenueRefused, VenueUnreachable
    from pointsman.venues.paper.errors import LedgerBusy, LedgerModeDiffers, LedgerUnreadable

    try:
        yield
    except (VenueUnreachable, ClusterUnreachable) as error:
        fail(str(error), ExitCode.VENUE)
    except (OtherRun, LedgerModeDiffers, VenueRefused) as error:
        fail(str(error), ExitCode.SETTINGS)
    except NotOwner as error:
        fail(str(error), ExitCode.NOT_OWNER)
    except (LedgerBusy, DeskOwned) as error:
        fail(str(error), ExitCode.BUSY)
    except LedgerUnreadable as error:
        fail(str(error), ExitCode.DATABASE)
    except (OtherAccount, WrongStream) as error:
        fail(str(error), ExitCode.MISMATCH)
    except StrangeOrders as error:
        told = (
            f"the venue knows order {error}, made by this installation, and the database does not"
        )
        fail(f"{told}: it is not the one that traded there; nothing was sent", ExitCode.MISMATCH)
    except (UnreadableFile, PartDied, FilesLost, ClusterError) as error:
        fail(str(error), ExitCode.FAILURE)

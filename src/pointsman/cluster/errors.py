"""What can go wrong between an engine and its cluster.

ClusterError
 +-- ClusterUnreachable   no server answered
 +-- WrongStream          stream and database do not belong together, or one has lost what the
 |                        other knows; nothing was changed
 +-- DeskOwned            another engine that lives owns the desk
 +-- NotReplicated        a turn is not acknowledged in time; it may still be
 +-- NotOwner             another engine owns the desk, or this one was cut off for too long:
                          it sends nothing more, and ends
"""

from pointsman.errors import PointsmanError


class ClusterError(PointsmanError):
    """The base of all of them."""


class ClusterUnreachable(ClusterError):
    """No server answered."""


class WrongStream(ClusterError):
    """Stream and database do not belong together (exit 5)."""


class DeskOwned(ClusterError):
    """Another engine that lives owns the desk (exit 7)."""


class NotReplicated(ClusterError):
    """A turn is durable here, and its copy is not acknowledged."""


class NotOwner(ClusterError):
    """This engine does not own the desk any more (exit 9). The next start finds out what holds."""

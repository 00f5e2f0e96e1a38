"""What keeps an account at a venue from being opened."""

from pointsman.errors import PointsmanError


class VenueError(PointsmanError):
    """The account at the venue cannot be opened; the text says why, and what to do."""


class VenueRefused(VenueError):
    """The venue, or what it says of the account, does not allow trading as the settings want it: a
    wrong key, one that may withdraw money, another position mode."""


class VenueUnreachable(VenueError):
    """The venue did not answer, or what it answered could not be read."""

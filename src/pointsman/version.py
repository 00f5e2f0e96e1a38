"""The version. A module of its own, since every room may ask for it and the package's front imports
the highest one."""

__version__ = "0.2.0"

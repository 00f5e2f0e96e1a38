"""pointsman: a governed trading execution loop.

Signals from any strategy come in; each is routed to its virtual account, judged, executed with a
stop-loss resting at the venue, watched, reconciled and recorded.
"""

__version__ = "0.1.0"

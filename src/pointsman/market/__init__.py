"""Quotes in: their sources, the newest of each symbol, and the watch on stops and targets."""

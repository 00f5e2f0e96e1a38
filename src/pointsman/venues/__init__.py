"""Venues: the seam to a broker or exchange, and one file for each venue."""

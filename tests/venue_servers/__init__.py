"""Small servers on loopback that speak the protocols of real venues, for the tests of adapters.

They are written from what the venues document, and checked with the clients of others.
"""

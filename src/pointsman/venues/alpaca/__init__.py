"""Alpaca: US stocks, over its REST API and the stream of the account."""

"""Bybit v5: USDT perpetuals of one unified account (docs: bybit-exchange.github.io/docs/v5)."""

"""Binance USDⓈ-M futures (docs: developers.binance.com, derivatives, usds-margined-futures)."""

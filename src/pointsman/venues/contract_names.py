"""How Binance and Bybit name the linear contracts that are `BTC/USDT:USDT` here."""


def venue_symbol(symbol: str) -> str:
    """BTCUSDT for BTC/USDT:USDT; a name of the venue stays as it is."""
    base, _, rest = symbol.partition("/")
    return base + rest.partition(":")[0]

"""What Bybit says of a key, an account and its contracts when it is opened. Pure."""

from collections.abc import Iterable

from pointsman.domain.market import Instrument
from pointsman.domain.policy import PositionMode
from pointsman.venues.adapter import Incomplete
from pointsman.venues.bybit.requests import COIN, unified_symbol
from pointsman.venues.bybit.rows import Row, number, position_index, text
from pointsman.venues.contract_names import venue_symbol
from pointsman.venues.errors import VenueRefused

UNIFIED = (3, 4, 5, 6)
"""What `unifiedMarginStatus` is for unified accounts of any kind; 1 is a classic account."""

ONE_WAY, HEDGE = {0}, {1, 2}


def check_secret(secret: str) -> None:
    """Raise VenueRefused for the private half of a key pair: the stream is not signed with it."""
    if "PRIVATE KEY" in secret:
        raise VenueRefused(
            "VENUE_SECRET is a private key: make a system-generated key (HMAC) at Bybit instead"
        )


def check_key(key: Row) -> None:
    """Raise VenueRefused unless the key may trade and may not withdraw."""
    permissions = key.get("permissions")
    if not isinstance(permissions, dict):
        raise Incomplete("the answer does not say what the key may do")
    if any("withdraw" in str(each).lower() for each in _listed(permissions, "Wallet")):
        raise VenueRefused(
            "this key may withdraw money: make one at Bybit without the permission Withdrawal"
        )
    if key.get("readOnly") != 0:
        raise VenueRefused("this key may only read: make one at Bybit that may read and write")
    if missing := {"Order", "Position"} - set(_listed(permissions, "ContractTrade")):
        raise VenueRefused(
            f"this key lacks {', '.join(sorted(missing))} of Unified Trading, Contract: add it at "
            "Bybit"
        )


def check_account(account: Row) -> None:
    """Raise VenueRefused unless it is a unified account."""
    status = account.get("unifiedMarginStatus")
    if status not in UNIFIED:
        raise VenueRefused(
            f"this is no unified trading account (unifiedMarginStatus {status}): upgrade it at "
            "Bybit, or use a key of one"
        )


def check_mode(symbol: str, rows: Iterable[Row], wanted: PositionMode) -> None:
    """Raise VenueRefused unless the account holds this symbol in the mode of the settings."""
    indexes = {position_index(row) for row in rows}
    if indexes <= (ONE_WAY if wanted is PositionMode.NET else HEDGE) and indexes:
        return
    if indexes <= ONE_WAY | HEDGE and indexes:
        mode = PositionMode.NET if indexes <= ONE_WAY else PositionMode.HEDGE
        raise VenueRefused(
            f"Bybit holds {symbol} in mode {mode.value}, the settings say {wanted.value}: set "
            f"VENUE_POSITION_MODE={mode.value}, or switch the mode at Bybit"
        )
    raise Incomplete(f"the answer does not say in which mode {symbol} is held")


def instruments_of(rows: Iterable[Row]) -> dict[str, Instrument]:
    """The contracts that can be traded here: USDT perpetuals that trade now, in steps."""
    found = {}
    for row in rows:
        name, base = text(row, "symbol"), text(row, "baseCoin")
        is_perpetual = row.get("contractType") == "LinearPerpetual"
        is_ours = row.get("settleCoin") == row.get("quoteCoin") == COIN and name == base + COIN
        if not is_perpetual or not is_ours or row.get("status") != "Trading":
            continue
        price, lot = row.get("priceFilter"), row.get("lotSizeFilter")
        if not isinstance(price, dict) or not isinstance(lot, dict):
            raise Incomplete(f"the answer does not say in which steps {name} trades")
        symbol = unified_symbol(name)
        instrument = Instrument(
            symbol=symbol,
            tick=number(price, "tickSize"),
            lot=number(lot, "qtyStep"),
            min_qty=number(lot, "minOrderQty"),
            min_notional=number(lot, "minNotionalValue"),
            currency=COIN,
            max_market_quantity=number(lot, "maxMktOrderQty"),
        )
        if instrument.has_steps:
            found[symbol] = instrument
    return found


def check_symbols(symbols: Iterable[str], instruments: dict[str, Instrument]) -> None:
    """Raise VenueRefused for a symbol that cannot be traded here."""
    for symbol in symbols:
        if symbol not in instruments:
            near = unified_symbol(venue_symbol(symbol))
            hint = f"; write {near}" if near in instruments else ""
            raise VenueRefused(f"Bybit has no USDT perpetual {symbol} that trades now{hint}")


def _listed(permissions: Row, name: str) -> list[object]:
    listed = permissions.get(name)
    return listed if isinstance(listed, list) else []

"""The instruments file: JSON `{symbol: {tick, lot, min_qty, min_notional, currency, fee_bps,
max_market_qty}}`.

Every field may be left out: a tick or lot that is missing is derived from the quotes (RULES 59),
the rest follows `domain.policy.default_instrument`. Symbols are spelled as in signals and quotes,
in any case and with or without an `EXCHANGE:` before them. Numbers are read as exact decimals,
quoted or not, also with an exponent, as programs write them. A file with any mistake is refused as
a whole, and every mistake is named. A venue that says itself what it trades is believed, and the
file can only be stricter (RULES 48).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from pointsman.config.problems import SettingProblem, SettingsError, did_you_mean
from pointsman.config.values import decimal_reader
from pointsman.domain.market import Instrument
from pointsman.domain.money import is_multiple, plain
from pointsman.domain.policy import default_instrument, stricter
from pointsman.domain.signal_text import parse_symbol

_EXPONENT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{0,12})?[eE][+-]?[0-9]{1,2}")
_OTHER_SYMBOL = re.compile(r"[^\s,;]{1,64}")
_CURRENCY = re.compile(r"(?=.*[A-Z])[A-Z0-9]{1,12}")


def _symbol(written: str) -> str | None:
    """A symbol as signals and quotes have it. One in other letters than theirs stays as it is: it
    matches nothing, and is no reason to lose the file; None for what can be no symbol at all."""
    try:
        return parse_symbol(written)
    except ValueError:
        return written if _OTHER_SYMBOL.fullmatch(written) else None


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise ValueError("write a currency code such as USD or USDT")
    return text


_READERS: dict[str, Callable[[str], Decimal | str]] = {
    "tick": decimal_reader(above="0"),
    "lot": decimal_reader(above="0"),
    "min_qty": decimal_reader(least="0"),
    "min_notional": decimal_reader(least="0"),
    "currency": _currency,
    "fee_bps": decimal_reader(least="0", below="10000"),
    "max_market_qty": decimal_reader(above="0"),
}


_FIELDS = {"max_market_qty": "max_market_quantity"}
"""How a field is called here, where that differs from the file's name."""


class _Repeated(Exception):
    """A key that appears twice in one JSON object."""


def load_instruments(path: Path) -> dict[str, Instrument]:
    """Read an instruments file. Raises SettingsError with every problem: the file, symbol, field,
    value and remedy."""
    document = _parse(path)
    if not isinstance(document, dict):
        raise SettingsError([_problem(path, "", document, "write one JSON object, {symbol: {…}}")])
    problems: list[SettingProblem] = []
    instruments: dict[str, Instrument] = {}
    for written, fields in document.items():
        symbol = _symbol(written)
        if symbol is None:
            remedy = "write a symbol such as AAPL or BTC/USDT"
            problems.append(_problem(path, "symbol", written, remedy))
            symbol = written
        if symbol in instruments:
            remedy = f"{symbol} appears twice, in two spellings; keep one of them"
            problems.append(_problem(path, "symbol", written, remedy))
        instruments[symbol] = _instrument(path, symbol, fields, problems)
    if problems:
        raise SettingsError(problems)
    return instruments


def at_venue(
    venue: Mapping[str, Instrument], of_file: Mapping[str, Instrument]
) -> dict[str, Instrument]:
    """The instruments as the venue says them, made stricter by those of the file. Raises
    SettingsError with every field of the file that is not stricter."""
    problems: list[SettingProblem] = []
    both = dict(of_file)
    for symbol in of_file.keys() & venue.keys():
        both[symbol] = stricter(venue[symbol], of_file[symbol])
        problems += _looser_steps(venue[symbol], of_file[symbol])
    if problems:
        raise SettingsError(problems)
    return {**venue, **both}


def _looser_steps(venue: Instrument, own: Instrument) -> Iterator[SettingProblem]:
    """The file's tick and lot where they are no multiples of the venue's."""
    for name, is_given in (("tick", not own.is_tick_derived), ("lot", not own.is_lot_derived)):
        step, least = getattr(own, name), getattr(venue, name)
        if is_given and not is_multiple(step, least):
            remedy = (
                f"the venue's {name} is {plain(least)}; write a multiple of it, or leave it out"
            )
            field = f"{own.symbol}.{name}"
            yield SettingProblem(field, plain(step), remedy, where="INSTRUMENTS_FILE")


def _parse(path: Path) -> Any:
    try:
        return json.loads(
            path.read_text(encoding="utf-8"),
            parse_float=str,
            parse_int=str,
            parse_constant=str,
            object_pairs_hook=_without_repeats,
        )
    except OSError as error:
        _refuse(path, f"{error.strerror}; name a file that can be read")
    except UnicodeDecodeError:
        _refuse(path, "save the file as UTF-8")
    except json.JSONDecodeError as error:
        _refuse(
            path, f"line {error.lineno}, column {error.colno} is not JSON ({error.msg}); correct it"
        )
    except RecursionError:
        _refuse(path, "write one JSON object, {symbol: {…}}")
    except _Repeated as error:
        _refuse(path, f"{error} appears twice in one object; keep one of them")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Repeated(next(repr(name) for name in names if names.count(name) > 1))
    return made


def _refuse(path: Path, remedy: str) -> NoReturn:
    raise SettingsError([SettingProblem("INSTRUMENTS_FILE", str(path), remedy)]) from None


def _problem(path: Path, field: str, value: object, remedy: str) -> SettingProblem:
    shown = value if isinstance(value, str) else json.dumps(value)
    return SettingProblem(field or "instruments", shown, remedy, where=str(path))


def _instrument(path: Path, symbol: str, fields: Any, problems: list[SettingProblem]) -> Instrument:
    """The instrument of one entry. What is wrong with it is added to `problems`."""
    default = default_instrument(symbol)
    if not isinstance(fields, dict):
        problems.append(_problem(path, symbol, fields, 'write an object such as {"tick": "0.01"}'))
        return default
    read: dict[str, Any] = {}
    for field, value in fields.items():
        name = f"{symbol}.{field}"
        if field not in _READERS:
            hint = did_you_mean(field, _READERS)
            remedy = f"no such field; use {', '.join(_READERS)}{hint}"
            problems.append(_problem(path, name, value, remedy))
        elif not isinstance(value, str):
            problems.append(
                _problem(path, name, value, "write a number or a text, or leave it out")
            )
        else:
            try:
                read[_FIELDS.get(field) or field] = _READERS[field](_without_exponent(value))
            except ValueError as error:
                problems.append(_problem(path, name, value, str(error)))
    read["is_tick_derived"] = "tick" not in read
    read["is_lot_derived"] = "lot" not in read
    # By default the least quantity is one lot: of the lot that was given.
    read.setdefault("min_qty", read.get("lot", default.min_qty))
    return msgspec.structs.replace(default, **read)


def _without_exponent(text: str) -> str:
    """A number with an exponent, as programs write small ones, as a plain decimal; any other text
    as it is."""
    return plain(Decimal(text)) if _EXPONENT.fullmatch(text) else text

"""The limits: every setting that each VA may have a value of its own of, as `VA001__NAME`.

Defaults are texts and pass through the same readers as what a person writes.
"""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic import PlainValidator as Reads

from pointsman.config.trading_hours import minutes_of
from pointsman.config.values import (
    choice_reader,
    decimal_reader,
    optional,
    read_path,
    read_size_decay,
    whole_reader,
)
from pointsman.domain.policy import Reversal, SizeDecay
from pointsman.domain.sides import EntrySides

MAX_STOP_LOSS_FACTOR = 5
"""MAX_STOP_LOSS_PERCENTAGE, where not set, is this many times STOP_LOSS_PERCENTAGE (RULES 9)."""


def setting(default: str, meaning: str) -> Any:
    """A field with its default as text, and what it means."""
    return Field(default, description=meaning, validate_default=True)


def _clock(text: str) -> str:
    minutes_of(text)
    return text


_AMOUNT = decimal_reader(above="0")
_PERCENTAGE = decimal_reader(above="0", below="100")

Amount = Annotated[Decimal, Reads(_AMOUNT)]
OptionalAmount = Annotated[Decimal | None, Reads(optional(_AMOUNT))]
Bps = Annotated[Decimal, Reads(decimal_reader(least="0"))]
BpsOfPrice = Annotated[Decimal, Reads(decimal_reader(least="0", below="10000"))]
Percentage = Annotated[Decimal, Reads(_PERCENTAGE)]
OptionalPercentage = Annotated[Decimal | None, Reads(optional(_PERCENTAGE))]
Milliseconds = Annotated[Decimal, Reads(decimal_reader(least="0", places=6))]
Seconds = Annotated[Decimal, Reads(decimal_reader(above="0", places=9))]
OptionalSeconds = Annotated[Decimal | None, Reads(optional(decimal_reader(above="0", places=9)))]
Count = Annotated[int, Reads(whole_reader(1))]
OptionalCount = Annotated[int | None, Reads(optional(whole_reader(1)))]
Clock = Annotated[str, Reads(_clock)]
OptionalPath = Annotated[Path | None, Reads(optional(read_path))]


class LimitFields(BaseModel):
    """What one VA may do. Money is in the account's currency, percentages are of 100."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_loss_cooldown: Annotated[int, Reads(whole_reader(0))] = setting(
        "3", "Consecutive losses that start a cooldown; 0 switches it off."
    )
    cooldown_duration_seconds: Seconds = setting("300", "Length of a cooldown, in seconds.")
    max_spread_bps: Bps = setting(
        "10.0", "Widest spread at which an entry is made, in basis points of the mid."
    )
    max_slippage_bps: BpsOfPrice = setting(
        "5.0",
        "How much worse than the signal's price the market may be, and an entry may fill,"
        " in basis points.",
    )
    max_latency_ms: Milliseconds = setting(
        "500.0", "Maximum age of the quote at an entry, in milliseconds."
    )
    max_price_deviation_bps: Bps = setting(
        "500", "How far a signal's price may be from the mid, on either side, in basis points."
    )
    max_position_size: Amount = setting(
        "10000.0", "Largest notional that a VA may hold and have working, in its currency."
    )
    max_open_positions_per_va: Count = setting("5", "Maximum open positions of a VA at once.")
    max_leverage: Amount = setting(
        "1", "Largest gross notional of a VA after an entry, as a multiple of its equity."
    )
    stop_loss_percentage: Percentage = setting(
        "2.0", "Distance of a stop from the entry's average price, in percent."
    )
    max_stop_loss_percentage: Annotated[Decimal, Reads(optional(_AMOUNT))] = setting(
        "",
        "Furthest stop that a signal may ask for, in percent of its reference price;"
        f" empty is {MAX_STOP_LOSS_FACTOR} times STOP_LOSS_PERCENTAGE.",
    )
    entry_sides: Annotated[EntrySides, Reads(choice_reader(EntrySides))] = setting(
        "both", "Which entries are accepted: both, long or short."
    )
    reversal: Annotated[Reversal, Reads(choice_reader(Reversal))] = setting(
        "close",
        "What a reversing alert does: close, or close_and_open to open the other side afterwards.",
    )
    max_daily_loss: OptionalAmount = setting(
        "",
        "Loss of equity since 00:00 TRADING_TIMEZONE that stops entries, in the account's currency;"
        " empty is off.",
    )
    max_drawdown_percentage: OptionalPercentage = setting(
        "", "Fall of equity from its peak that stops entries, in percent; empty is off."
    )
    max_trades_per_day: OptionalCount = setting(
        "", "Maximum accepted entries since 00:00 TRADING_TIMEZONE; empty is off."
    )
    max_orders_per_minute: OptionalCount = setting(
        "", "Maximum accepted entries within any 60 seconds; empty is off."
    )
    loss_size_decay: Annotated[tuple[SizeDecay, ...], Reads(read_size_decay)] = setting(
        "",
        "Smaller entries after consecutive losses, as LOSSES:FACTOR,… such as 2:0.5,4:0.25;"
        " empty is off.",
    )
    trading_window_start: Clock = setting(
        "09:30", "Local time from which entries are made, HH:MM in TRADING_TIMEZONE."
    )
    trading_window_end: Clock = setting(
        "16:00",
        "Local time at which entries end, HH:MM; before the start it is overnight,"
        " and 00:00 to 24:00 is always.",
    )

    @field_validator("max_stop_loss_percentage", mode="after")
    @classmethod
    def _default_or_wide_enough(cls, value: Decimal | None, info: ValidationInfo) -> Decimal | None:
        stop: Decimal | None = info.data.get("stop_loss_percentage")
        if stop is None:  # already reported
            return value
        if value is None:
            return stop * MAX_STOP_LOSS_FACTOR
        if value < stop:
            raise ValueError(
                f"use at least STOP_LOSS_PERCENTAGE, which is {stop}, or leave it empty"
            )
        return value

    @field_validator("trading_window_start", mode="after")
    @classmethod
    def _starts_within_the_day(cls, value: str) -> str:
        if value == "24:00":
            raise ValueError("write the start of a day as 00:00")
        return value

    @field_validator("trading_window_end", mode="after")
    @classmethod
    def _differs_from_start(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("trading_window_start"):
            raise ValueError(
                "make it differ from TRADING_WINDOW_START; 00:00 to 24:00 is always open"
            )
        return value

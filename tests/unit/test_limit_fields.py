"""What can be set per VA, read as every setting is."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from pointsman.config.limit_fields import MAX_STOP_LOSS_FACTOR, LimitFields


def test_the_furthest_stop_follows_the_usual_one_unless_it_is_set() -> None:
    made = LimitFields.model_validate({"stop_loss_percentage": "3"})
    assert made.max_stop_loss_percentage == 3 * MAX_STOP_LOSS_FACTOR
    given = {"stop_loss_percentage": "3", "max_stop_loss_percentage": "4.5"}
    assert LimitFields.model_validate(given).max_stop_loss_percentage == Decimal("4.5")
    with pytest.raises(ValidationError, match="at least STOP_LOSS_PERCENTAGE, which is 3"):
        LimitFields.model_validate({**given, "max_stop_loss_percentage": "2"})

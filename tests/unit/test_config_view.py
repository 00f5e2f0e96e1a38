"""The settings as people and programs see them."""

from pathlib import Path

import pytest

from pointsman.cli.config_view import (
    access_notes,
    draw_problems,
    draw_settings,
    problems_document,
    settings_document,
    shown,
)
from pointsman.config.problems import SettingsError
from pointsman.config.settings import resolve_settings
from tests.unit.test_tables import drawn

ENV = {"READ_TOKEN": "hush-hush-hush-hush-hush", "MAX_SPREAD_BPS": "7"}


def test_a_setting_says_where_it_came_from_and_a_secret_is_masked() -> None:
    settings = resolve_settings(ENV, None, {"DATABASE_PATH": "x.db"}).settings
    rows = {row.name: (row.value, row.source.value) for row in shown(settings)}
    assert rows["MAX_SPREAD_BPS"] == ("7", "env")
    assert rows["DATABASE_PATH"] == ("x.db", "flag")
    assert rows["MAX_SLIPPAGE_BPS"] == ("5.0", "default")
    assert rows["READ_TOKEN"][1] == "env"
    text = "\n".join(drawn(draw_settings(settings), 80))
    assert "hush" not in text + str(settings_document(settings))
    assert ["MAX_SPREAD_BPS", "7", "env"] in [line.split() for line in text.splitlines()]


@pytest.mark.parametrize("width", [80, 200])
def test_all_problems_are_listed_below_each_other(width: int) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_settings({"MAX_SPREAD_BPS": "x", "STOP_LOSS_PERCENTAGE": "900"}, None, {})
    lines = drawn(draw_problems(caught.value.problems), width)
    assert lines[0] == "2 settings cannot be used"
    starts = [line.split()[:2] for line in lines if line.startswith(("MAX", "STOP"))]
    assert starts == [["MAX_SPREAD_BPS", "x"], ["STOP_LOSS_PERCENTAGE", "900"]]
    assert max(map(len, lines)) <= width
    document = problems_document(caught.value.problems, ["look"])
    assert (document["ok"], document["warnings"]) == (False, ["look"])
    assert [each["variable"] for each in document["problems"]] == [start[0] for start in starts]


def test_rule_57_a_check_says_who_needs_a_token_and_where_made_ones_stand(tmp_path: Path) -> None:
    env = {"WEBHOOK_TOKEN": "hook-0123456789abcdef", "DATABASE_PATH": str(tmp_path / "t.db")}
    settings = resolve_settings(env, None, {}).settings
    path = tmp_path / "t.db.tokens"
    needed = "http: every caller needs a token, because some are remote (WEBHOOK_TOKEN)"
    assert access_notes(settings) == [needed, f"http: the first start makes tokens in {path}"]
    path.touch()
    assert access_notes(settings) == [needed, f"http: tokens are read from {path}"]
    local = resolve_settings({}, None, {}).settings
    (note,) = access_notes(local)
    assert note.startswith("http: callers on this machine need no token; set tokens before a proxy")

"""Opening an account for a check: on paper, with books that are thrown away."""

from pathlib import Path

import pytest

from pointsman.config.problems import SettingsError
from pointsman.config.settings import resolve_settings
from pointsman.service.venue_certificate import opened


def test_the_paper_account_of_a_check_is_a_new_one_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    settings = resolve_settings({}, None, {}).settings
    with opened(settings, None) as account:
        assert [path.name for path in tmp_path.rglob("paper.db")] == ["paper.db"]
        facts = {fact.name: fact for fact in account.state()}
        assert facts["held"].value == facts["open orders"].value == "0"
        assert facts["quote"].value.endswith("bps apart")
    assert list(tmp_path.iterdir()) == []


def test_each_walk_has_a_code_of_its_own() -> None:
    settings = resolve_settings({}, None, {}).settings
    codes = set()
    for _ in range(2):
        with opened(settings, "ETH/USDT") as account:
            verdicts = account.walk().run()
            codes.add(verdicts[2].detail[:6])
    assert len(codes) == 2


def test_an_account_whose_settings_are_not_whole_is_refused() -> None:
    settings = resolve_settings({"VENUE": "alpaca"}, None, {}).settings
    with pytest.raises(SettingsError, match="VENUE_KEY"), opened(settings, None):
        pass

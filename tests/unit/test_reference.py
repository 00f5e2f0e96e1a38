"""The documents drawn from the settings, and the file in the repository held to them."""

from pathlib import Path

from pointsman.config.fields import NAMES
from pointsman.config.reference import env_example, settings_table_markdown
from pointsman.config.settings import resolve_settings
from pointsman.config.sources import SettingSource

ENV_EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"


def test_the_example_in_the_repository_is_what_the_settings_say() -> None:
    assert ENV_EXAMPLE.read_text("utf-8") == env_example(), "write it again with env_example()"


def test_the_example_copied_to_env_changes_nothing(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(ENV_EXAMPLE.read_bytes())
    env_file.chmod(0o600)
    copied = resolve_settings({}, env_file, {})
    plain = resolve_settings({}, None, {})
    assert not copied.warnings
    # A recorded run uses a new folder as long as nothing names a database.
    written_out = {
        name for name, at in copied.settings.sources.items() if at is SettingSource.DOTENV
    }
    assert written_out == set(NAMES) - {"DATABASE_PATH"}
    assert copied.settings.model_copy(update={"sources": {}}) == plain.settings


def test_the_table_has_a_row_for_each_setting() -> None:
    head, rule, *rows = settings_table_markdown().splitlines()
    assert head.count("|") == rule.count("|") == 5
    assert [row.split("`")[1] for row in rows] == list(NAMES)
    assert all(row.count("|") == 5 for row in rows)
    assert "| `MAX_SPREAD_BPS` | `10.0` | yes | Widest spread" in "\n".join(rows)
    assert "| `VENUE` | `paper` |  | " in "\n".join(rows)

"""The settings as documents: the table of docs/settings.md and `.env.example`, drawn from their
declarations."""

from pointsman.config.fields import LIMIT_NAMES, SettingFields, name_of
from pointsman.config.limit_fields import LimitFields

_HEAD = """\
# Settings of pointsman. Copy this file to .env and change what you need.
#
# Flags win over the environment, the environment over .env, .env over the defaults below. An empty
# value switches an optional setting off. Each NAME can also be given as NAME_FILE, the path of a
# file that holds the value.
"""

_LIMITS = """
# --- Limits. Each can also be set for one account, as VA001__MAX_POSITION_SIZE=5000 ---
"""

_REST = """
# --- The desk as a whole ---
"""


_COMMENTED_OUT = {"database_path": "Where it is set, recorded runs use it too, not runs/."}
"""Settings whose default changes something where it is written out; and what."""


def settings_table_markdown() -> str:
    """Every setting as a row of a Markdown table: name, default, whether it can be set per VA,
    meaning."""
    rows = ["| name | default | per VA | meaning |", "| --- | --- | --- | --- |"]
    for field, info in SettingFields.model_fields.items():
        name = name_of(field)
        default = f"`{info.default}`" if info.default else ""
        per_va = "yes" if name in LIMIT_NAMES else ""
        rows.append(f"| `{name}` | {default} | {per_va} | {info.description} |")
    return "\n".join(rows) + "\n"


def env_example() -> str:
    """The text of `.env.example`: every setting with its meaning and default."""
    limits = [_lines(field) for field in LimitFields.model_fields]
    rest = [
        _lines(field) for field in SettingFields.model_fields if name_of(field) not in LIMIT_NAMES
    ]
    return "".join([_HEAD, _LIMITS, *limits, _REST, *rest])


def _lines(field: str) -> str:
    info = SettingFields.model_fields[field]
    line = f"{name_of(field)}={info.default}\n"
    if field in _COMMENTED_OUT:
        return f"\n# {info.description} {_COMMENTED_OUT[field]}\n# {line}"
    return f"\n# {info.description}\n{line}"

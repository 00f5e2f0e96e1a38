"""From the layers to one text for each setting, and from the texts to checked values.

Each function adds what is wrong to the list of problems that it is given and continues, so that all
problems are found in one pass.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from pydantic import ValidationError

from pointsman.config.fields import LIMIT_NAMES, NAMES, SECRETS, SettingFields, name_of
from pointsman.config.limit_fields import LimitFields
from pointsman.config.problems import MASK, SettingProblem, did_you_mean
from pointsman.config.sources import Layer, SettingEntry, SettingSource, find, written_around
from pointsman.config.values import read_accounts

M = TypeVar("M", bound=LimitFields)

_ACCOUNTS = "VIRTUAL_ACCOUNTS"
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def unknown_flags(overrides: Mapping[str, str]) -> list[SettingProblem]:
    """A problem for each name that was given on the command line, or from Python, and is no
    setting."""
    return [
        SettingProblem(name, text, f"no such setting{did_you_mean(name, NAMES)}", "command line")
        for name, text in overrides.items()
        if "__" not in name and name.removesuffix("_FILE") not in NAMES and name not in NAMES
    ]


def find_all(
    names: Iterable[str], layers: list[Layer], problems: list[SettingProblem], at_fault: set[str]
) -> dict[str, SettingEntry]:
    """The texts of those settings that have one. The names of those whose text cannot be read are
    added to `at_fault`."""
    found: dict[str, SettingEntry] = {}
    for name in names:
        count = len(problems)
        entry = find(name, layers, problems)
        if entry is not None:
            found[name] = entry
        if len(problems) > count:
            at_fault.add(name)
    return found


def texts_by_field(entries: Mapping[str, SettingEntry]) -> dict[str, str]:
    """The texts by field; those of one VA by the field of the limit."""
    return {name.rpartition("__")[2].lower(): entry.text for name, entry in entries.items()}


def validated(model: type[M], texts: dict[str, str]) -> tuple[M | None, dict[str, str]]:
    """The model, or None and the fix for each field at fault."""
    try:
        return model.model_validate(texts), {}
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        return None, {str(fault["loc"][0]): str(fault["ctx"]["error"]) for fault in faults}


def problem_of(name: str, entries: Mapping[str, SettingEntry], remedy: str) -> SettingProblem:
    """The problem of a setting; one that stands nowhere is at odds with another by its default."""
    limit = name.rpartition("__")[2]
    default = str(SettingFields.model_fields[limit.lower()].default)
    entry = entries.get(name, SettingEntry(name, default, SettingSource.DEFAULT, "default"))
    hint = f" (default {default})" if default else ""
    if around := written_around(entry.text):
        hint = f"; {around}{hint}"
    text = MASK if limit in SECRETS else entry.text
    return SettingProblem(entry.variable, text, remedy + hint, entry.where)


def va_ids_of(
    entries: Mapping[str, SettingEntry], at_fault: Collection[str]
) -> frozenset[str] | None:
    """The ids of the VAs. Where VIRTUAL_ACCOUNTS cannot be used these are all words in it that may
    be ids, and None where no text of it is known."""
    entry = entries.get(_ACCOUNTS)
    if entry is None and _ACCOUNTS in at_fault:
        return None
    text = entry.text if entry else str(SettingFields.model_fields["virtual_accounts"].default)
    try:
        return frozenset(dict(read_accounts(text)))
    except ValueError:
        return frozenset(_ID.findall(text))


def limits_of_va(
    va_id: str,
    own: Mapping[str, SettingEntry],
    general: Mapping[str, SettingEntry],
    general_faults: Mapping[str, str],
    problems: list[SettingProblem],
) -> LimitFields | None:
    """The full limits of a VA: its own where set, else the general ones. A fault of a general limit
    is reported once, not again for each VA."""
    limits = {name: entry for name, entry in general.items() if name in LIMIT_NAMES}
    made, faults = validated(LimitFields, texts_by_field(limits) | texts_by_field(own))
    for field, remedy in faults.items():
        name = f"{va_id}__{name_of(field)}"
        if name in own:
            problems.append(problem_of(name, own, remedy))
        elif field not in general_faults:
            text = problem_of(name_of(field), general, remedy).value
            problems.append(SettingProblem(name, text, remedy, f"the general {name_of(field)}"))
    return made

"""Where the text of a setting comes from.

Flags win over the environment, the environment over `.env`. In each of them a setting stands as
`NAME`, or as `NAME_FILE`, the path of a file that holds the value; a limit of one VA as
`VA001__NAME`. A name that is nearly one of ours is pointed out, so that a misspelt limit does not
silently leave the default in force.

Which names are ours follows from the fields of the settings, which take long to make. So they are
asked for only where it matters, and who needs one path does without.
"""

import io
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import msgspec

from pointsman.config.problems import MASK, SettingProblem, close_match, did_you_mean

_FILE = "_FILE"
_OF_VA = "__"
_VALUE_BYTES_MAX = 65_536


class SettingSource(StrEnum):
    """Where a value came from, as `config show` names it."""

    DEFAULT = "default"
    ENV = "env"
    DOTENV = ".env"
    FLAG = "flag"
    FILE = "file"


class SettingEntry(msgspec.Struct, frozen=True, gc=False):
    """The text of one setting, the variable that it stood in, and where that was."""

    variable: str
    text: str
    source: SettingSource
    where: str


def is_quoted(text: str) -> bool:
    """Whether quotation marks stand around a text."""
    return len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]


def written_around(text: str) -> str:
    """What a value holds that is most likely not meant to be part of it, and what to do: a file
    that a shell would read is taken literally by docker and others. Empty where nothing does."""
    if is_quoted(text):
        return "the quotation marks are part of the value: leave them out"
    if " #" in text:
        return "the comment is part of the value: put it on a separate line"
    return ""


class Layer(msgspec.Struct, frozen=True):
    """One place with variables. `lines` says where each stands, where there are lines."""

    source: SettingSource
    where: str
    variables: Mapping[str, str]
    lines: Mapping[str, int] = {}

    def place_of(self, variable: str) -> str:
        line = self.lines.get(variable)
        return self.where if line is None else f"{self.where} line {line}"


def read_dotenv(path: Path, problems: list[SettingProblem], warnings: list[str]) -> Layer:
    """The variables of a `.env` file, taken literally: nothing is interpolated."""
    from dotenv.parser import parse_stream

    texts: dict[str, str] = {}
    lines: dict[str, int] = {}
    before = len(problems)
    text = _read(path, "--env-file", str(path), "command line", problems)
    for binding in parse_stream(io.StringIO(text or "")):
        line = _first_line(binding.original.string, binding.original.line)
        if binding.error or (binding.key is not None and binding.value is None):
            # The text is not shown: it may be part of a secret.
            problems.append(
                SettingProblem(f"line {line}", MASK, "write NAME=value", where=str(path))
            )
        elif binding.key is not None:
            if binding.key in texts:
                warnings.append(
                    f"{binding.key} appears twice in {path}: line {line} wins over line"
                    f" {lines[binding.key]}"
                )
            texts[binding.key] = binding.value or ""
            lines[binding.key] = line
    if len(problems) > before or any(value and _is_secret(name) for name, value in texts.items()):
        warnings += _seen_by_others(path)
    return Layer(SettingSource.DOTENV, str(path), texts, lines)


def _seen_by_others(path: Path) -> Iterator[str]:
    """A warning where every user of this machine may read the file, which holds secrets."""
    with suppress(OSError):  # a file that is not there is a problem already
        mode = path.stat().st_mode
        if stat.S_ISREG(mode) and mode & stat.S_IROTH:
            yield f"{path} can be read by every user of this machine; chmod 600 {path}"


def _first_line(original: str, line: int) -> int:
    """Blank lines before a binding belong to it."""
    blank = original[: len(original) - len(original.lstrip())]
    return line + blank.count("\n")


def layers_of(
    env: Mapping[str, str],
    env_file: Path | None,
    overrides: Mapping[str, str],
    problems: list[SettingProblem],
    warnings: list[str],
) -> list[Layer]:
    """Flags, environment and `.env`, in the order in which they win."""
    layers = [
        Layer(SettingSource.FLAG, "command line", overrides),
        Layer(SettingSource.ENV, "environment", env),
    ]
    if env_file is not None:
        layers.append(read_dotenv(env_file, problems, warnings))
    return layers


def find(name: str, layers: list[Layer], problems: list[SettingProblem]) -> SettingEntry | None:
    """The text of a setting from the first layer that has it, or None. `name` may be that of one
    VA's limit."""
    for layer in layers:
        text = layer.variables.get(name)
        path = layer.variables.get(name + _FILE)
        if not path:
            if text is None:
                continue
            return SettingEntry(name, text.strip(), layer.source, layer.place_of(name))
        if text:
            shown = MASK if _is_secret(name) else text
            remedy = f"{name}_FILE is set as well; keep one of them"
            problems.append(SettingProblem(name, shown, remedy, layer.place_of(name)))
            return None
        held = _read(Path(path), name + _FILE, path, layer.place_of(name + _FILE), problems)
        if held is None:
            return None
        return SettingEntry(name + _FILE, held.strip(), SettingSource.FILE, f"file {path}")
    return None


def _is_secret(name: str) -> bool:
    from pointsman.config.fields import SECRETS

    return name.rpartition(_OF_VA)[2] in SECRETS


def _read(
    path: Path, variable: str, value: str, where: str, problems: list[SettingProblem]
) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(_VALUE_BYTES_MAX + 1)
        if len(content) > _VALUE_BYTES_MAX:
            raise ValueError(f"the file is larger than {_VALUE_BYTES_MAX} bytes")
        return content.decode("utf-8-sig")
    except OSError as error:
        remedy = f"{error.strerror}; name a file that can be read"
    except UnicodeDecodeError:
        remedy = "save the file as UTF-8"
    except ValueError as error:
        remedy = f"{error}; name a file that can be read"
    problems.append(SettingProblem(variable, value, remedy, where))
    return None


def limits_by_va(
    va_ids: frozenset[str] | None, layers: list[Layer], problems: list[SettingProblem]
) -> dict[str, set[str]]:
    """The limits that are set per VA: names by VA id. What is meant so and cannot be is a
    problem. `va_ids` None is for accounts that cannot be read: then every id counts as one."""
    from pointsman.config.fields import LIMIT_NAMES, NAMES

    found: dict[str, set[str]] = {}
    for layer in layers:
        for variable in layer.variables:
            va_id, separator, rest = variable.rpartition(_OF_VA)
            limit = rest.removesuffix(_FILE)
            is_known = va_id in va_ids if va_ids is not None else limit in LIMIT_NAMES
            if not separator or not (is_known or limit in LIMIT_NAMES):
                continue
            if va_ids is not None and not is_known:
                hint = did_you_mean(va_id, va_ids)
                remedy = f"VIRTUAL_ACCOUNTS has no {va_id}; add it there, or remove this{hint}"
            elif limit in LIMIT_NAMES:
                found.setdefault(va_id, set()).add(limit)
                continue
            elif limit in NAMES:
                remedy = f"{limit} holds for all accounts; remove {va_id}__"
            else:
                hint = did_you_mean(limit, LIMIT_NAMES) or f"; use one of {', '.join(LIMIT_NAMES)}"
                remedy = f"no limit {limit}{hint}"
            shown = MASK if _is_secret(limit) else layer.variables[variable]
            problems.append(SettingProblem(variable, shown, remedy, layer.place_of(variable)))
    return found


def unknown_names(va_ids: frozenset[str], layers: list[Layer]) -> Iterator[str]:
    """A warning for each name that is most likely meant for us and is not one of ours. In `.env`
    that is every unknown name; in the environment, which is full of others' names, only one that is
    nearly ours."""
    from pointsman.config.fields import LIMIT_NAMES, NAMES

    ours = frozenset(NAMES) | frozenset(name + _FILE for name in NAMES)
    for layer in layers:
        for variable in layer.variables:
            va_id, _, rest = variable.rpartition(_OF_VA)
            if variable in ours or va_id in va_ids or rest.removesuffix(_FILE) in LIMIT_NAMES:
                continue
            name = rest if va_id else variable
            match = close_match(name, LIMIT_NAMES if va_id else ours)
            if match and match[:3] == name[:3].upper():
                hint = f"; did you mean {va_id + _OF_VA if va_id else ''}{match}?"
            elif layer.source is SettingSource.DOTENV:
                hint = " and is ignored"
            else:
                continue
            yield f"{variable} ({layer.place_of(variable)}) is not a setting{hint}"

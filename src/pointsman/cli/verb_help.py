"""How the verbs present themselves: in the order in which they are used, each with an example.

One table says both. `-h` is `--help`; a verb that is not in the table is a fault that its test
finds.
"""

import inspect
import re
from typing import Any

import typer
from typer.core import TyperGroup

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}

EXAMPLES: dict[str, str] = {
    "run": "pointsman run --signals none",
    "status": "pointsman status",
    "dashboard": "pointsman dashboard --url http://127.0.0.1:8080",
    "stop": "pointsman stop",
    "signals": "pointsman signals --refused --symbol NVDA --since 10m",
    "why": "pointsman why demo-1",
    "accounts": "pointsman accounts --json",
    "accounts add": "pointsman accounts add VA009 --balance 50000",
    "accounts deposit": "pointsman accounts deposit VA009 1000",
    "accounts withdraw": "pointsman accounts withdraw VA009 500",
    "accounts assign": 'pointsman accounts assign VA009 NVDA 5 --reason "bought by hand"',
    "positions": "pointsman positions --va VA001",
    "orders": "pointsman orders --open",
    "fills": "pointsman fills --limit 10",
    "trades": "pointsman trades --va VA001 --json",
    "incidents": "pointsman incidents --limit 10",
    "kill": 'pointsman kill --flatten --reason "something is wrong"',
    "rearm": 'pointsman rearm --reason "it was the feed"',
    "pause": 'pointsman pause --va VA001 --reason "news at two"',
    "resume": 'pointsman resume --va VA001 --reason "news is out"',
    "flatten": "pointsman flatten VA001",
    "reconcile": "pointsman reconcile",
    "config": "pointsman config check",
    "config check": "pointsman config check --env-file live.env",
    "config show": "pointsman config show",
    "venue": "pointsman venue list",
    "venue list": "pointsman venue list",
    "venue check": "pointsman venue check --orders",
    "notify": "pointsman notify test",
    "notify test": "pointsman notify test",
    "report": "pointsman report --html report.html",
    "whatif": "pointsman whatif --set MAX_LOSS_COOLDOWN=5",
    "simulate": "pointsman simulate --seeds 2",
    "journal": "pointsman journal check",
    "journal check": "pointsman journal check --db copy.db",
    "db": "pointsman db backup copy.db",
    "db backup": "pointsman db backup copy.db",
    "db migrate": "pointsman db migrate --db old.db",
    "standby": "pointsman standby --from nats://10.0.0.5:4222 --db desk.db",
    "fleet": "pointsman fleet status --from nats://10.0.0.5:4222",
    "fleet status": "pointsman fleet status --json",
    "fleet kill": 'pointsman fleet kill --reason "something is wrong"',
    "fleet rearm": 'pointsman fleet rearm --reason "it was the feed"',
    "fleet pause": 'pointsman fleet pause --reason "news at two"',
    "fleet resume": 'pointsman fleet resume --reason "news is out"',
    "restore": "pointsman restore --from nats://10.0.0.5:4222 --db copy.db",
}
"""By the words of the verb, in the order of use."""

_ORDER = list(EXAMPLES)


class InOrderOfUse(TyperGroup):
    """A group whose verbs stand in the order of the table, each with its example."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, those that the table lacks last."""
        path = _path(ctx)
        places = {words: place for place, words in enumerate(_ORDER)}
        return sorted(
            self.commands, key=lambda name: places.get(f"{path}{name}".strip(), len(places))
        )

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A verb, with its example below its help."""
        command = super().get_command(ctx, cmd_name)
        example = EXAMPLES.get(f"{_path(ctx)}{cmd_name}")
        if command is None:
            return None
        if example is not None:
            command.epilog = f"Example: {example}"
        if command.help:
            command.help = _unwrapped(command.help)
        _untyped(command.get_params(ctx))
        return command

    def get_params(self, ctx: Any) -> Any:
        """The options of the group itself."""
        return _untyped(super().get_params(ctx))


def _untyped(params: Any) -> Any:
    """Options that take no value, also those that are not ours, with no type beside them."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


def _unwrapped(text: str) -> str:
    """Paragraphs as wide as the terminal, not as the source."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(text))


def group(help_text: str, **given: Any) -> typer.Typer:
    """A group of verbs."""
    return typer.Typer(help=help_text, cls=InOrderOfUse, context_settings=HELP_OPTIONS, **given)


def _path(ctx: Any) -> str:
    """The words before a verb of this group, with a space behind."""
    return "" if ctx.parent is None else f"{ctx.info_name} "

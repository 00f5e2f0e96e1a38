"""The report as one HTML file that needs nothing else: no network, no other file, no server.

It is made of the page's own files: its style, its plots and its tables. Its scripts are put one
behind the other, in the order in which they need each other, and allowed by their hash alone, so
that a browser runs nothing else in it and asks no host for anything. What comes from outside stands
in it as data and becomes text.
"""

import base64
import html
import json
import re
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from string import Template

from pointsman.config.settings import Settings
from pointsman.domain.money import plain
from pointsman.domain.policy import Policy
from pointsman.domain.reasons import Reason
from pointsman.looking_back.changes import Period
from pointsman.looking_back.recorded import recorded
from pointsman.looking_back.whatif import decide_again, whatif_document
from pointsman.reading.documents import Document
from pointsman.reading.equity import Span, equity_document, read_equity
from pointsman.version import __version__

_MODULES = ("words.js", "dom.js", "curves.js", "stats.js")
"""Those of the page that the report shares, in the order in which they need each other."""
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def report_data(database: Path, settings: Settings) -> Document:
    """What the page shows. Raises StorageError and CannotDecide."""
    found = whatif_document(decide_again(database, (), settings.paper_fee_bps, Period()))
    with recorded(database) as then:
        va_ids = list(found["base"]["accounts"])
        equity = {
            va_id: [equity_document(point) for point in read_equity(then.connection, Span(va_id))]
            for va_id in va_ids
        }
        equity[""] = [equity_document(point) for point in read_equity(then.connection, Span())]
        started = then.started
    first, last = _bounds(equity)
    return {
        "title": f"Report of {database.name}",
        "account": "paper" if started is None else started.traded_on.label,
        "version": __version__,
        "zone": settings.trading_timezone,
        "from": first,
        "to": last,
        "report": found["base"],
        "by_rule": found["by_rule"],
        "equity": equity,
        "limits": {} if started is None else _limits(started.policy, va_ids),
        "sentences": {reason.value: reason.sentence for reason in Reason},
    }


def _bounds(equity: dict[str, list[Document]]) -> tuple[str | None, str | None]:
    times = [point["at"] for points in equity.values() for point in points]
    return min(times, default=None), max(times, default=None)


def _limits(policy: Policy, va_ids: list[str]) -> Document:
    def shown(amount: Decimal | None) -> str | None:
        return None if amount is None else plain(amount)

    limits = {
        va_id: {
            "daily_loss": shown(policy.limits_of(va_id).max_daily_loss),
            "drawdown_percentage": shown(policy.limits_of(va_id).max_drawdown_percentage),
        }
        for va_id in va_ids
    }
    limits[""] = {
        "daily_loss": shown(policy.global_max_daily_loss),
        "drawdown_percentage": shown(policy.global_max_drawdown_percentage),
    }
    return limits


def report_page(data: Document) -> str:
    """The file."""
    web, here = files("pointsman.api") / "web", files("pointsman.looking_back")
    modules = [*(web / name for name in _MODULES), here / "report.js"]
    own = "\n".join(_plain_script(module.read_text("utf-8")) for module in modules)
    plotting = (web / "uPlot.iife.min.js").read_text("utf-8")
    script = f'{plotting}\n(() => {{\n"use strict";\n{own}\n}})();\n'
    style = "\n".join((web / name).read_text("utf-8") for name in ("uPlot.min.css", "page.css"))
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)};"
        " base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    parts = {
        "policy": policy,
        "title": html.escape(data["title"]),
        "style": style,
        "data": json.dumps(data).replace("<", "\\u003c"),
        "script": script,
    }
    return Template((here / "report.html").read_text("utf-8")).substitute(parts)


def _plain_script(module: str) -> str:
    """A module as a part of one script."""
    return _EXPORT.sub("", _IMPORT.sub("", module))


def _hash(text: str) -> str:
    digest = base64.b64encode(sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"

"""What-if for people."""

from io import StringIO
from pathlib import Path

from rich.console import Console

from pointsman.looking_back.changes import Period
from pointsman.looking_back.shown import draw, name_of
from pointsman.looking_back.whatif import decide_again
from tests.looked_back import changes, session


def test_a_row_a_run_and_what_each_rule_refused(tmp_path: Path) -> None:
    told = session(tmp_path, seconds=200)
    found = decide_again(
        told.database, [changes(MAX_SPREAD_BPS="0")], told.settings.paper_fee_bps, Period()
    )
    out = StringIO()
    console = Console(file=out, width=120)
    console.print(draw(found))
    text = out.getvalue()
    assert "as it was" in text
    assert "MAX_SPREAD_BPS=0" in text
    assert "SPREAD " in text
    assert name_of({}) == "no change"

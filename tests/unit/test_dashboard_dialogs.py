"""Dialogs say first what they will do, and take nothing for granted."""

from pathlib import Path

import pytest
from textual.app import App
from textual.events import Key
from textual.widgets import Input, Static

from pointsman.dashboard import dialogs
from pointsman.dashboard.dialogs import Dialog, KillDialog, PauseDialog
from pointsman.dashboard.keys import help_text
from pointsman.dashboard.theme import STYLES
from pointsman.engine.kill_request import asker
from pointsman.engine.requests import Kill, Request
from tests.dashboard_pictures import busy_picture, picture

BY = f"{asker()}, dashboard"


class Stage(App[None]):
    """Opens one dialog, and keeps its answer."""

    CSS_PATH = Path(dialogs.__file__).with_name("dashboard.tcss")

    def __init__(self, dialog: Dialog) -> None:
        super().__init__()
        self.console.push_theme(STYLES["dark"])
        self.dialog = dialog
        self.answers: list[Request | None] = []

    def on_mount(self) -> None:
        """Open it."""
        self.push_screen(self.dialog, self.answers.append)

    def says(self, name: str) -> str:
        """What one part of it says."""
        return str(self.dialog.query_one(f"#{name}", Static).content)


async def test_kill_and_flatten_differ_by_the_word_alone() -> None:
    for word, is_flatten in (("KILL", False), ("FLATTEN", True)):
        stage = Stage(KillDialog())
        async with stage.run_test() as pilot:
            stage.dialog.query_one("#word", Input).value = word
            stage.dialog.query_one("#reason", Input).value = "  too hot "
            await pilot.press("enter")
            assert stage.answers == [Kill(flatten=is_flatten, reason="too hot", by=BY)]


async def test_a_kill_in_a_hurry_needs_neither_capitals_nor_a_reason() -> None:
    for word, is_flatten in (("kill", False), ("KILL ", False), (" Flatten", True)):
        stage = Stage(KillDialog())
        async with stage.run_test() as pilot:
            stage.dialog.query_one("#word", Input).value = word
            await pilot.press("enter")
            kill = Kill(flatten=is_flatten, reason="no reason given", by=BY)
            assert stage.answers == [kill]


async def test_a_wrong_word_presses_nothing() -> None:
    for word in ("", "kil", "y", "kill all"):
        stage = Stage(KillDialog())
        async with stage.run_test() as pilot:
            stage.dialog.query_one("#word", Input).value = word
            stage.dialog.query_one("#reason", Input).value = "why"
            await pilot.press("enter")
            assert stage.answers == []
            await pilot.press("escape")
            assert stage.answers == [None]


async def test_an_empty_or_a_wrong_word_is_told_what_would_do() -> None:
    for word in ("", "kil", "yes"):
        stage = Stage(KillDialog())
        async with stage.run_test() as pilot:
            stage.dialog.query_one("#word", Input).value = word
            await pilot.press("enter")
            assert stage.says("hint").startswith("Type KILL (or FLATTEN) to confirm.")


async def test_tab_leads_to_the_reason_also_for_what_is_typed_right_behind_it() -> None:
    stage = Stage(KillDialog())
    async with stage.run_test() as pilot:
        for key, character in (("K", "K"), ("tab", "\t"), ("w", "w")):
            stage.post_message(Key(key, character))
        await pilot.pause()
        lines = [stage.dialog.query_one(f"#{name}", Input).value for name in ("word", "reason")]
        assert lines == ["K", "w"]
        await pilot.press("tab")
        assert stage.dialog.focused is stage.dialog.query_one("#word", Input)


@pytest.mark.parametrize("size", [(40, 8), (60, 15), (72, 20), (200, 12)])
async def test_the_kill_fits_into_any_terminal(size: tuple[int, int]) -> None:
    stage = Stage(KillDialog())
    async with stage.run_test(size=size) as pilot:
        await pilot.press("enter")
        for name in ("word", "reason", "hint"):
            region = stage.dialog.query_one(f"#{name}").region
            assert region.height >= 1
            assert region in stage.dialog.region


async def test_the_pause_dialog_shows_no_seconds_that_would_stand_still() -> None:
    stage = Stage(PauseDialog(busy_picture(), "VA002"))
    async with stage.run_test():
        assert "It is: in cooldown\n" in stage.says("what")


async def test_the_pause_dialog_walks_through_all_accounts_and_round() -> None:
    stage = Stage(PauseDialog(busy_picture(), "VA001"))
    async with stage.run_test() as pilot:
        seen = []
        for _ in range(5):
            seen.append(stage.says("what").splitlines()[0])
            await pilot.press("down")
    assert seen == [
        "Pause VA001",
        "Pause VA002",
        "Resume VA003",
        "Pause all accounts",
        "Pause VA001",
    ]


async def test_an_account_that_is_not_there_stands_for_all() -> None:
    stage = Stage(PauseDialog(picture(), "VA404"))
    async with stage.run_test():
        assert stage.says("what").startswith("Pause all accounts")


def test_help_fits_into_the_smallest_terminal() -> None:
    lines = help_text().plain.splitlines()
    assert max(map(len, lines)) <= 66

"""What every story begins with: a new database, in memory where there is such a folder."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

import pytest

from pointsman.domain.policy import Policy
from pointsman.simulator.campaign import memory_folder
from pointsman.storage.sqlite_manager import SqliteManager
from tests.stories.story import Begin, Story, rules


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new database, made once."""
    path = tmp_path_factory.mktemp("template") / "new.db"
    manager = SqliteManager(path)
    manager.open()
    manager.close()
    return path


@pytest.fixture
def begin(template: Path) -> Iterator[Begin]:
    """Begins a story with rules and accounts of its own."""
    begun: list[Story] = []
    with TemporaryDirectory(prefix="pointsman-", dir=memory_folder()) as folder:

        def begin(policy: Policy | None = None, accounts: tuple[str, ...] = ("VA001",)) -> Story:
            database = Path(folder) / f"story{len(begun)}.db"
            copyfile(template, database)
            begun.append(Story(database, policy or rules(), accounts))
            return begun[-1]

        yield begin
        for story in begun:
            story.ends()


@pytest.fixture
def story(begin: Begin) -> Story:
    """A story with the default rules and one account, VA001."""
    return begin()

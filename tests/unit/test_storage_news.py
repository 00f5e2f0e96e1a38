"""Storage that fails is told once, and once that it works again."""

from pointsman.config.fields import LogLevel
from pointsman.execution.ports import StorageStatus
from pointsman.service.log import Said
from pointsman.service.notifications import Kind
from pointsman.service.storage_news import StorageNews


def test_each_change_is_told_once() -> None:
    lines: list[Said] = []
    notices: list[tuple[Kind, str]] = []
    news = StorageNews(lines.append, lambda kind, text: notices.append((kind, text)))
    fails = StorageStatus(3, "disk full", 1)
    for standing in (StorageStatus(1), fails, fails, StorageStatus(4), StorageStatus(5)):
        news.look(standing)
    assert [line[:2] for line in lines] == [
        (LogLevel.ERROR, "storage fails: disk full"),
        (LogLevel.WARNING, "storage works again"),
    ]
    assert [kind for kind, _ in notices] == [Kind.STORAGE_FAILS, Kind.STORAGE_WORKS]

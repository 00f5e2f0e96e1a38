"""The picture is encoded once for all who ask at about the same time."""

from pathlib import Path

import pytest

from pointsman.api import encoded_picture
from pointsman.api.encoded_picture import EncodedPicture
from pointsman.engine.kill_latch import latched_by
from pointsman.engine.requests import Kill
from pointsman.reading.documents import Document
from tests.http_stories import Served


def test_it_is_made_again_for_news_for_a_kill_and_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoded_picture, "PICTURE_SECONDS", 3600)
    with Served(tmp_path) as served:
        picture = EncodedPicture(served.board)
        made: list[object] = []
        document = served.board.document

        def counted() -> Document:
            made.append(None)
            return document()

        monkeypatch.setattr(served.board, "document", counted)
        first = picture.now()
        assert picture.now() is first
        assert len(made) == 1
        served.latch.press(latched_by(Kill(flatten=False, by="ann", reason="so"), 1))
        assert b"HALTED" in picture.now()
        assert len(made) == 2
        monkeypatch.setattr(encoded_picture, "PICTURE_SECONDS", 0)
        picture.now()
        assert len(made) == 3

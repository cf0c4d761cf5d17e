"""Blobs: what is read of them, and what an answer must bring along."""

from types import SimpleNamespace

import pytest

from shared.blobs import Place
from shared.reply import Surprise


def test_an_answer_without_a_date_is_a_surprise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The witness's time is taken from it; a proxy between us and the service may leave it out."""

    def download_blob(raw_response_hook, **asked: object) -> object:
        raw_response_hook(SimpleNamespace(http_response=SimpleNamespace(headers={"Via": "proxy"})))
        return SimpleNamespace(readall=lambda: b"{}", properties=SimpleNamespace(etag="1"))

    monkeypatch.setattr(Place, "_blob", lambda *told: SimpleNamespace(download_blob=download_blob))
    with pytest.raises(Surprise, match="an answer without a date"):
        Place("https://st.blob.core.windows.net", "understudy").get("contoso.json")

"""What people send lies on disk in a folder of its own, and a killed process's leavings are cleared away."""

import io
import os
import time
from pathlib import Path

from flask import Flask, request

from coursehub.web import spooling


def a_small_app(folder: Path) -> Flask:
    app = Flask(__name__)
    spooling.install(app, folder, creators_only=set())

    @app.post("/take")
    def take() -> str:
        return str(spooling.path_of(request.files["file"]))

    return app


def test_leavings_older_than_a_day_are_cleared_at_the_start(tmp_path: Path) -> None:
    old, new, other = tmp_path / "upload-old", tmp_path / "upload-new", tmp_path / "else"
    for path in (old, new, other):
        path.write_bytes(b"x")
    yesterday = time.time() - 25 * 3600
    for path in (old, other):
        os.utime(path, (yesterday, yesterday))
    a_small_app(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["else", "upload-new"]


def test_a_sent_file_is_gone_once_the_request_is_over(tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    with a_small_app(folder).test_client() as client:
        path = Path(client.post("/take", data={"file": (io.BytesIO(b"x" * 5000), "../../x.py")}).get_data(as_text=True))
    assert path.parent == folder
    assert not path.exists()

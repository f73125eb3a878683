"""Places that keep what they were given and never replace it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from gateway.audit.anchor import File, Folder, ObjectStore, anchor
from gateway.core.errors import ConfigError


class Store(BaseHTTPRequestHandler):
    kept: ClassVar[dict[str, bytes]] = {}

    def do_PUT(self):
        there = self.path in self.kept and self.headers["if-none-match"] == "*"
        status = 403 if self.path.startswith("/closed") else 412 if there else 201
        body = self.rfile.read(int(self.headers["content-length"]))
        if status == 201:
            self.kept[self.path] = body
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def store():
    Store.kept = {}
    with HTTPServer(("127.0.0.1", 0), Store) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_object_store_keeps_the_first_and_takes_no_other(store):
    place = anchor(f"{store}/audit?sig=x")
    assert isinstance(place, ObjectStore)
    place.put("checkpoint-1", "one")
    place.put("checkpoint-1", "two")
    assert Store.kept == {"/audit/checkpoint-1?sig=x": b"one"}
    with pytest.raises(ConfigError, match="status 403"):
        anchor(f"{store}/closed").put("checkpoint-1", "one")


def test_a_store_that_is_not_there_is_said():
    with pytest.raises(ConfigError, match="does not answer"):
        anchor("http://127.0.0.1:1/x").put("c", "one")


def test_a_folder_keeps_each_and_takes_no_other_of_its_name(tmp_path):
    place = anchor(f"{tmp_path / 'new'}/")
    assert isinstance(place, Folder)
    place.put("c1", "one")
    place.put("c1", "one")
    place.put("c2", "two")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["c1", "c2"]
    with pytest.raises(ConfigError, match="another checkpoint"):
        place.put("c1", "other")


def test_a_file_gets_each_once(tmp_path):
    place = anchor(str(tmp_path / "kept"))
    assert isinstance(place, File)
    for text in ("one\n", "one\n", "two\n"):
        place.put("c", text)
    assert (tmp_path / "kept").read_text() == "one\n\ntwo\n\n"
    with pytest.raises(ConfigError, match="cannot be kept"):
        anchor(str(tmp_path / "no" / "such")).put("c", "one")

"""The links to other hosts: all of them are listed, and those that lead nowhere are found."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import links


class Answers(BaseHTTPRequestHandler):
    """Says with which status an address answers: /404 with 404, /slow never."""

    released = threading.Event()

    def do_GET(self) -> None:
        asked = self.path.strip("/")
        if asked == "slow":
            self.released.wait(30)
            return
        self.send_response(int(asked))
        self.send_header("Content-Length", "0")
        if asked == "301":
            self.send_header("Location", "/200")
        if asked == "302":
            self.send_header("Location", "/404")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    """Another host, on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        Answers.released.set()
        server.shutdown()


def test_what_leads_nowhere_is_found_and_nothing_else(host: str) -> None:
    addresses = [f"{host}/{asked}" for asked in ("200", "301", "302", "403", "404", "500", "slow")]
    addresses.append("http://127.0.0.1:9/")  # nobody listens there
    found = links.faults(addresses, patience=0.5)
    assert found.pop("http://127.0.0.1:9/").startswith("ConnectionError")
    assert {address.rpartition("/")[2]: what for address, what in found.items()} == {
        "302": "404 Not Found",
        "404": "404 Not Found",
        "500": "500 Internal Server Error",
        "slow": "no answer in 0.5 s",
    }


def test_an_address_is_listed_once_with_all_its_pages(tmp_path: Path) -> None:
    pages = {
        "b.html": "<a href='https://one.example/x#part'>one</a><a href='a.html'>own</a>",
        "a.html": "<a href='https://one.example/x'>one</a><a href='http://two.example'>two</a>",
        "lite/index.html": "<a href='https://not-ours.example'>theirs</a>",
        "_static/page.html": "<a href='https://not-ours.example'>theirs</a>",
    }
    for name, body in pages.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(body)
    assert links.external(tmp_path) == {
        "http://two.example": ["a.html"],
        "https://one.example/x": ["a.html", "b.html"],
    }


def test_the_book_links_to_papers_and_they_are_listed(book: Path) -> None:
    found = links.external(book)
    assert "book/licenses.html" in found["https://creativecommons.org/licenses/by/4.0/"]
    assert not any(" " in address for address in found)

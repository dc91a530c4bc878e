"""The site asks nothing of any other host: pages read behind a proxy that denies everything, and files scanned."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from test_site import pages_of

HOST = r"""["'`]?\s*(?:https?:|wss?:)?//\w"""
TAG = re.compile(
    r"<(?:script|link|img|iframe|source|video|audio|embed|object|use|image|form)\b[^>]*>"
)
NAMED = re.compile(rf"\b(?:src|srcset|href|data|poster|action)=\s*{HOST}")
LED = re.compile(r'\brel="?(?:canonical|license|author)\b')  # a browser fetches none of these
STYLE = re.compile(rf"(?:\burl\(|@import\s)\s*{HOST}")
CALL = r"fetch|import|importScripts|Worker|WebSocket|EventSource|sendBeacon|open\([^,]*,"
CODE = re.compile(
    rf"(?:\b(?:{CALL})\(?\s*|\bfrom\s*|\bimport\s*|\.(?:src|href|action)\s*=\s*){HOST}"
)


def elsewhere(text: str) -> list[str]:
    """What a file names of other hosts in a place where a browser would go there by itself."""
    tags = [tag for tag in TAG.findall(text) if NAMED.search(tag) and not LED.search(tag)]
    return tags + [found[0] for found in [*STYLE.finditer(text), *CODE.finditer(text)]]


@pytest.mark.parametrize(
    "text",
    [
        '<script defer src="https://cdn.example/x.js">',
        "<link rel='preconnect' href='//fonts.example'>",
        '<link rel="stylesheet" href="http://example.org/a.css">',
        '<img alt="" src="//example.org/a.png">',
        "p { background: url(https://example.org/a.png) }",
        '@import "//example.org/a.css";',
        'await fetch("https://example.org")',
        "import x from 'https://example.org/x.js'",
        'import "https://example.org/x.js"',
        "await import(`https://example.org/x.js`)",
        'request.open("GET", "https://example.org")',
        "picture.src = '//example.org/a.png'",
        'new WebSocket("wss://example.org")',
    ],
)
def test_the_scan_sees(text: str) -> None:
    assert elsewhere(text)


@pytest.mark.parametrize(
    "text",
    [
        '<a href="https://example.org">their own choice</a>',
        '<link rel="canonical" href="https://our.example/book/intro.html" />',
        "mask: url(\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'\")",
        '<svg xmlns="http://www.w3.org/2000/svg">',
        'import { a } from "./live.js"; // see https://example.org',
    ],
)
def test_the_scan_lets_pass(text: str) -> None:
    assert not elsewhere(text)


def test_no_file_names_another_host(book: Path) -> None:
    files = [path for path in book.rglob("*") if path.suffix in (".html", ".css", ".js", ".svg")]
    ours = [path for path in files if path.relative_to(book).parts[0] != "lite"]
    assert len(ours) > 50
    found = [f"{path.name}: {what}" for path in ours for what in elsewhere(path.read_text("utf-8"))]
    assert not found, "\n".join(found)


@pytest.fixture(scope="module")
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that denies everything, and what it was asked for."""
    heard: list[str] = []

    class Deny(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.command} {self.path}")
            self.send_error(403)

        do_CONNECT = do_POST = do_HEAD = do_OPTIONS = do_PUT = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Deny) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()


@pytest.fixture
def page(browser: Browser, proxy: tuple[str, list[str]]) -> Iterator[Page]:
    """A page that reaches this machine, and everything else through the proxy alone."""
    through = {"server": proxy[0], "bypass": "127.0.0.1"}
    context = browser.new_context(proxy=through, viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def read(page: Page) -> None:
    """What a reader may do: open the menus, go to the end, move a figure."""
    for menu in page.locator(".article-header-buttons [data-bs-toggle=dropdown]").all():
        menu.click()
        menu.press("Escape")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    sliders = page.locator("figure.live input[type=range]")
    if sliders.count():
        sliders.first.press("End")
        page.locator("figure.live:has(input[type=range])[data-ready]").first.wait_for()


def test_no_page_asks_another_host(
    page: Page, proxy: tuple[str, list[str]], book: Path, address: str
) -> None:
    paths = [path for path in pages_of(book) if path.name != "index.html"]
    assert len(paths) > 30
    for path in paths:
        page.goto(address + path.relative_to(book).as_posix())
        read(page)
    page.goto(address + "search.html?q=forget")
    page.locator("#search-results li a").first.wait_for()
    assert proxy[1] == []


def test_the_proxy_hears(page: Page, proxy: tuple[str, list[str]], address: str) -> None:
    page.goto(address + "book/read.html")
    page.evaluate(
        "new Promise((done) => { const i = new Image(); i.onerror = done; i.src = 'http://elsewhere.test/x.png'; })"
    )
    assert proxy[1].pop() == "GET http://elsewhere.test/x.png"

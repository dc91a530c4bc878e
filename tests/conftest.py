"""What the tests of the built book share: the book, built once, and a browser to read it with."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

import book as tool
from browser import find_or_install

os.environ |= tool.ONE_THREAD  # for the kernels of the notebooks, too


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the built pages, made by the code behind `make book`."""
    return tool.build()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium; no test can be without one, so a missing browser is an error."""
    path = find_or_install()
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if as_root else []
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session", params=["from disk", "over http"])
def address(request: pytest.FixtureRequest, book: Path) -> Iterator[str]:
    """Where the book begins: its folder on disk, or a server of that folder."""
    if request.param == "from disk":
        yield book.as_uri() + "/"
        return
    with tool.server(book, port=0) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{pages.server_port}/"
        pages.shutdown()

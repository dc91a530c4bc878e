"""What the tests of the built book share: the book, built once, and a browser to read it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import engines
import pytest
from filelock import FileLock
from playwright.sync_api import Browser, Playwright, sync_playwright

import book as tool
from browser import ENGINES, find_or_install

os.environ |= tool.ONE_THREAD  # for the kernels of the notebooks, too


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests share a process, for they share fixtures; those in three browsers go engine
    by engine, and first, for they take longest: at the end every other process would wait for them."""

    def engine(item: pytest.Item) -> str:
        return item.callspec.params.get("window", "") if hasattr(item, "callspec") else ""

    for item in items:
        item.add_marker(pytest.mark.xdist_group(f"{item.path.name} {engine(item)}"))
    items.sort(key=lambda item: not engine(item))


@pytest.fixture(scope="session")
def book() -> Path:
    """The folder of the built pages, made by the code behind `make book`."""
    lock = tool.ROOT / "_build" / "tests.lock"
    lock.parent.mkdir(exist_ok=True)
    with FileLock(lock):  # tests may run in several processes: one builds, the others wait for it
        return tool.build()


@pytest.fixture(scope="session")
def programs() -> dict[str, str]:
    """Where the browsers are; no test can be without them, so a missing one is an error."""
    return {engine: find_or_install(engine) for engine in ENGINES}


@pytest.fixture(scope="session")
def playwright(programs: dict[str, str]) -> Iterator[Playwright]:
    """Playwright, started once: a second time in the same process is an error."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, programs: dict[str, str]) -> Iterator[Browser]:
    """A headless Chromium."""
    with engines.launch(playwright.chromium, programs["chromium"]) as chromium:
        yield chromium


@pytest.fixture(scope="session", params=ENGINES)
def window(
    request: pytest.FixtureRequest, playwright: Playwright, programs: dict[str, str]
) -> Iterator[engines.Window]:
    """A window of each engine: Chromium's, Firefox's and WebKit's."""
    engine = request.param
    with engines.window(engine, programs[engine], playwright) as opened:
        opened.resize(1280, 800)
        yield opened


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


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny book's pages, built as its author would: with nothing of this book."""
    source = tmp_path_factory.mktemp("tiny") / "book"
    shutil.copytree(Path(__file__).with_name("tiny_book"), source)
    command = [Path(sys.executable).parent / "jupyter-book", "build", source, "--warningiserror"]
    subprocess.run(command, check=True, cwd=source)
    return source / "_build" / "html"


@pytest.fixture(scope="session", params=["from disk", "over http"])
def tiny_address(request: pytest.FixtureRequest, tiny: Path) -> Iterator[str]:
    """Where the tiny book begins: its folder on disk, or a server of that folder."""
    if request.param == "from disk":
        yield tiny.as_uri() + "/"
        return
    with tool.server(tiny, port=0) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{pages.server_port}/"
        pages.shutdown()

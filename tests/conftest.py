"""What the tests of the built book share: the book, built once, and a browser to read it with."""

from __future__ import annotations

import os
import re
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
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

import book as tool
from browser import ENGINES, find_or_install

os.environ |= tool.ONE_THREAD  # for the kernels of the notebooks, too


def engine_of(nodeid: str) -> str:
    """The browser that a test runs in, by its parameters: "" where it chooses none."""
    parameters = re.split(r"[\[\]-]", nodeid)[1:]
    return next((engine for engine in ENGINES if engine in parameters), "")


class ByFileAndEngine(LoadScopeScheduling):
    """A file's tests share a process, for they share fixtures; those in three browsers go engine by
    engine. (By name: pytest-xdist 3.8 loses the marks of its own groups under pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return f"{nodeid.partition('::')[0]} {engine_of(nodeid)}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return ByFileAndEngine(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First those in three browsers, which take longest: at the end all others would wait for them."""
    items.sort(key=lambda item: not engine_of(item.nodeid))


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

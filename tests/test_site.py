"""The built pages: quiet, complete and at home on their own host, from a disk and over http."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from listening import complaints
from playwright.sync_api import Browser, Page


def pages_of(book: Path) -> list[Path]:
    """The book's own pages: `make lite` puts those of others beside them."""
    inside = ((path, path.relative_to(book).parts[0]) for path in sorted(book.rglob("*.html")))
    return [path for path, first in inside if first not in ("_static", "lite")]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def test_every_page_is_quiet(page: Page, book: Path, address: str) -> None:
    found = complaints(page, address)
    for path in pages_of(book):
        before = len(found)
        page.goto(address + path.relative_to(book).as_posix(), wait_until="networkidle")
        page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_load_state("networkidle")
        found[before:] = [f"{path.name}: {complaint}" for complaint in found[before:]]
    assert not found, "\n".join(found)


def test_search_finds_a_page(page: Page, address: str) -> None:
    found = complaints(page, address)
    page.goto(address + "search.html?q=perplexity")
    page.locator("#search-results li a", has_text="Glossary").first.wait_for()
    assert not found, "\n".join(found)


def test_the_book_opens_at_its_first_page(page: Page, address: str) -> None:
    found = complaints(page, address)
    page.goto(address + "index.html")
    page.wait_for_url(address + "book/intro.html")
    assert not found, "\n".join(found)


def test_a_complaint_is_heard(page: Page, address: str) -> None:
    found = complaints(page, address)
    page.goto(address + "book/read.html", wait_until="networkidle")
    assert not found
    page.evaluate(
        """() => {
            console.error("an error");
            document.body.append(Object.assign(new Image(), {src: "no-such-picture.png"}));
            document.body.append(Object.assign(new Image(), {src: "http://127.0.0.2:9/x.png"}));
            setTimeout(() => { throw new Error("thrown") });
        }"""
    )
    wanted, kinds = {"console", "uncaught", "failed", "foreign"}, set()
    for _ in range(100):  # each comes in its own time
        page.wait_for_timeout(100)
        kinds = {complaint.split(":")[0] for complaint in found}
        if kinds >= wanted:
            break
    assert kinds >= wanted, found


def test_every_link_leads_somewhere(book: Path) -> None:
    soups = {path: BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in pages_of(book)}
    anchors = {path: {tag["id"] for tag in soup.find_all(id=True)} for path, soup in soups.items()}
    dead = []
    for path, soup in soups.items():
        for tag in soup.find_all(href=True) + soup.find_all(src=True):
            link = tag.get("href") or tag.get("src")
            parts = urlsplit(link)
            if parts.scheme:  # other hosts are the reader's own choice; mail and data have no page
                continue
            if "data-offer" in tag.attrs and "hidden" in tag.attrs:  # nothing is offered yet
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = parts.fragment.partition("?")[0]  # behind it stands the state of a figure
            if not target.is_file() or (
                anchor and target in anchors and anchor not in anchors[target]
            ):
                dead.append(f"{path.relative_to(book)}: {link}")
    assert not dead, "\n".join(dead)

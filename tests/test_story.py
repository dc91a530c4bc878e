"""The way through the built book: contents that tell the story, one page after another, and the page for none."""

from __future__ import annotations

import shutil
import threading
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from bs4 import BeautifulSoup, Tag
from listening import complaints
from playwright.sync_api import Browser

from book import ROOT, server

TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
ORDER = [TOC["root"], *(chapter["file"] for part in TOC["parts"] for chapter in part["chapters"])]
CHAPTERS = [page for page in ORDER if page.startswith("notebooks/")]


@pytest.fixture(scope="module")
def soups(book: Path) -> dict[str, BeautifulSoup]:
    return {
        page: BeautifulSoup((book / f"{page}.html").read_text("utf-8"), "html.parser")
        for page in ORDER
    }


def leads_to(book: Path, page: str, link: Tag) -> str:
    """The page that a link of a page leads to, named as in the table of contents."""
    target = (book / page).parent / unquote(link["href"].partition("#")[0])
    return target.resolve().relative_to(book).with_suffix("").as_posix()


def walk(book: Path, soups: dict[str, BeautifulSoup], start: str, way: str) -> list[str]:
    seen = [start]
    while link := soups[seen[-1]].select_one(f".prev-next-area a.{way}"):
        seen.append(leads_to(book, seen[-1], link))
        assert len(seen) <= len(ORDER), "it goes in a circle"
    return seen


def test_next_leads_through_the_whole_book_and_previous_back(
    book: Path, soups: dict[str, BeautifulSoup]
) -> None:
    assert walk(book, soups, ORDER[0], "right-next") == ORDER
    assert walk(book, soups, ORDER[-1], "left-prev") == ORDER[::-1]


def test_what_next_promises_is_the_title_of_the_next_page(
    book: Path, soups: dict[str, BeautifulSoup]
) -> None:
    for page in ORDER[:-1]:
        link = soups[page].select_one(".prev-next-area a.right-next")
        title = soups[leads_to(book, page, link)].h1.find(string=True)
        assert link.select_one(".prev-next-title").get_text() == title


def test_the_contents_stand_beside_every_page(soups: dict[str, BeautifulSoup], book: Path) -> None:
    for page, soup in soups.items():
        story = soup.select_one("nav.story")
        captions = [part.get_text() for part in story.select(".story-part")]
        assert captions == [part["caption"] for part in TOC["parts"]]
        links = story.select("a")
        here = [link for link in links if link.get("aria-current") == "page"]
        assert len(here) == (page != ORDER[0]), page
        pages = [page if link in here else leads_to(book, page, link) for link in links]
        assert pages == ORDER[1:]
        numbers = [n.get_text() for n in story.select(".story-number")]
        assert numbers == [str(k + 1) for k in range(len(CHAPTERS))]


def test_a_chapter_says_where_it_stands(soups: dict[str, BeautifulSoup]) -> None:
    assert soups[ORDER[0]].select_one(".place") is None
    for number, page in enumerate(CHAPTERS, 1):
        place = soups[page].select_one("article .place")
        part = next(p["caption"] for p in TOC["parts"] if {"file": page} in p["chapters"])
        assert place.get_text() == f"{part} · Chapter {number}"
        assert place.find_next_sibling().name == "h1"
    assert soups["book/glossary"].select_one(".place") is None


def test_the_cover_tells_of_every_chapter(soups: dict[str, BeautifulSoup], book: Path) -> None:
    cover = soups[ORDER[0]]
    told, numbers = [], []
    for rows in cover.select(".chapters ol"):
        numbers += range(start := int(rows.get("start", 1)), start + len(rows.select("li")))
        for row in rows.select("li"):
            title = row.a.extract()
            assert 40 < len(row.get_text(" ", strip=True)) < 160, (
                "one sentence or two, with content"
            )
            told.append(leads_to(book, ORDER[0], title))
    assert told == CHAPTERS
    assert numbers == [k + 1 for k in range(len(CHAPTERS))]
    assert leads_to(book, ORDER[0], cover.select_one(".doors a")) == CHAPTERS[0]


def test_headings_go_down_by_one_from_one_title(soups: dict[str, BeautifulSoup]) -> None:
    wrong = []
    for page, soup in soups.items():
        levels = [int(h.name[1]) for h in soup.find_all(["h1", "h2", "h3", "h4", "h5", "h6"])]
        if levels.count(1) != 1 or levels[0] != 1:
            wrong.append((page, levels))
        wrong += [(page, pair) for pair in pairwise(levels) if pair[1] > pair[0] + 1]
    assert not wrong
    assert not any(soup.select("[role=heading]") for soup in soups.values())


# ---- the page that is shown where there is none ------------------------------------------------


def test_what_is_missing_is_answered_with_the_books_own_page(book: Path) -> None:
    with server(book, port=0) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        for method in ("GET", "HEAD"):
            line = HTTPConnection("127.0.0.1", pages.server_port)
            line.request(method, "/notebooks/99_nothing.html")
            answer = line.getresponse()
            assert answer.status == 404
            assert answer.headers["Content-Type"].startswith("text/html")
            expected = (book / "404.html").read_bytes() if method == "GET" else b""
            assert answer.read() == expected
            line.close()
        pages.shutdown()


@pytest.mark.parametrize("prefix", ["", "some/where/"])
@pytest.mark.parametrize("missing", ["nothing", "notebooks/99.html", "deep/down/in/it/"])
def test_from_anywhere_it_leads_home_and_searches(
    browser: Browser, book: Path, tmp_path: Path, prefix: str, missing: str
) -> None:
    site = tmp_path / "site" / prefix
    if prefix:
        site.parent.mkdir(parents=True)
        site.symlink_to(book, target_is_directory=True)
        shutil.copy(book / "404.html", tmp_path / "site")
    else:
        (tmp_path / "site").symlink_to(book, target_is_directory=True)
    page = browser.new_page()
    with server(tmp_path / "site", port=0) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{pages.server_port}/{prefix}"
        page.goto(root + missing)
        page.wait_for_function("root => document.links[0].href === root + 'index.html'", arg=root)
        page.locator("a").click()
        page.wait_for_url(root + "book/intro.html")
        page.go_back()
        page.wait_for_function("root => document.links[0].href === root + 'index.html'", arg=root)
        page.get_by_role("searchbox").fill("perplexity")
        page.keyboard.press("Enter")
        page.locator("#search-results li a", has_text="Glossary").first.wait_for()
        assert page.url.startswith(root + "search.html?q=perplexity")
        pages.shutdown()
    page.close()


def test_it_brings_all_that_it_needs(browser: Browser, book: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    found = complaints(page, book.as_uri())
    page.goto((book / "404.html").as_uri(), wait_until="networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [page.url]
    assert not found
    page.close()

"""The links to what further commands add to the site: hidden until it is there, then on every page."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser

import offers
from book import ROOT

CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture
def pages(book: Path, tmp_path: Path) -> Path:
    """A copy of the built pages, to be changed."""
    shutil.copytree(book, tmp_path / "html")
    return tmp_path / "html"


def links(page: Path, offer: str) -> list[Tag]:
    soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    return soup.find_all("a", attrs={"data-offer": offer})


def test_each_chapter_offers_its_own_notebook_and_hides_it(book: Path) -> None:
    for chapter in CHAPTERS:
        (link,) = links(book / "notebooks" / f"{chapter.stem}.html", "lite")
        assert link["href"] == f"../lite/notebooks/index.html?path={chapter.name}"
        assert " ".join(link.get_text().split()) == "Run this chapter in your browser"
        assert "hidden" in link.attrs
    assert not links(book / "book" / "intro.html", "lite")


def test_what_is_shown_is_shown_on_every_page_once_and_for_all(pages: Path) -> None:
    assert offers.show(pages, "lite") == len(CHAPTERS)
    again = {path: path.read_bytes() for path in pages.rglob("*.html")}
    assert offers.show(pages, "lite") == len(CHAPTERS)
    assert again == {path: path.read_bytes() for path in pages.rglob("*.html")}
    page = pages / "notebooks" / CHAPTERS[0].with_suffix(".html").name
    assert "hidden" not in links(page, "lite")[0].attrs
    assert "hidden" in links(page, "pdf")[0].attrs, "an offer is shown that nobody made true"


def test_every_page_of_the_book_offers_the_pdf(pages: Path) -> None:
    contents = (ROOT / "_toc.yml").read_text("utf-8").count("file: ") + 1  # and the first page
    assert offers.show(pages, "pdf") >= contents
    assert links(pages / "book" / "intro.html", "pdf")[0]["href"] == "../rnn_teach.pdf"
    assert links(pages / "search.html", "pdf")[0]["href"] == "rnn_teach.pdf"


def test_an_unknown_offer_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected one of lite, pdf, got 'epub'"):
        offers.show(tmp_path, "epub")


@pytest.mark.parametrize("width", [390, 1280])
def test_an_offer_is_seen_once_it_is_shown(pages: Path, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    address = (pages / "notebooks" / "06_vanishing.html").as_uri()
    page.goto(address)
    assert not page.locator("[data-offer]:visible").count()
    for offer in offers.OFFERS:
        offers.show(pages, offer)
    page.goto(address)
    assert page.locator("[data-offer]:visible").count() == len(offers.OFFERS)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    inside = "(link) => link.getBoundingClientRect().right <= innerWidth"
    assert page.locator("[data-offer]").evaluate_all(f"(links) => links.every({inside})")
    page.close()


def test_from_a_disk_the_offer_leads_to_the_words_that_say_what_it_needs(
    pages: Path, browser: Browser
) -> None:
    offers.show(pages, "lite")
    page = browser.new_page()
    page.goto((pages / "notebooks" / "06_vanishing.html").as_uri())
    page.locator("[data-offer=lite]").click()
    page.wait_for_url("**/book/run.html#in-your-browser")
    assert page.locator("#in-your-browser").count(), "book/run.md says nothing of it"
    page.close()

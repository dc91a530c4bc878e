"""Search in the built book: it finds words of the glossary, of formulas and of figures, from disk and over http."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from listening import complaints
from playwright.sync_api import Browser, Page

FOUND = "#search-results li a"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    yield page
    page.close()


@pytest.mark.parametrize(
    ("words", "title"),
    [
        ("teacher forcing", "Glossary"),  # one of its entries
        ("smallest half width level", "Can it forecast a real series?"),  # \text in a formula
        ("lceil", "Can it forecast a real series?"),  # nothing but a formula has this word
        ("conveyor belt carousel", "What are the four steps of an LSTM?"),  # around formulas
        ("unrolled network gradient arrow", "Every figure, and what to ask"),  # of a figure
        ("hesitates between", "Can it predict the next symbol?"),  # a figure's own sentence
    ],
)
def test_it_finds(page: Page, address: str, words: str, title: str) -> None:
    found = complaints(page, address)
    page.goto(f"{address}search.html?q={words.replace(' ', '+')}")
    page.locator(FOUND, has_text=title).first.wait_for()
    assert not found, "\n".join(found)


def test_by_keyboard_alone_from_a_chapter_to_an_entry(page: Page, address: str) -> None:
    page.goto(address + "notebooks/06_vanishing.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("peephole connection")
    page.keyboard.press("Enter")
    page.locator(FOUND, has_text="Glossary").first.wait_for()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.closest('#search-results') !== null"):
            break
    page.keyboard.press("Enter")
    page.wait_for_function("() => !location.href.includes('search.html')")
    page.locator("article h1").wait_for()  # one, or it is an error


def test_what_is_not_there_is_said(page: Page, address: str) -> None:
    page.goto(address + "search.html?q=xylophone")
    page.get_by_text("did not match any documents").wait_for()
    assert page.locator(FOUND).count() == 0


def test_an_excerpt_is_words_without_formulas_code_and_pictures(page: Page, book: Path) -> None:
    page.goto(book.as_uri() + "/search.html")
    text = page.evaluate(
        """() => Search.htmlToText(`<main role="main">The state <mjx-container><svg><text>h</text></svg>
          <mjx-assistive-mml><math><mi>h</mi></math></mjx-assistive-mml></mjx-container> stays.
          <pre>import this</pre><figure><svg><text>axis</text></svg><p>Half.</p></figure></main>`)"""
    )
    assert text.replace("…", " … ").split() == ["The", "state", "…", "stays.", "…", "…", "Half."]


@pytest.mark.parametrize("width", [390, 1280])
def test_its_page_has_the_books_column(page: Page, book: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(book.as_uri() + "/search.html?q=gradient")
    page.locator(FOUND).first.wait_for()
    edges = """(name) => {
      const { left, right } = document.querySelector(name).getBoundingClientRect();
      return [left, right];
    }"""
    field = page.evaluate(edges, ".bd-search-container form")
    results = page.evaluate(edges, "#search-results")
    assert field == results
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(book.as_uri() + "/book/glossary.html")
    assert page.evaluate(edges, "article h1") == field

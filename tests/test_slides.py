"""The slide view: a chapter's figures one after another, by keyboard, large enough for the last row."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from engines import Window
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, Page
from reader import Reader
from test_engines_reach import AXE

ORDER = "() => Array.from(document.querySelectorAll('figure.live'), (figure) => figure.id)"
SHOWN = "() => document.querySelector('.slides-stage figure.live, .slides-stage form')?.id"
FIRST_IN_TITLE = "() => document.querySelector('dialog.slides[open] .slides-title').textContent"
SMALLEST = """() => Math.min(...Array.from(
  document.querySelectorAll(".slides-stage :is(svg text, .live-label, .live-value, select, .live-sentence)"),
  (text) => text instanceof SVGElement
    ? parseFloat(getComputedStyle(text).fontSize) * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b)
    : parseFloat(getComputedStyle(text).fontSize)))"""
TOO_HIGH = """() => {
  const stage = document.querySelector(".slides-stage");
  return Math.max(stage.scrollHeight - stage.clientHeight, stage.scrollWidth - stage.clientWidth);
}"""


def test_the_pure_parts_in_node() -> None:
    node = compute_driver_executable()[0]
    script = Path(__file__).with_name("slides.test.mjs")
    environment = {**os.environ, "NODE_NO_WARNINGS": "1"}
    run = subprocess.run(
        [node, "--test", script], check=False, capture_output=True, text=True, env=environment
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pass 4" in run.stdout, run.stdout


def test_the_keyboard_leads_through_and_out_again(window: Window, tiny_address: str) -> None:
    reader = Reader(window, tiny_address)
    reader.open("more.html")
    figures = window.run(ORDER)
    window.open(tiny_address + "more.html?slides")
    reader.until("says", ".slides-place", f"1 of {len(figures)}")
    assert window.run(FIRST_IN_TITLE) == "Figures that belong together"
    seen = [window.run(SHOWN)]
    for k in range(2, len(figures) + 1):
        window.press("PageDown")
        reader.until("says", ".slides-place", f"{k} of {len(figures)}")
        seen.append(window.run(SHOWN))
    assert seen == figures
    window.press("PageDown")  # there is no more
    reader.settle()
    assert window.run(SHOWN) == figures[-1]
    window.press("PageUp", "ArrowLeft")
    reader.settle()
    assert window.run(SHOWN) == figures[-3]
    window.press("Escape")
    reader.until("there", "dialog.slides:not([open])")
    reader.settle()
    assert window.run(ORDER) == figures, "each is back in its place"
    assert "?slides" not in window.run("() => location.href")


def test_a_figure_on_a_slide_is_the_figure_of_the_page(window: Window, tiny_address: str) -> None:
    reader = Reader(window, tiny_address)
    window.open(tiny_address + "first.html?slides#wave?gain=1.5")
    reader.until("ready", ".slides-stage #wave")
    reader.says("wave", "A sine with gain 1.5 rises to 1.50.")
    reader.focus("#wave input")
    window.press("PageDown")  # the last slide: neither it nor the slider moves
    window.press("ArrowRight")  # the slider's own
    reader.says("wave", "A sine with gain 1.6 rises to 1.60.")
    window.press("Escape")
    reader.until("there", "dialog.slides:not([open])")
    reader.says("wave", "A sine with gain 1.6 rises to 1.60.")
    assert reader.values("wave")[0] == 11


@pytest.fixture
def page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1920, "height": 1080})
    yield page
    page.close()


def test_the_button_opens_the_slide_of_the_figure_in_view(page: Page, tiny: Path) -> None:
    page.set_viewport_size({"width": 1280, "height": 400})
    page.goto((tiny / "more.html").as_uri())
    page.locator("#letters").evaluate("figure => figure.scrollIntoView({block: 'start'})")
    page.locator("a.btn-slides").click()
    assert page.evaluate(SHOWN) == "letters"
    assert page.url.endswith("?slides#letters")


def test_full_screen_keeps_the_slide(page: Page, tiny: Path) -> None:
    page.goto((tiny / "more.html").as_uri() + "?slides#letters")
    page.get_by_role("button", name="Full screen").click()
    page.wait_for_function("document.fullscreenElement && document.querySelector('.slides').open")
    assert page.evaluate(SHOWN) == "letters"
    on_top = "() => document.elementFromPoint(960, 500).closest('dialog') !== null"
    assert page.evaluate(on_top)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_has_nothing_against_a_slide(browser: Browser, tiny: Path, theme: str) -> None:
    page = browser.new_page(color_scheme=theme)
    page.goto((tiny / "first.html").as_uri() + "?slides")
    page.locator("dialog.slides[open] figure.live").wait_for()
    page.evaluate(AXE)
    result = page.evaluate("() => axe.run(document.querySelector('dialog'))")
    assert result["violations"] == []
    page.close()


def test_every_slide_of_the_book_can_be_read_from_the_last_row(page: Page, book: Path) -> None:
    """On a projector of 1080 lines no slide scrolls, and no letter is set smaller than a sixtieth of it."""
    wrong, figures, predictions = [], 0, 0
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    for path in sorted(book.rglob("*.html")):
        if '<figure class="live"' not in path.read_text("utf-8"):
            continue
        page.goto(path.as_uri() + "?slides")
        page.locator("dialog.slides[open]").wait_for()
        count = int(page.locator(".slides-place").inner_text().split()[-1])
        for k in range(count):
            name = page.evaluate(SHOWN)
            if over := max(0, page.evaluate(TOO_HIGH)):
                wrong.append(f"{path.stem}: {name} is {over} pixels too large")
            if name.startswith("question-"):
                predictions += 1
            else:
                figures += 1
                if (smallest := page.evaluate(SMALLEST)) < 1080 / 60:
                    wrong.append(f"{path.stem}: {name} has letters of {smallest:.1f} pixels")
            if k < count - 1:
                page.keyboard.press("PageDown")
    assert wrong == [], "\n".join(wrong)
    assert figures > 20 and predictions > 20

"""How the built book looks: one column, one palette, nothing wider than a phone, and pictures of it all for review."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from test_engines_reach import AXE

import shots
from book import ROOT, server

CHAPTER = "notebooks/06_vanishing.html"
PAGES = ("book/intro.html", CHAPTER, "book/results.html", "book/glossary.html")
# the outer boxes of the column, each with its edges; text may end before the right one
EDGES = """() => {
  const boxes = "figure.live, div.cell_input, form.question, .admonition, section > [class*=highlight-] pre";
  const texts = "article section > :is(p, h1, h2, h3)";
  return Array.from(document.querySelectorAll(`${boxes}, ${texts}`))
    .filter((box) => box.checkVisibility() && !box.parentElement.closest(`${boxes}, li, dd`))
    .map((box) => [box.id || box.className || box.textContent.slice(0, 30), box.getBoundingClientRect()])
    .filter(([, { width }]) => width > 0) // a folded box far from the screen is nowhere
    .map(([name, { left, right }]) => [name, left, right]);
}"""
LETTERS_A_LINE = """() => {
  const counts = [];
  for (const p of document.querySelectorAll("article section > p")) {
    const range = document.createRange();
    range.selectNodeContents(p);
    const lines = new Set(Array.from(range.getClientRects(), ({ bottom }) => Math.round(bottom / 12)));
    const apart = p.querySelector(".math, code") !== null; // other letters, other heights
    if (!apart && p.textContent.length > 250) counts.push(p.textContent.length / lines.size);
  }
  return counts;
}"""
OVER = """() => {
  const over = Array.from(document.querySelectorAll("article *")).filter((box) => {
    const { right, width } = box.getBoundingClientRect();
    if (!box.checkVisibility() || width === 0 || right <= innerWidth) return false;
    for (let at = box; at; at = at.parentElement) {
      const { overflowX, clipPath } = getComputedStyle(at);
      if (overflowX !== "visible" || clipPath !== "none") return false;
    }
    return true;
  });
  return [document.documentElement.scrollWidth, over.map((box) => box.outerHTML.slice(0, 80))];
}"""
SMALLEST_CODE = """() => Math.min(...Array.from(document.querySelectorAll("article pre"),
  (pre) => parseFloat(getComputedStyle(pre).fontSize)))"""
GROUND = """() => [document.body, document.documentElement]
  .map((box) => getComputedStyle(box).backgroundColor).find((color) => !color.endsWith(", 0)"))"""
CUT_CODE = """() => Array.from(document.querySelectorAll("article pre"))
  .filter((pre) => pre.scrollWidth > pre.clientWidth && getComputedStyle(pre).overflowX !== "auto")
  .map((pre) => pre.textContent.slice(0, 40))"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    yield page
    page.close()


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("name", PAGES)
def test_everything_in_the_column_has_its_edges(
    page: Page, book: Path, name: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto((book / name).as_uri())
    edges = page.evaluate(EDGES)
    assert len(edges) > 1
    _, left, right = next(edge for edge in edges if edge[0])
    wrong = [edge for edge in edges if abs(edge[1] - left) > 1 or abs(edge[2] - right) > 1]
    assert not wrong, f"the column goes from {left} to {right}"


@pytest.mark.parametrize("width", [1280, 1920])
def test_a_line_has_sixty_to_seventyfive_letters(page: Page, book: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    counts = []
    for name in (CHAPTER, "notebooks/16_series.html"):
        page.goto((book / name).as_uri())
        counts += page.evaluate(LETTERS_A_LINE)
    assert len(counts) > 3
    assert 55 < sum(counts) / len(counts) < 75, counts  # the last line of each is shorter


def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page, book: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    wrong = []
    for path in sorted(book.glob("*/*.html")) + [book / "search.html", book / "404.html"]:
        page.goto(path.as_uri())
        wide, over = page.evaluate(OVER)
        cut = page.evaluate(CUT_CODE)
        if wide > 390 or over or cut:
            wrong.append((path.stem, wide, over, cut))
        assert page.evaluate(SMALLEST_CODE) >= 13, path.stem
    assert not wrong


# ---- colors ------------------------------------------------------------------------------------


def palette() -> dict[str, tuple[str, str]]:
    """The colors of the page, each for the light and for the dark."""
    text = (ROOT / "book" / "looks" / "palette.css").read_text("utf-8")
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)
    return {name: (light, dark) for name, light, dark in found}


def contrast(one: str, other: str) -> float:
    """The ratio that WCAG asks for: 4.5 for text."""

    def luminance(color: str) -> float:
        parts = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_every_ink_can_be_read_on_every_ground_of_the_palette() -> None:
    colors = palette()
    inks = ("ink", "strong", "muted", "blue", "orange", "green", "purple", "gold")
    grounds = [name for name in colors if name in ("page", "paper") or "soft" in name]
    assert len(grounds) == 8
    for theme in (0, 1):
        for ink, ground in product(inks, grounds):
            assert contrast(colors[ink][theme], colors[ground][theme]) >= 4.5, (ink, ground, theme)
    assert colors["page"][1] != "#000000" and colors["strong"][1] != "#ffffff"


def test_the_page_and_its_figures_have_one_palette() -> None:
    """Each color of the figures' ink stands in the page's palette, with its twin for the dark."""
    figures = (ROOT / "src" / "rnn_teach" / "live" / "live.css").read_text("utf-8")
    blocks = re.findall(r"\{([^}]*--c1c2430:[^}]*)\}", figures)
    light, dark = (dict(re.findall(r"--(c\w{6}): (#\w{6})", block)) for block in blocks)
    shared = {"c59636f", "cb8430a", "c00755a", "c1f5fa8", "c7a3e9d", "c876000", "cffffff"}
    assert shared <= light.keys() == dark.keys()
    assert {(light[name], dark[name]) for name in shared} <= set(palette().values())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", [*PAGES, "search.html?q=gradient", "404.html"])
def test_every_text_stands_out_from_its_ground(
    browser: Browser, book: Path, name: str, theme: str
) -> None:
    page = browser.new_page(color_scheme=theme)
    page.goto(f"{book.as_uri()}/{name}")
    ground = page.evaluate(GROUND)
    assert (ground == "rgb(17, 21, 26)") is (theme == "dark"), ground
    page.evaluate(AXE)
    result = page.evaluate("() => axe.run(document, { runOnly: ['color-contrast'] })")
    assert [node["html"] for found in result["violations"] for node in found["nodes"]] == []
    assert result["passes"]
    page.close()


def test_a_dark_figure_lies_on_a_dark_page(browser: Browser, book: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto((book / CHAPTER).as_uri())
    ground = "(name) => getComputedStyle(document.querySelector(name)).backgroundColor"
    assert page.evaluate(ground, "figure.live") == "rgb(23, 27, 33)"
    assert page.evaluate(ground, "div.cell_input pre") == "rgb(27, 32, 39)"
    assert page.evaluate(ground, ".bd-sidebar-primary") == "rgb(27, 32, 39)"
    page.emulate_media(media="print")
    assert page.evaluate(ground, "body") in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_marked_line_is_seen(browser: Browser, book: Path, theme: str) -> None:
    page = browser.new_page(color_scheme=theme)
    page.goto((book / CHAPTER).as_uri())
    marked = page.locator(".highlight .hll").first
    ground = marked.evaluate("(line) => getComputedStyle(line).backgroundColor")
    assert ground == {"light": "rgb(248, 241, 224)", "dark": "rgb(43, 36, 20)"}[theme]
    page.close()


# ---- pictures for review -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(book: Path) -> Iterator[str]:
    with server(book, port=0) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{pages.server_port}/"
        pages.shutdown()


def test_pictures_are_taken_at_both_widths_in_both_themes(
    browser: Browser, served: str, tmp_path: Path
) -> None:
    sheet = shots.shoot(
        browser, served, [shots.PAGES[0], "book/glossary#term-gate"], tmp_path / "o"
    )
    pictures = sorted(path.name for path in sheet.parent.glob("*.png"))
    sizes = [f"{size}.{theme}.png" for size in ("desktop", "phone") for theme in ("dark", "light")]
    assert pictures == [
        f"{page}.{size}" for page in ("book-glossary--term-gate", "book-intro") for size in sizes
    ]
    shown = re.findall(r'src="([^"]*)"', sheet.read_text("utf-8"))
    assert sorted(shown) == pictures
    contents = {name: (sheet.parent / name).read_bytes() for name in pictures}
    assert len(set(contents.values())) == 8, "light and dark differ"
    width = int.from_bytes(contents["book-intro.phone.dark.png"][16:20])
    assert width == 390


def test_pages_for_pictures_are_those_of_the_book(book: Path) -> None:
    for page in shots.PAGES:
        path, _, name = page.partition("#")
        text = (book / f"{path}.html").read_text("utf-8")
        assert not name or f' id="{name}"' in text, page


@pytest.mark.parametrize(
    ("page", "says"),
    [("book/nowhere", "'book/nowhere' is not in the book"), ("book/run#nothing", "no 'nothing'")],
)
def test_a_picture_of_what_is_not_there_is_an_error(
    browser: Browser, served: str, tmp_path: Path, page: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        shots.shoot(browser, served, [page], tmp_path / "o")

"""Within everybody's reach: keyboard only, zoomed, with less motion, with no script, by axe's rules."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from engines import Window
from playwright.sync_api import Browser
from reader import Reader

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
AT = """() => {
  const at = document.activeElement;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
  const ring = outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
  return [at.closest("figure.live")?.id ?? "", at.className, at.dataset.control ?? "",
    at.tagName, ring || boxShadow !== "none"];
}"""
OVERLAPS = """(name) => {
  const figure = document.getElementById(name);
  const parts = [...figure.querySelectorAll(
    ".live-label, [data-control], .live-value, .live-tool:not([hidden]), .live-sentence")];
  const boxes = parts.map((part) => part.getBoundingClientRect());
  const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1
    || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
  const whole = figure.getBoundingClientRect();
  return parts.flatMap((part, i) => [
    ...(boxes[i].left < whole.left - 1 || boxes[i].right > whole.right + 1
      ? [`${part.className || part.tagName} leaves the figure`] : []),
    ...parts.slice(i + 1).flatMap((other, j) => apart(boxes[i], boxes[i + 1 + j])
      ? [] : [`${part.className || part.tagName} over ${other.className || other.tagName}`])]);
}"""


def test_tab_reaches_everything_and_shows_where_it_is(window: Window, tiny_address: str) -> None:
    window.resize(1280, 800)
    reader = Reader(window, tiny_address)
    reader.open("first.html", "wave")
    reader.focus("#wave input")
    stops = []
    for _ in range(12):
        stops.append(window.run(AT))
        if stops[-1][0] != "wave":
            break
        window.press("Tab")
    inside = [stop for stop in stops if stop[0] == "wave"]
    assert [control or kind.split()[-1] for _, kind, control, _, _ in inside] == [
        "gain",
        "shape",
        "live-back",
        "live-play",
        "live-next",
        "live-copy",
        "live-save",
        "live-show",
    ]
    assert len(stops) == len(inside) + 1  # and out again
    # the first stop was put there by a script, which need not show a ring
    assert [stop for stop in inside[1:] if not stop[4]] == []


@pytest.mark.parametrize("width", [640, 320])
def test_zoomed_nothing_overlaps(window: Window, tiny_address: str, width: int) -> None:
    """A window of 1280 pixels at 200 and 400 % is one of 640 and 320."""
    window.resize(width, 400)
    reader = Reader(window, tiny_address)
    for page, figures in {"first.html": ["wave"], "more.html": ["whole", "letters"]}.items():
        reader.open(page, *figures)
        assert window.run("() => document.documentElement.scrollWidth") <= width, page
        for name in figures:
            assert window.run(OVERLAPS, name) == [], f"{name} at {width}"
    window.resize(1280, 800)


def test_with_less_motion_play_steps_and_nothing_glides(browser: Browser, tiny: Path) -> None:
    page = browser.new_page(reduced_motion="reduce")
    page.goto((tiny / "first.html").as_uri())
    page.locator("#wave[data-ready]").wait_for()
    page.locator("#wave .live-play").click()
    page.wait_for_function("document.querySelector('#wave input').value === '6'")
    assert page.locator("#wave .live-play").get_attribute("aria-label") == "Play gain"
    page.locator("a.live-set").click()
    changed = page.locator("#wave .live-changed")
    assert changed.evaluate("row => getComputedStyle(row).animationName") == "none"
    page.close()


def test_with_scripts_off_there_are_pictures_and_sentences(browser: Browser, tiny: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tiny / "more.html").as_uri())
    for name in ("whole", "half", "letters"):
        assert page.locator(f"#{name} svg").bounding_box()["height"] > 50
        assert page.locator(f"#{name} .live-sentence").inner_text()
        assert not page.locator(f"#{name} .live-controls").is_visible()
        assert not page.locator(f"#{name} .live-tools").is_visible()
    context.close()


# ---- by axe's rules ----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["light", "dark"])
def axe(request: pytest.FixtureRequest, browser: Browser) -> Iterator[object]:
    """Opens a page in one theme; what axe has against it."""
    context = browser.new_context(color_scheme=request.param, reduced_motion="reduce")
    page = context.new_page()

    def found(path: Path, *clicks: str) -> list[str]:
        page.goto(path.as_uri())
        for selector in clicks:
            page.locator(selector).click()
        page.evaluate(AXE)
        result = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        return [
            f"{path.stem}: {violation['id']}: {node['target']}: {node['html'][:120]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]

    yield found
    context.close()


def test_axe_has_nothing_against_the_figures(axe, tiny: Path) -> None:
    found = axe(tiny / "first.html", "#wave .live-save")
    found += axe(tiny / "more.html", "#whole .live-show")
    # the logo that the theme puts outside the landmarks is not ours here; the book mends it
    assert [line for line in found if "navbar-brand" not in line] == []


def test_axe_hears_a_button_without_a_name(browser: Browser, tiny: Path) -> None:
    page = browser.new_page()
    page.goto((tiny / "first.html").as_uri())
    page.locator("#wave .live-play").evaluate(
        "b => { b.removeAttribute('aria-label'); b.removeAttribute('title'); }"
    )
    page.evaluate(AXE)
    result = page.evaluate("() => axe.run(document.querySelector('#wave'))")
    assert [violation["id"] for violation in result["violations"]] == ["button-name"]
    page.close()


def test_axe_has_nothing_against_the_book(axe, book: Path) -> None:
    pages = [path for path in sorted(book.rglob("*.html")) if "_static" not in path.parts]
    assert len(pages) > 10
    found = [line for path in pages if path.name != "index.html" for line in axe(path)]
    assert found == [], "\n".join(found)

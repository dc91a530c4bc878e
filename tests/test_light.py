"""The pages are light: what a chapter weighs, that nothing jumps, and that what was taken out is missed by none."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import tinycss2
from engines import Window
from fontTools.ttLib import TTFont
from playwright.sync_api import Browser, Page, expect
from sphinx.errors import ExtensionError
from test_site import pages_of

import book as tool
import light
import purge

CHAPTER = 350_000  # bytes compressed, before the payloads of figures
SHIFT = 0.02
# what Font Awesome's classes say beside the name of an icon
HOW = {"fa-solid", "fa-regular", "fa-brands", "fa-lg", "fa-sm", "fa-xs", "fa-fw"}
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput)
    shifts.push([entry.value, ...entry.sources.map(({ node }) => node?.outerHTML?.slice(0, 120))]);
}).observe({ type: "layout-shift", buffered: true });
"""
READ = """async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight * 0.8) {
    scrollTo(0, y);
    await frame();
    await frame();
  }
}"""
VIOLATIONS = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) =>
  broken.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def style(book: Path) -> str:
    [bundle] = (book / "_static").glob("book.*.css")
    return bundle.read_text("utf-8")


def chapters(book: Path) -> list[str]:
    return [path.relative_to(book).as_posix() for path in sorted(book.glob("notebooks/*.html"))]


@pytest.fixture(scope="module")
def served(book: Path) -> Iterator[str]:
    """The book under the policy that its build has written."""
    policy = (book / "csp.txt").read_text("utf-8").strip()

    class Guarded(tool.Pages):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", policy)
            super().end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Guarded, directory=book)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    page.add_init_script(SHIFTS + VIOLATIONS)
    yield page
    context.close()


def test_a_chapter_is_light_and_nothing_jumps(phone: Page, served: str, book: Path) -> None:
    asked: set[str] = set()
    phone.on("request", lambda request: asked.add(request.url.partition("?")[0]))
    heavy, jumps = {}, {}
    assert len(chapters(book)) == 18
    for chapter in chapters(book):
        asked.clear()
        phone.goto(served + chapter)
        first = [url.removeprefix(served) for url in asked if "/_static/live/" not in url]
        assert chapter in first and len(first) > 3
        weight = sum(len(gzip.compress((book / file).read_bytes())) for file in first)
        phone.evaluate(READ)
        shifts = phone.evaluate("shifts")
        if weight > CHAPTER:
            heavy[chapter] = weight
        if sum(shift[0] for shift in shifts) > SHIFT:
            jumps[chapter] = shifts
    assert not heavy and not jumps


def test_a_jump_is_felt(phone: Page, served: str) -> None:
    phone.goto(served + "book/read.html")
    phone.evaluate(
        "document.querySelector('h1').before(Object.assign(document.createElement('p'), {style: 'height: 300px'}))"
    )
    # not the first that is told: a page that has just come may tell of a smaller one before
    phone.wait_for_function(
        "(least) => shifts.reduce((sum, [size]) => sum + size, 0) > least", arg=SHIFT
    )


OPEN = """() => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
  for (const button of document.querySelectorAll(".toggle-button, .live-show")) button.click();
}"""


def use(page: Page) -> None:
    """Open what a page keeps closed: answers, the figures' tables, a hint, menus, the list of chapters."""
    for figure in page.locator("figure.live").all():
        figure.scroll_into_view_if_needed()
        figure.and_(page.locator("[data-ready]")).wait_for()
    for slider in page.locator("figure.live input[type=range]").all():
        slider.press("End")
    page.evaluate(OPEN)
    page.evaluate("scrollTo(0, 0)")
    page.locator(".theme-switch-button").first.hover()
    page.locator(".tooltip").first.wait_for()
    for menu in page.locator("[data-bs-toggle=dropdown]").all():
        menu.click()
    page.locator(".primary-toggle").click()


PAGES = ["notebooks/05_bptt.html", "book/intro.html", "book/notation.html", "search.html?q=gate"]


@pytest.mark.parametrize("address", PAGES)
def test_a_page_lives_under_the_policy(phone: Page, served: str, address: str) -> None:
    phone.goto(served + address)
    use(phone)
    assert phone.evaluate("broken") == []


def test_the_policy_is_heard(phone: Page, served: str) -> None:
    phone.goto(served + PAGES[1])
    phone.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=top:0 onclick=1>')")
    # some browsers look at a handler only when it is to run
    phone.evaluate("document.body.lastElementChild.click()")
    phone.wait_for_function("() => broken.length === 2")


FAR = """() => Array.from(document.querySelectorAll(".bd-article section > * > *"))
  .filter((block) => block.checkVisibility() && !block.checkVisibility({ contentVisibilityAuto: true }))
  .map((block) => block.getAttribute("id") ?? block.textContent.slice(0, 40))"""
# where a heading stands once the page stands still; then a reader goes up, and what was there goes down as far
PLACES = """async (id) => {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const top = () => Math.round(document.getElementById(id).querySelector("h2").getBoundingClientRect().top);
  await document.fonts.ready;
  for (let still = 0, was = NaN; still < 10; was = top()) {
    await frame();
    still = top() === was ? still + 1 : 0;
  }
  const places = [top()];
  for (let step = 0; step < 8; step += 1) {
    scrollBy({ top: -100, behavior: "instant" });
    await frame();
    await frame();
    places.push(top());
  }
  return places;
}"""

# by how much each button far from the screen, once it is measured, lies below the room of its block: the room that the
# style gives, for a block that came in while the browser was busy keeps the height of what had come of it
BELOW = """() => Array.from(document.querySelectorAll("article :is(button, input, select)"))
  .filter((button) => button.checkVisibility() && !button.checkVisibility({ contentVisibilityAuto: true }))
  .map((button) => {
    let block = button;
    while (getComputedStyle(block).contentVisibility !== "auto") block = block.parentElement;
    const { containIntrinsicHeight, paddingTop, paddingBottom } = getComputedStyle(block);
    const frame = block.offsetHeight - block.clientHeight + parseFloat(paddingTop) + parseFloat(paddingBottom);
    const room = block.getBoundingClientRect().top + frame + parseFloat(containIntrinsicHeight.replace("auto", ""));
    return [button.outerHTML.slice(0, 80), button.getBoundingClientRect().bottom - room];
  })"""


def test_what_is_far_from_the_screen_waits(phone: Page, served: str) -> None:
    phone.goto(served + PAGES[0], wait_until="networkidle")
    assert len(phone.evaluate(FAR)) > 80, "the page is laid out whole: which script asks for it?"
    last = phone.evaluate(FAR)[-1]
    phone.evaluate(READ)
    assert last not in phone.evaluate(FAR), "its end has come near"
    phone.emulate_media(media="print")
    assert phone.evaluate(FAR) == []


def test_nothing_lies_over_a_button_that_waits(phone: Page, served: str, book: Path) -> None:
    waiting = {}
    for chapter in chapters(book):
        phone.goto(served + chapter)
        waiting[chapter] = phone.evaluate(BELOW)
    assert min(map(len, waiting.values())) > 10, "buttons are laid out while they are far away"
    below = {chapter: [one for one in found if one[1] > 1] for chapter, found in waiting.items()}
    assert {chapter: found for chapter, found in below.items() if found} == {}


def test_a_slider_that_moves_has_only_its_figure_styled_and_laid_out_anew(
    browser: Browser, phone: Page, served: str
) -> None:
    phone.goto(served + "notebooks/02_neuron.html")
    slider = phone.locator("#one-neuron input[type=range]").first
    slider.scroll_into_view_if_needed()
    phone.locator("#one-neuron[data-ready]").wait_for()
    slider.press("Home")
    browser.start_tracing(page=phone, categories=["devtools.timeline"])
    for _ in range(30):
        slider.press("ArrowRight")
        phone.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    events = json.loads(browser.stop_tracing())["traceEvents"]
    styled = [
        event["args"]["elementCount"]
        for event in events
        if event["name"] == "UpdateLayoutTree" and "elementCount" in event.get("args", {})
    ]
    assert len(styled) >= 30
    assert max(styled) < 20, "a rule lets the browser look at the page whenever a figure changes"
    parts = [
        event["args"]["beginData"]["partialLayout"]
        for event in events
        if event["name"] == "Layout" and "beginData" in event.get("args", {})
    ]
    assert parts.count(True) >= 30
    assert parts.count(False) <= 1, "nothing in a figure may push what is around it"


@pytest.mark.parametrize("window", ["chromium", "firefox", "webkit"], indirect=True)
def test_a_link_leads_to_its_place_and_reading_upward_nothing_jumps(
    window: Window, book: Path
) -> None:
    for section in ("a-layer", "when-the-sequence-does-not-end", "exercises"):
        window.open((book / PAGES[0]).as_uri() + f"#{section}")
        places = window.run(PLACES, section)
        assert 0 <= places[0] <= 120, section
        # a browser may keep a place to within a dot
        assert places == pytest.approx([places[0] + 100 * step for step in range(9)], abs=2), (
            section
        )


def test_a_box_that_scrolls_is_a_stop(phone: Page, served: str) -> None:
    found = set()
    phone.goto(served + PAGES[0])
    for width in (390, 1280):
        phone.set_viewport_size({"width": width, "height": 844})
        for pre in phone.locator("article pre:visible").all():
            pre.scroll_into_view_if_needed()
            scrolls = pre.evaluate("(pre) => pre.scrollWidth > pre.clientWidth")
            expect(pre.and_(phone.locator("[tabindex='0']"))).to_have_count(int(scrolls))
            found.add((width, scrolls))
    assert {(390, True), (390, False), (1280, False)} <= found


def test_a_box_far_from_the_screen_may_scroll_and_is_a_stop(phone: Page, served: str) -> None:
    phone.goto(served + "notebooks/13_bidirectional.html", wait_until="networkidle")
    for box in ("pre", "mjx-container[display]"):
        far = phone.locator(f"#exercises {box}")
        scroll = far.evaluate_all("(all) => all.map((box) => box.scrollWidth > box.clientWidth)")
        stops = far.evaluate_all("(all) => all.map((box) => box.tabIndex === 0)")
        assert any(scroll) and all(stop >= does for stop, does in zip(stops, scroll, strict=True))


def test_a_theme_that_has_changed_is_an_error(tmp_path: Path) -> None:
    script = tmp_path / "pydata-sphinx-theme.js"
    script.write_text('all(["pre",".pst-scrollable-table-container"]);', "utf-8")
    assert light.lightened(script) == 'all(["no-box"]);'
    script.write_text("all();", "utf-8")
    with pytest.raises(ExtensionError, match="pydata-sphinx-theme.js has changed"):
        light.lightened(script)


def test_a_dark_page_is_dark_at_once(browser: Browser, book: Path) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.route("**/*.js", lambda route: route.abort())  # before any script has come
    page.goto((book / "book/read.html").as_uri())
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    context.close()


def selectors(sheet: str) -> set[str]:
    """Every selector of a style sheet, those inside `@media` and the like as well."""

    def walk(rules: list) -> Iterator[str]:
        for rule in rules:
            if rule.type == "qualified-rule":
                comma = [k for k, token in enumerate(rule.prelude) if token == ","]
                for start, end in pairwise([-1, *comma, len(rule.prelude)]):
                    yield tinycss2.serialize(rule.prelude[start + 1 : end]).strip()
            elif rule.type == "at-rule" and rule.lower_at_keyword in purge.INSIDE:
                yield from walk(tinycss2.parse_rule_list(rule.content or []))

    return set(walk(tinycss2.parse_stylesheet(sheet)))


# a state that a pointer or a key brings about does not make an element another
STATE = (
    r"hover|focus(-visible|-within)?|active|disabled|checked|(in)?valid|before|after|placeholder"
)
NOT = re.compile(rf":not\((\s*:({STATE})\s*,?)+\)")
STATES = re.compile(rf"::?({STATE}|-[\w-]+)(?![\w-])")
MATCH = """(selectors) => selectors.flatMap((selector) => {
  try { return document.querySelector(selector) ? [selector] : []; } catch { return ["unread: " + selector]; }
})"""


def stateless(selector: str) -> str:
    """The elements that a selector may ever be about."""
    selector = NOT.sub("", selector)
    return STATES.sub(lambda m: "*" if m.string[: m.start()][-1:] in " >+~(" else "", selector)


@pytest.mark.parametrize("address", PAGES)
def test_no_dropped_rule_is_missed(phone: Page, served: str, book: Path, address: str) -> None:
    theme = ["pydata_sphinx_theme/static/styles/pydata-sphinx-theme.css"]
    theme += ["sphinx_book_theme/static/styles/sphinx-book-theme.css"]
    themes = [
        Path(find_spec(name.partition("/")[0]).origin).parent / "theme" / name for name in theme
    ]
    whole = set().union(*(selectors(path.read_text("utf-8")) for path in themes))
    dropped = {stateless(selector) for selector in whole - selectors(style(book))}
    assert len(dropped) > 1000
    phone.goto(served + address)
    use(phone)
    assert phone.evaluate(MATCH, sorted(dropped - {"*"})) == []


def test_rules_are_dropped_with_care() -> None:
    kept = {
        ".a, .b p { top: 0 }": ".a{ top: 0 }",
        ".b:not(.c) {}": "",
        "p:not(.c) {}": "p:not(.c){}",
        "#a:is(.d) {}": "#a:is(.d){}",
        "@media print { .b {} .a {} }": "@media print {.a{}}",
        "@media print { .b {} }": "",
        "@font-face { src: url(x) }": "@font-face { src: url(x) }",
        "/*! by somebody */ /* why */ p {}": "/*! by somebody */p{}",
    }
    assert {sheet: purge.purged(sheet, {"a"}) for sheet in kept} == kept
    pages = ['<p class="a b-c" id="i">d</p><script>add("e")</script>']
    assert purge.names(pages, ["f.g"]) - purge.COMPOSED == {"a", "b-c", "i", "add", "e", "f", "g"}


def test_every_icon_has_its_glyph(book: Path) -> None:
    bundle = style(book)
    pages = [path.read_text("utf-8") for path in pages_of(book)]
    given = {
        name
        for page in pages
        for group in re.findall(r'class="([^"]*)"', page)
        for name in group.split()
    }
    icons = {name for name in given if name.startswith("fa-")} - HOW
    assert len(icons) > 8
    fonts = [
        TTFont(io.BytesIO(base64.b64decode(packed))).getBestCmap()
        for packed in re.findall(r"url\(data:font/woff;base64,([^)]*)\)", bundle)
    ]
    for icon in sorted(icons):
        rule = re.search(rf'\.{icon}:before\{{content:"(.)"', bundle)
        assert rule, f"{icon} has no rule"
        assert any(ord(rule[1]) in font for font in fonts), f"{icon} has no glyph"


def test_no_file_is_there_for_nobody(book: Path) -> None:
    static = [path for path in (book / "_static").rglob("*") if path.is_file()]
    assert {path.suffix for path in static} <= {".css", ".js", ".svg", ".png", ".txt"}
    readable = [path for path in static if path.suffix in (".css", ".js")]
    said = "".join(path.read_text("utf-8") for path in pages_of(book) + readable)
    assert [path.name for path in static if path.name not in said] == []
    assert "sourceMappingURL" not in said


def test_pages_ask_for_one_sheet_and_wait_for_no_script(book: Path) -> None:
    pages = {path.name: path.read_text("utf-8") for path in pages_of(book)}
    assert {page.count('rel="stylesheet"') for page in pages.values() if "bd-article" in page} == {
        1
    }
    for name, page in pages.items():
        asked = re.findall(r"<script[^>]*\bsrc=[^>]*>", page)
        assert [tag for tag in asked if " defer" not in tag] == [], name
        assert any("searchindex.js" in tag for tag in asked) == (name == "search.html")


def test_a_page_is_rewritten_in_its_turn() -> None:
    page = '<script src="a.js?v=1"></script>\n<script>DOCUMENTATION_OPTIONS.x = 1</script>'
    wanted = '<script defer src="a.js?v=1"></script>\n<script type="module">DOCUMENTATION_OPTIONS.x = 1</script>'
    assert light.scripts(page) == wanted
    sheets = '<link rel="stylesheet" href="../_static/a.css?v=1" />\n<link href="../_static/b/c.css" rel="stylesheet" />'
    assert light.asked(sheets) == ["a.css", "b/c.css"]
    assert (
        light.one_sheet(sheets, "x.css").strip()
        == '<link rel="stylesheet" href="../_static/x.css">'
    )

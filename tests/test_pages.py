"""Every live figure of the built book: each state a fresh draw, each control moved in a real browser."""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import nbformat
import numpy as np
import pytest
from engines import Window
from IPython.core.interactiveshell import InteractiveShell
from playwright.sync_api import Browser

from book import server
from rnn_teach.live import LiveFigure, payload
from rnn_teach.live.controls import State, states

ROOT = Path(__file__).parents[1]
DRAWN = 150  # states of a figure that are drawn anew; the book has several thousand in all


@dataclass
class Laid:
    """A figure as the page carries it."""

    name: str
    page: str
    sizes: list[int]
    pictures: list[list[str]]
    says: list[str]

    def at(self, state: State) -> tuple[list[str], str]:
        number = 0
        for index, size in zip(state, self.sizes, strict=True):
            number = number * size + index
        return self.pictures[number], self.says[number]


def laid(book: Path) -> list[Laid]:
    found = []
    for path in sorted(book.rglob("*.html")):
        for spec in re.findall(r'class="live-spec">(.*?)</script>', path.read_text("utf-8")):
            spec = json.loads(spec)
            script = (path.parent / spec["src"]).read_text("utf-8")
            packed = base64.b64decode(re.search(r'detail:"([^"]*)"', script).group(1))
            sizes = [len(control["texts"]) for control in spec["controls"]]
            page = path.relative_to(book).as_posix()
            found.append(Laid(spec["name"], page, sizes, *payload.decode(packed)))
    return found


def cells(path: Path) -> list[str]:
    if path.suffix == ".ipynb":
        return [c.source for c in nbformat.read(path, 4).cells if c.cell_type == "code"]
    blocks = re.findall(
        r"^```\{code-cell\}.*?\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return [re.sub(r"\A(:.*\n)+", "", block) for block in blocks]


# Pages without a training, which run within seconds. The build itself draws a part of the states
# of every figure anew (see test_live_states).
AGAIN = ("intro", "figures", "01_", "02_", "03_", "05_", "06_", "08_")


@pytest.fixture(scope="module")
def fresh(book: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, LiveFigure]:
    """The figures of some pages made anew, as in class: the cells of the page run once more."""
    made = {}
    for page, figures in groupby(laid(book), key=lambda figure: figure.page):
        if not Path(page).name.startswith(AGAIN):
            continue
        source = next(p for p in (ROOT / page).parent.glob(f"{Path(page).stem}.*"))
        shell, missing = InteractiveShell(), {figure.name for figure in figures}
        for cell in cells(source):
            if missing <= set(made):
                break
            result = shell.run_cell(cell)  # not silent: that leaves out the result
            result.raise_error()
            if isinstance(result.result, LiveFigure):
                made[result.result._drawing.name] = result.result
    return made


def test_the_book_has_its_figures(book: Path) -> None:
    names = [figure.name for figure in laid(book)]
    assert "unrolled" in names and "gradient-flow" in names
    assert len(set(names)) == len(names) > 15
    assert all(len(figure.pictures) > 1 for figure in laid(book))


def test_the_states_in_the_book_are_fresh_draws(
    book: Path, fresh: dict[str, LiveFigure], subtests: pytest.Subtests
) -> None:
    assert len(fresh) > 15
    for figure in laid(book):
        if figure.name not in fresh:
            continue
        with subtests.test(figure.name):
            live = fresh[figure.name]
            grid = list(states(live._controls))
            assert len(grid) == len(figure.pictures)
            for state in grid:  # until every artist that ever changes has its slot
                if len(live.draw(state)[0]) == len(figure.pictures[0]):
                    break
            # in another order than the build's: a state has no history
            for place in np.random.default_rng(0).permutation(len(grid))[:DRAWN]:
                state = grid[place]
                assert live.draw(state) == figure.at(state), (figure.name, state)


# ---- in three browsers -------------------------------------------------------------------------


READY = """(name) => new Promise((done, failed) => {
  const figure = document.getElementById(name);
  figure.scrollIntoView({ block: "center", behavior: "instant" });
  const ask = () => figure.hasAttribute("data-ready") ? done(true) : setTimeout(ask, 20);
  setTimeout(() => failed(new Error(`${name} does not get ready`)), 30000);
  ask();
})"""
STATE = """(name) => Array.from(document.querySelectorAll(`#${name} [data-control]`),
  (input) => input.type === "checkbox" ? +input.checked : +input.value)"""
KIND = """(name, k) => document.querySelectorAll(`#${name} [data-control]`)[k].type"""
FOCUS = """(name, k) => document.querySelectorAll(`#${name} [data-control]`)[k].focus()"""
BOX = """(name, k) => {
  const { x, y, width, height } =
    document.querySelectorAll(`#${name} [data-control]`)[k].getBoundingClientRect();
  return [x, y, width, height];
}"""
CHOOSE = """(name, k, index) => {
  const select = document.querySelectorAll(`#${name} [data-control]`)[k];
  select.value = index;
  select.dispatchEvent(new Event("input", { bubbles: true }));
}"""
SHOWN = """async (name, { fragments, sentence }) => {
  await new Promise((done) => requestAnimationFrame(() => setTimeout(() => setTimeout(done))));
  const figure = document.getElementById(name);
  const as = (text) => {
    const g = document.createElementNS("http://www.w3.org/2000/svg", "g");
    g.innerHTML = text;
    return g;
  };
  const wrong = fragments.flatMap((fragment, k) => {
    const [now, then] = [document.getElementById(`${name}-slot-${k}`), as(fragment)];
    const same = now.childNodes.length === then.childNodes.length &&
      Array.from(now.childNodes).every((node, i) => node.isEqualNode(then.childNodes[i]));
    return same ? [] : [k];
  });
  const said = figure.querySelector(".live-sentence").textContent;
  return said === sentence ? wrong : [...wrong, said];
}"""
SPOKEN = """(name, text) => new Promise((done) => {
  const ask = () => document.querySelector(`#${name} .live-said`).textContent === text
    ? done(true) : setTimeout(ask, 50);
  ask();
  setTimeout(() => done(false), 5000);
})"""


def assert_shown(window: Window, figure: Laid, state: list[int]) -> None:
    fragments, sentence = figure.at(tuple(state))
    wrong = window.run(SHOWN, figure.name, {"fragments": fragments, "sentence": sentence})
    assert wrong == [], f"{figure.name} in state {state}: {wrong}"


def by_keyboard(window: Window, name: str, k: int, index: int, size: int) -> None:
    """Move a control with the keys that its kind has in every browser."""
    window.run(FOCUS, name, k)
    kind = window.run(KIND, name, k)
    now = window.run(STATE, name)[k]
    if kind == "checkbox":
        window.press(*["Space"] * (now != index))
    elif kind == "range" and index in (0, size - 1):
        window.press("End" if index else "Home")
    else:
        back, forth = ("ArrowLeft", "ArrowRight") if kind == "range" else ("ArrowUp", "ArrowDown")
        window.press(*[forth if index > now else back] * abs(index - now))


def by_pointer(window: Window, name: str, k: int, index: int, size: int) -> int:
    """Move a control by pointer; the index it came to, as a slider is hit to the pixel only."""
    kind = window.run(KIND, name, k)
    x, y, width, height = window.run(BOX, name, k)
    middle = y + height / 2
    if kind == "range":
        share = index / (size - 1)
        window.drag((x + width / 2, middle), (x + 1 + share * (width - 2), middle))
    elif kind != "checkbox":
        window.run(CHOOSE, name, k, index)  # the list of a select is the system's, not the page's
    elif window.run(STATE, name)[k] != index:
        window.drag((x + width / 2, middle))
    return window.run(STATE, name)[k]


# Both widths and both ways to a page; Chromium goes both. That every engine can go both ways is
# tested on the tiny book: on all pages of this one it would take half as long again.
@pytest.mark.parametrize(
    ("window", "address"),
    [
        ("chromium", "from disk"),
        ("chromium", "over http"),
        ("firefox", "over http"),
        ("webkit", "from disk"),
    ],
    indirect=True,
)
def test_every_control_moves_its_figure(
    book: Path, address: str, window: Window, subtests: pytest.Subtests
) -> None:
    width = 390 if address.startswith("file:") else 1280
    window.resize(width, 800)
    window.heard.clear()  # the window is shared, and the tiny book has complaints of its theme
    for page, figures in groupby(laid(book), key=lambda figure: figure.page):
        window.open(address + page)
        wide = window.run("() => document.documentElement.scrollWidth")
        assert wide <= width, f"{page} is {wide} wide"
        for figure in figures:
            with subtests.test(figure.name):
                window.run(READY, figure.name)
                state = window.run(STATE, figure.name)
                assert_shown(window, figure, state)
                for k, size in enumerate(figure.sizes):
                    for index in (0, size - 1, size // 2):
                        by_keyboard(window, figure.name, k, index, size)
                        state[k] = index
                        assert window.run(STATE, figure.name) == state
                        assert_shown(window, figure, state)
                    for index in (0, size - 1, size // 2):
                        state[k] = by_pointer(window, figure.name, k, index, size)
                        assert abs(state[k] - index) <= max(1, size // 20)
                        assert_shown(window, figure, state)
                assert window.run(SPOKEN, figure.name, figure.at(tuple(state))[1])
    assert window.heard == []


# ---- in Chromium -------------------------------------------------------------------------------


def test_with_scripts_off_the_first_picture_is_there(
    book: Path, address: str, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for figure in laid(book):
        page.goto(address + figure.page)
        piece = page.locator(f"#{figure.name}")
        assert piece.locator("svg").bounding_box()["height"] > 100
        assert piece.locator(".live-sentence").text_content() in figure.says
        assert not piece.locator(".live-controls").is_visible()
        assert piece.locator("path").count() > 3
    context.close()


ROOM = """([name, says]) => {
  const words = document.querySelector(`#${name} .live-words`);
  const sentence = words.firstElementChild;
  return says.filter((text) => {
    sentence.textContent = text;
    return sentence.scrollHeight > sentence.clientHeight;
  });
}"""


@pytest.mark.parametrize("width", [390, 1280])
def test_there_is_room_for_every_sentence(
    book: Path, address: str, browser: Browser, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 844})
    for at, figures in groupby(laid(book), key=lambda figure: figure.page):
        page.goto(address + at)
        for figure in figures:
            page.locator(f"#{figure.name}").scroll_into_view_if_needed()
            assert page.evaluate(ROOM, [figure.name, sorted(set(figure.says))]) == [], figure.name
    page.close()


def test_on_a_phone_every_slider_is_as_long_as_two_fingers_are_wide(
    book: Path, address: str, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    short = {}
    for at in sorted({figure.page for figure in laid(book)}):
        page.goto(address + at)
        sliders = page.locator("figure.live input[type=range]")
        widths = sliders.evaluate_all("(all) => all.map(({ offsetWidth }) => offsetWidth)")
        short[at] = [width for width in widths if width < 100]
    assert {at: widths for at, widths in short.items() if widths} == {}
    page.close()


def test_states_are_read_only_when_the_figure_comes_near(
    book: Path, address: str, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 400})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    last = laid(book)[-1]
    page.goto(address + last.page, wait_until="networkidle")
    assert not any(f"/{last.name}." in url for url in asked)
    page.locator(f"#{last.name}").scroll_into_view_if_needed()
    page.locator(f"#{last.name}[data-ready]").wait_for()
    assert any(f"/{last.name}." in url for url in asked)
    page.close()


def test_a_corrupt_payload_leaves_the_first_picture_and_says_so(
    book: Path, browser: Browser
) -> None:
    page = browser.new_page()
    with server(book, port=0) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        page.route(
            "**/_static/live/unrolled.*",
            lambda route: route.fulfill(
                body="document.dispatchEvent(new CustomEvent('live:unrolled',{detail:'H4sIAAAA'}))",
                content_type="text/javascript",
            ),
        )
        page.goto(f"http://127.0.0.1:{pages.server_port}/book/intro.html")
        page.locator("#unrolled[data-failed]").wait_for()
        assert "could not be read" in page.locator("#unrolled .live-sentence").inner_text()
        laid_out = (book / "book" / "intro.html").read_text("utf-8").partition('id="unrolled"')[2]
        first = laid_out[laid_out.index("<svg") : laid_out.index("</svg>")]
        assert page.locator("#unrolled svg path").count() == first.count("<path") > 4
        assert page.locator("#unrolled svg text").count() == first.count("<text") > 4
        pages.shutdown()
    page.close()


def test_the_picture_follows_the_theme(book: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(book.as_uri() + "/book/intro.html")
    colors = []
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        colors.append(
            page.locator("#unrolled svg text").first.evaluate("text => getComputedStyle(text).fill")
        )
    assert colors == ["rgb(28, 36, 48)", "rgb(232, 235, 240)"]
    page.close()


def test_paper_gets_the_picture_without_its_controls(book: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(book.as_uri() + "/book/intro.html")
    page.emulate_media(media="print")
    assert page.locator("#unrolled svg").bounding_box()["height"] > 100
    assert page.locator("#unrolled .live-sentence").is_visible()
    assert not page.locator("#unrolled .live-controls").is_visible()
    page.close()

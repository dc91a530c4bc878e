"""Every live figure of the built book: each state a fresh draw, each control moved in a real browser."""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from listening import complaints
from playwright.sync_api import Browser, Page

from book import server
from rnn_teach.live import LiveFigure, payload
from rnn_teach.live.controls import State, states

ROOT = Path(__file__).parents[1]


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


@pytest.fixture(scope="module")
def fresh(book: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, LiveFigure]:
    """The book's figures made anew, as in class: the cells of their pages run once more."""
    made = {}
    for page in sorted({figure.page for figure in laid(book)}):
        source = next(p for p in (ROOT / page).parent.glob(f"{Path(page).stem}.*"))
        shell = InteractiveShell()
        for cell in cells(source):
            result = shell.run_cell(cell)  # not silent: that leaves out the result
            result.raise_error()
            if isinstance(result.result, LiveFigure):
                made[result.result._drawing.name] = result.result
    return made


def test_the_book_has_its_figures(book: Path) -> None:
    names = {figure.name for figure in laid(book)}
    assert {"unrolled"} < names
    assert len(names) == len(laid(book)) == 6


def test_every_state_in_the_book_is_a_fresh_draw(
    book: Path, fresh: dict[str, LiveFigure], subtests: pytest.Subtests
) -> None:
    for figure in laid(book):
        with subtests.test(figure.name):
            live = fresh[figure.name]
            grid = list(states(live._controls))
            assert len(grid) == len(figure.pictures)
            for state in grid:  # until every artist that ever changes has its slot
                if len(live.draw(state)[0]) == len(figure.pictures[0]):
                    break
            for state in reversed(grid):  # not the build's order: a state has no history
                assert live.draw(state) == figure.at(state), (figure.name, state)


# ---- in the browser ----------------------------------------------------------------------------


SHOWN = """([name, {fragments, sentence}]) => {
  const figure = document.getElementById(name);
  const as = (text) => {
    const g = document.createElementNS("http://www.w3.org/2000/svg", "g");
    g.innerHTML = text;
    return g.innerHTML;
  };
  const wrong = fragments.flatMap((fragment, k) =>
    document.getElementById(`${name}-slot-${k}`).innerHTML === as(fragment) ? [] : [k]);
  const said = figure.querySelector(".live-sentence").textContent;
  return said === sentence ? wrong : [...wrong, said];
}"""


def assert_shown(page: Page, figure: Laid, state: State) -> None:
    fragments, sentence = figure.at(state)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    wrong = page.evaluate(SHOWN, [figure.name, {"fragments": fragments, "sentence": sentence}])
    assert wrong == [], f"{figure.name} in state {state}: {wrong}"


def ends_and_middle(size: int) -> list[int]:
    return [0, size - 1, size // 2]


def by_keyboard(page: Page, control, index: int, size: int) -> None:
    control.focus()
    if control.evaluate("input => input.type") == "checkbox":
        if control.is_checked() != bool(index):
            page.keyboard.press("Space")
        return
    if control.evaluate("input => input.type") == "range":
        page.keyboard.press("Home")
    else:
        for _ in range(size):
            page.keyboard.press("ArrowUp")
    forward = "ArrowRight" if control.evaluate("input => input.type") == "range" else "ArrowDown"
    if index == size - 1 and forward == "ArrowRight":
        page.keyboard.press("End")
        return
    for _ in range(index):
        page.keyboard.press(forward)


def by_pointer(page: Page, control, index: int, size: int) -> int:
    """Move a control by pointer; the index it came to, as a slider is hit to the pixel only."""
    kind = control.evaluate("input => input.type")
    if kind == "range":
        box = control.bounding_box()
        share = index / (size - 1)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 1 + share * (box["width"] - 2), box["y"] + box["height"] / 2)
        page.mouse.up()
        return int(control.input_value())
    if kind == "checkbox":
        control.set_checked(bool(index))
    else:
        control.select_option(str(index))  # the list of a select is the system's, outside the page
    return index


def test_every_control_moves_its_figure(
    book: Path, address: str, browser: Browser, subtests: pytest.Subtests
) -> None:
    for figure in laid(book):
        with subtests.test(figure.name):
            page = browser.new_page()
            heard = complaints(page, address)
            page.goto(address + figure.page)
            page.locator(f"#{figure.name}").scroll_into_view_if_needed()
            page.locator(f"#{figure.name}[data-ready]").wait_for()
            controls = page.locator(f"#{figure.name} [data-control]").all()
            state = [
                int(c.evaluate("i => i.type === 'checkbox' ? +i.checked : i.value"))
                for c in controls
            ]
            assert_shown(page, figure, tuple(state))
            for k, (control, size) in enumerate(zip(controls, figure.sizes, strict=True)):
                for index in ends_and_middle(size):
                    by_keyboard(page, control, index, size)
                    state[k] = index
                    assert_shown(page, figure, tuple(state))
                for index in ends_and_middle(size):
                    state[k] = by_pointer(page, control, index, size)
                    assert abs(state[k] - index) <= max(1, size // 20)
                    assert_shown(page, figure, tuple(state))
            spoken = page.locator(f"#{figure.name} .live-said")
            page.wait_for_function(
                "([at, text]) => at.textContent === text",
                arg=[spoken.element_handle(), figure.at(tuple(state))[1]],
            )
            assert heard == []
            page.close()


def test_with_scripts_off_the_first_picture_is_there(
    book: Path, address: str, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for figure in laid(book):
        page.goto(address + figure.page)
        piece = page.locator(f"#{figure.name}")
        assert piece.locator("svg").bounding_box()["height"] > 100
        assert piece.locator(".live-sentence").inner_text() in figure.says
        assert not piece.locator(".live-controls").is_visible()
        assert piece.locator("path").count() > 3
    context.close()


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
        assert page.locator("#unrolled svg path").count() > 10
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


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window(book: Path, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    for path in sorted({figure.page for figure in laid(book)}):
        page.goto(f"{book.as_uri()}/{path}", wait_until="networkidle")
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} wide"
    page.close()

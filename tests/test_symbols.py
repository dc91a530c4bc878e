"""Symbols that say what they are: what the notation page holds, and what a reader of a formula meets."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, Locator, Page, expect
from small_book import made
from sphinx.errors import ExtensionError

from rnn_teach.sphinxext.symbols import key

EXTENSION = "rnn_teach.sphinxext.symbols"
# the words of the real page; there is no glossary here for its links to go to
NOTATION = re.sub(
    r"\{[a-z]+\}`([^`<]*?)(?: <[^`]*)?`",
    r"\1",
    (Path(__file__).parents[1] / "book" / "notation.md").read_text("utf-8").partition("\n")[2],
).split("## The cells")[0]
FORMULAS = r"""
Inline $h_{t-1}$ and $q$.

$$
\underset{(N,\,H)}{\frac{\partial L}{\partial h_{T-k}}}
= W_h^\top \odot f'(a_t)\, \sigma_{\max}(W_h)\, p_{K,L}\, \rho(W)^k
$$
"""
IN_ORDER = [
    "the loss",
    "hidden state after step t",
    "sequences in a batch",
    "units in the recurrent layer",
    "recurrent weights",
    "slope of the activation",
    "weighted sum at step t",
    "largest singular value",
    "recurrent weights",
    "spectral radius",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pages = {"index": FORMULAS, "book__notation": NOTATION, "words": "No formula."}
    return made(tmp_path_factory.mktemp("book"), EXTENSION, **pages)


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True) as context:
        page = context.new_page()
        page.goto((folder / "index.html").as_uri())
        yield page


def note(page: Page) -> Locator:
    return page.get_by_role("status")


def middle(piece: Locator) -> tuple[float, float]:
    box = piece.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def weights(page: Page) -> Locator:
    return page.locator("[data-mml-node=msubsup]")


@pytest.mark.parametrize(
    ("tex", "read"),
    [
        ("x_t", "x_t"),
        ("h_{t-1}", "h_t-1"),
        (r"\gamma", "γ"),
        (r"\varphi'(a)", "φ'"),
        (r"\rho(W)", "ρ"),
        (r"\sigma_{\max}(W)", "σ_max"),
        ("W_{hn}", "W_hn"),
        (r"\partial L/\partial x", None),
        (r"\hat a", None),
        (r"dh_t", None),
        ("x W", None),
        (r"\lVert v \rVert", None),
    ],
)
def test_a_symbol_of_the_page_reads_as_it_is_drawn(tex: str, read: str | None) -> None:
    assert key(tex) == read


def test_two_rows_cannot_explain_one_symbol(tmp_path: Path) -> None:
    rows = "| in equations | shape | meaning |\n|---|---|---|\n| $h_t$ | a | b |\n| $h_t$ | c | d |"
    with pytest.raises(ExtensionError, match="'h_t' stands in two rows"):
        made(tmp_path, EXTENSION, index="$x$", book__notation=rows)


def test_only_pages_with_formulas_carry_the_script(folder: Path, tmp_path: Path) -> None:
    assert 'className = "symbol-note"' in (folder / "index.html").read_text("utf-8")
    assert 'className = "symbol-note"' not in (folder / "words.html").read_text("utf-8")
    other = made(tmp_path, EXTENSION, index="$x$")  # a book without a notation page
    assert 'className = "symbol-note"' not in (other / "index.html").read_text("utf-8")


def test_the_pure_parts_in_node() -> None:
    script = Path(__file__).with_name("symbols.test.mjs")
    run = subprocess.run(
        [compute_driver_executable()[0], "--test", str(script)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "NODE_NO_WARNINGS": "1"},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "pass 3" in run.stdout, run.stdout


def test_every_symbol_of_the_page_is_named_on_the_page(page: Page, folder: Path) -> None:
    page.goto((folder / "book" / "notation.html").as_uri())
    rows = page.locator("table").nth(1).locator("tbody tr")
    signs = re.findall(r"^\| \$(.+?)\$ \|", NOTATION.split("## Signs")[0], re.MULTILINE)
    assert len(signs) == rows.count()
    for row, sign in zip(rows.all(), signs, strict=True):
        if key(sign) is None:  # such as the gradient of anything
            continue
        _, _, shape, meaning = (cell.inner_text() for cell in row.locator("td").all())
        row.locator("td").first.locator("mjx-container").focus()
        page.keyboard.press("ArrowRight")
        expect(note(page)).to_contain_text(" ".join(meaning.split()[:2]))
        expect(note(page)).to_contain_text(shape)
        assert "\\" not in note(page).inner_text()


def test_pointing_names_a_symbol_with_its_shape(page: Page) -> None:
    page.mouse.move(*middle(weights(page)))
    expect(note(page)).to_have_text(re.compile("recurrent weights.*shape .H, H.in code W_h"))
    # the way to the note is not the way out
    page.mouse.move(*middle(note(page)), steps=4)
    page.wait_for_timeout(400)
    expect(note(page)).to_contain_text("recurrent weights")
    page.mouse.move(5, 780)
    expect(note(page)).to_be_empty()


def test_a_finger_need_not_be_exact(page: Page) -> None:
    x, y = middle(page.locator("p mjx-container [data-mml-node=msub]"))
    page.touchscreen.tap(x - 14, y + 12)
    expect(note(page)).to_contain_text("hidden state after step t")
    expect(note(page)).to_contain_text("shape (N, H)")
    page.touchscreen.tap(200, 780)
    expect(note(page)).to_be_empty()


def test_the_arrow_keys_name_all_symbols_of_a_formula(page: Page) -> None:
    formula = page.locator("mjx-container[display=true]")
    page.locator("mjx-container").first.focus()
    page.keyboard.press("Tab")  # past q, which no row explains
    expect(formula).to_be_focused()
    for place, meaning in enumerate(IN_ORDER):
        expect(note(page)).to_contain_text(meaning)
        expect(note(page)).to_contain_text(f"{place + 1} of {len(IN_ORDER)}")
        page.keyboard.press("ArrowRight")
    expect(note(page)).to_contain_text("the loss")
    page.keyboard.press("ArrowLeft")
    expect(note(page)).to_contain_text("spectral radius")
    page.keyboard.press("Escape")
    expect(note(page)).to_be_empty()
    expect(formula).to_be_focused()


def test_a_formula_is_as_it_was(page: Page) -> None:
    """Neither its look, nor what is copied of it, nor what a screen reader reads, has changed."""
    formula = page.locator("mjx-container[display=true]")
    before = formula.evaluate("element => element.outerHTML")
    page.mouse.move(*middle(weights(page)))
    expect(page.locator("[data-named]")).to_have_count(1)
    page.mouse.move(5, 780)
    expect(page.locator("[data-named]")).to_have_count(0)
    assert formula.evaluate("element => element.outerHTML") == before


def test_the_note_stays_on_the_page_and_can_be_read(page: Page) -> None:
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.locator(f"html[data-theme={theme}]").wait_for()
        page.locator("mjx-container[display=true]").focus()
        for _ in IN_ORDER:
            page.keyboard.press("ArrowRight")
            box = note(page).bounding_box()
            assert box["x"] >= 0 and box["x"] + box["width"] <= 390, "inside the page"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.keyboard.press("Escape")

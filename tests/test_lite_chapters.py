"""Chapters run to their end in a real browser's own Python: two short ones, and all by `make test-lite`.

That takes an hour or more. A line for each chapter says what it took.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import lite_page
import nbformat
import pytest
from playwright.sync_api import Browser

import book as tool
import lite
from outputs import NOTEBOOKS

ALL = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
CHAPTERS = ALL if os.environ.get("LITE_CHAPTERS") == "all" else ["03_layer", "17_frameworks"]


@pytest.fixture(scope="module")
def site(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a copy of the book with its notebooks begins: below a prefix, as many hosts have it."""
    folder = tmp_path_factory.mktemp("host")
    copy = Path(shutil.copytree(book, folder / "book"))  # other tests read the one without
    source = os.environ.get("PYODIDE")
    lite.add(copy, Path(source) if source else None)
    with tool.server(folder, port=0) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{pages.server_port}/{copy.name}/"
        pages.shutdown()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_runs_to_its_end(chapter: str, site: str, browser: Browser) -> None:
    with lite_page.opened(browser, site, chapter) as here:
        began = time.monotonic()
        cells = lite_page.run_all(here)
        seconds = time.monotonic() - began
        memory = lite_page.memory(here)
    stored = nbformat.read(NOTEBOOKS / f"{chapter}.ipynb", as_version=4)
    differ = compared(cells, [cell for cell in stored.cells if cell.cell_type == "code"])
    print(f"\n{chapter:18} {seconds:5.0f} s {memory:5.0f} MB, other digits in {differ} cells")
    assert not here.foreign


def test_a_slider_moves_the_picture(site: str, browser: Browser) -> None:
    with lite_page.opened(browser, site, "02_neuron") as here:
        lite_page.run_all(here)
        figure = lite_page.first_figure(here)
        sentence = figure.locator(".live-sentence")
        before, picture = sentence.inner_text(), figure.locator("svg").first.inner_html()
        figure.locator("input[type=range]").first.focus()
        here.page.keyboard.press("End")
        here.page.wait_for_function(
            "said => document.querySelector('.live-sentence').textContent !== said", arg=before
        )
        assert figure.locator("svg").first.inner_html() != picture
    assert not here.foreign


def compared(cells: list[dict], stored: list[dict]) -> int:
    """How many cells print other digits than stored; AssertionError for an error or other words."""
    differ = 0
    assert len(cells) == len(stored)
    for cell, known in zip(cells, stored, strict=True):
        source = "".join(cell["source"])
        faults = [o for o in cell["outputs"] if o["output_type"] == "error"]
        assert not faults, f"{source}\n{faults[0]['evalue']}"
        assert cell["execution_count"], f"was not run:\n{source}"
        if "nbval-ignore-output" in known["metadata"].get("tags", []):
            continue  # what it prints depends on what is installed
        said, before = lite_page.printed(cell["outputs"]), lite_page.printed(known["outputs"])
        assert lite_page.words(said) == lite_page.words(before), f"{source}\n{said}\nnot\n{before}"
        differ += said != before
        shown = [o for o in cell["outputs"] if o["output_type"] == "execute_result"]
        assert len(shown) == sum(o["output_type"] == "execute_result" for o in known["outputs"])
        assert "stderr" not in [o.get("name") for o in cell["outputs"]], cell["outputs"]
    return differ

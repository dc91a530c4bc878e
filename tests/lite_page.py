"""A chapter opened in JupyterLite, run and read: the notebook is asked through JupyterLite's own objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Route

MINUTES = 60_000
NUMBER = re.compile(r"[-−+]?\d[\d.,]*(?:[eE][-+]?\d+)?|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
RUN = """() => {
  const panel = jupyterapp.shell.currentWidget;
  window.ended = "";
  jupyterapp.commands.execute("notebook:run-all-cells")
    .then(() => (window.ended = "yes"), (error) => (window.ended = String(error)));
}"""
READY = """() => {
  const panel = window.jupyterapp?.shell.currentWidget;
  return panel?.context?.isReady && panel.sessionContext?.session?.kernel?.status === "idle";
}"""
CELLS = """() => jupyterapp.shell.currentWidget.content.model.toJSON().cells
  .filter((cell) => cell.cell_type === "code")"""
SHOW = """() => {
  const { content } = jupyterapp.shell.currentWidget;
  const widget = "application/vnd.jupyter.widget-view+json";
  const k = content.model.toJSON().cells
    .findIndex((cell) => cell.outputs?.some((output) => output.data?.[widget]));
  content.activeCellIndex = k;
  return content.scrollToItem(k, "center");
}"""
SAID = """(code) => new Promise((done) => {
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const asked = kernel.requestExecute({ code, store_history: false });
  let text = "";
  asked.onIOPub = (message) => (text += message.content.text ?? message.content.evalue ?? "");
  asked.done.then(() => done(text));
})"""


class Opened:
    """A page with a chapter in it, and what it asked of other hosts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.foreign: list[str] = []


@contextmanager
def opened(browser: Browser, site: str, chapter: str) -> Iterator[Opened]:
    """The chapter as the book's button opens it, its kernel ready; other hosts are refused."""
    context = browser.new_context()
    here = Opened(context.new_page())

    def refuse(route: Route) -> None:
        here.foreign.append(route.request.url)
        route.abort()

    context.route(lambda url: not url.startswith((site, "data:", "blob:")), refuse)
    here.page.goto(f"{site}notebooks/{chapter}.html")
    here.page.locator("[data-offer=lite]").click()
    here.page.wait_for_function(READY, timeout=3 * MINUTES)
    yield here
    context.close()


def run_all(here: Opened) -> list[dict[str, Any]]:
    """Run all cells; the code cells with their outputs."""
    here.page.evaluate(RUN)
    here.page.wait_for_function("() => window.ended", timeout=40 * MINUTES, polling=500)
    return here.page.evaluate(CELLS)


def first_figure(here: Opened) -> Locator:
    """The chapter's first live figure, brought into view: what lies elsewhere is not drawn."""
    here.page.evaluate(SHOW)
    figure = here.page.locator("figure.live").first
    figure.wait_for(timeout=MINUTES)
    return figure


def memory(here: Opened) -> float:
    """Megabytes that Python has taken of the browser."""
    size = "import pyodide_js; print(pyodide_js._module.HEAPU8.length)"
    return int(here.page.evaluate(SAID, size)) / 1e6


def printed(outputs: list[dict[str, Any]]) -> str:
    """What a cell has printed."""
    texts = [o["text"] for o in outputs if o["output_type"] == "stream" and o["name"] == "stdout"]
    return "".join("".join(text) for text in texts)


def words(text: str) -> list[str]:
    """The text without its numbers, whose last digits are each machine's own."""
    return NUMBER.sub("#", text).split()

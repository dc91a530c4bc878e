"""Takes pictures of pages of the built book, wide and narrow, light and dark, on one sheet for review."""

from __future__ import annotations

import argparse
import shutil
import sys
import threading
from collections.abc import Sequence
from html import escape
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from book import ROOT, build, server
from browser import find_or_install

# the cover, a figure, formulas, questions, a table, and the glossary
PAGES = (
    "book/intro",
    "notebooks/06_vanishing#gradient-flow",
    "notebooks/08_lstm#the-equations",
    "notebooks/02_neuron#three-questions",
    "book/results#results-adding",
    "book/glossary",
)
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")
SHOW = """async (id) => {
  const place = document.getElementById(id);
  place?.scrollIntoView({ behavior: "instant" });
  await new Promise((done) => setTimeout(done, 300)); // what comes into view is set moving
  return place !== null;
}"""
SHEET = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>How the book looks</title>
<style>
  body {{ margin: 2rem; background: #6b7280; color: #fff; font: 1rem/1.4 system-ui, sans-serif }}
  section {{ display: flex; flex-wrap: wrap; gap: 1rem; margin-bottom: 3rem }}
  h2 {{ width: 100%; margin: 0; font-size: 1.2rem }}
  img {{ height: 30rem; border-radius: 4px }}
</style>
{rows}
</html>
"""


def shoot(
    browser: Browser, address: str, pages: Sequence[str], out: Path, *, full: bool = False
) -> Path:
    """Write a picture of each page at each size in each theme, and the sheet with all of them.

    A page is named as in ``_toc.yml``; ``#name`` behind it scrolls to that heading or figure.
    With ``full`` the whole page is taken. Raises ValueError for a page or a name that is not there.
    """
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    rows: dict[str, list[str]] = {page: [] for page in pages}
    for (size, (width, height)), theme in product(SIZES.items(), THEMES):
        tab = browser.new_page(color_scheme=theme, viewport={"width": width, "height": height})
        for page in pages:
            path, _, name = page.partition("#")
            if (answer := tab.goto(f"{address}{path}.html")) and not answer.ok:
                raise ValueError(
                    f"pages: {path!r} is not in the book; expected a name as in _toc.yml, "
                    "such as 'notebooks/05_bptt'"
                )
            if name and not tab.evaluate(SHOW, name):
                raise ValueError(
                    f"pages: {path!r} has no {name!r}; expected what stands behind the # in a "
                    "heading's link, or a figure's name"
                )
            picture = f"{page.replace('/', '-').replace('#', '--')}.{size}.{theme}.png"
            tab.screenshot(path=out / picture, full_page=full)
            rows[page].append(f'<img src="{picture}" alt="{escape(page)}, {size}, {theme}">')
        tab.close()
    sections = (f"<section><h2>{escape(p)}</h2>{''.join(r)}</section>" for p, r in rows.items())
    sheet = out / "index.html"
    sheet.write_text(SHEET.format(rows="\n".join(sections)), encoding="utf-8")
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", default=PAGES, help="such as book/notation#words")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "shots")
    parser.add_argument("--full", action="store_true", help="whole pages, not what is on a screen")
    arguments = parser.parse_args()
    html, chromium = build(), find_or_install()
    with server(html, port=0) as served, sync_playwright() as playwright:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            address = f"http://127.0.0.1:{served.server_port}/"
            sheet = shoot(browser, address, arguments.pages, arguments.out, full=arguments.full)
            print(f"All pictures are on {sheet.as_uri()}")
        except ValueError as error:
            sys.exit(str(error))
        finally:
            browser.close()
            served.shutdown()


if __name__ == "__main__":
    main()

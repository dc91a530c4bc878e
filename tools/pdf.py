"""Prints the whole book as one PDF beside its pages, and looks it over; nothing is printed twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from playwright.sync_api import Browser, Page, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

import book
import browser
import offers
from binding import bind
from paper import chapters

NAME = "rnn_teach.pdf"
MOST = 15_000_000  # bytes
COLUMN = 506  # the width of the text in CSS pixels; pdf.css says it in millimeters

# what is wider than the column gets smaller letters until it fits; what is long may break
FIT = """() => document.fonts.ready.then(() => {
  const small = [];
  for (const box of document.querySelectorAll("pre, table, div.math, mjx-container[display]")) {
    const size = parseFloat(getComputedStyle(box).fontSize);
    let scale = 1;
    for (let k = 0; k < 4; k++) {
      const room = box.tagName === "TABLE" ? box.parentElement.clientWidth : box.clientWidth;
      const wide = box.tagName === "TABLE" ? box.offsetWidth : box.scrollWidth;
      if (wide <= room + 1) break;
      scale *= (0.98 * room) / wide;
      box.style.fontSize = `${scale * size}px`;
    }
    if (scale < 0.7) small.push(`${scale.toFixed(2)} ${box.textContent.trim().slice(0, 60)}`);
  }
  for (const box of document.querySelectorAll("pre")) {
    if (box.offsetHeight > 240) box.classList.add("long");
  }
  return small;
})"""
FILL = """(pages) => [...document.querySelectorAll("[data-at]")].filter((where) => {
  where.textContent = pages[where.dataset.at] ?? "?";
  return !(where.dataset.at in pages);
}).map((where) => where.dataset.at)"""
CUT = """() => {
  const edge = document.querySelector("main").getBoundingClientRect().right + 1;
  return [...document.querySelectorAll(".chapter :not(svg *)")]
    .filter((box) => box.getBoundingClientRect().right > edge)
    .map((box) => `${box.closest(".chapter").id}: ${box.textContent.trim().slice(0, 60)}`);
}"""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4")]
  .map((heading) => heading.textContent.trim().replace(/\\s+/g, " "))"""
UNSEEN = """() => [...document.querySelectorAll("figure")]
  .filter((figure) => !figure.querySelector("svg")?.getBoundingClientRect().height)
  .map((figure) => figure.id)"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that prints, installed first if there is none."""
    program = browser.find_or_install()
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = ["--no-sandbox"] if as_root else []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=arguments)
        yield launched
        launched.close()


def pdf(html: Path, root: Path, printer: Browser) -> Path:
    """Print the pages in `html` in the order of `_toc.yml` in `root`; return the PDF among them.

    Raises ValueError if a page is missing, a link leads nowhere, a figure is not seen, another host
    is asked, or the file is too large.
    """
    out = root / "_build" / "pdf"
    out.mkdir(parents=True, exist_ok=True)
    source = out / "book.html"
    source.write_text(bind(chapters(html, root / "_toc.yml"), html, root), "utf-8")
    page = printer.new_page(viewport={"width": COLUMN, "height": 800})
    try:
        laid_out, headings = lay_out(page, source), page.evaluate(HEADINGS)
    finally:
        page.close()
    made = html / NAME
    finish(laid_out, made, root, headings)
    return made


def lay_out(page: Page, source: Path) -> Path:
    """Print until every page number in the text is the right one."""
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("requestfailed", lambda r: asked.append(f"missing {r.url}"))
    page.set_default_timeout(600_000)  # milliseconds, for a large book on a busy machine
    page.emulate_media(media="print", color_scheme="light")
    page.goto(source.as_uri())
    for said in page.evaluate(FIT):
        print(f"small letters: {said}")
    faults = {
        "figures without a picture": page.evaluate(UNSEEN),
        "wider than the column": page.evaluate(CUT),
        "asked from elsewhere, or missing": [
            url for url in asked if not url.startswith(("file:", "data:"))
        ],
    }
    for what, found in faults.items():
        if found:
            raise ValueError("\n".join((f"{what}:", *found[:20])))
    printed, pages = source.with_suffix(".pdf"), {}
    for tagged in (False, True, True, True):  # tags take their time and move nothing
        page.pdf(
            path=printed,
            prefer_css_page_size=True,
            print_background=True,
            tagged=tagged,
            outline=tagged,
        )
        before, pages = pages, numbers(printed)
        if pages == before:
            return printed
        if lost := page.evaluate(FILL, pages):
            raise ValueError(f"nothing in the PDF leads to {', '.join(lost)}")
    raise ValueError("the page numbers still moved when the book was printed for the fourth time")


def numbers(printed: Path) -> dict[str, int]:
    """On which page each linked place is, counted from the cover."""
    reader = PdfReader(printed)
    places = reader.named_destinations
    return {
        name.removeprefix("/"): reader.get_destination_page_number(place) + 1
        for name, place in places.items()
    }


def finish(printed: Path, made: Path, root: Path, headings: list[str]) -> None:
    """Say in the file what it is, let it open with its outline, and look at its size."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    writer = PdfWriter(clone_from=printed)
    writer.add_metadata({"/Title": config["title"], "/Author": config["author"]})
    writer.page_mode = "/UseOutlines"
    # Chromium 156 writes some of them twice, or without a space where a line ends
    for entry, heading in zip(entries(writer.root_object["/Outlines"]), headings, strict=True):
        entry[NameObject("/Title")] = TextStringObject(heading)
    writer.write(made)
    size = made.stat().st_size
    if size > MOST:
        made.unlink()
        raise ValueError(f"the PDF has {size:,} bytes, expected at most {MOST:,}")


def entries(entry: DictionaryObject, step: str = "/First") -> Iterator[DictionaryObject]:
    """The entries of an outline below one of them, in the order of the pages."""
    if step in entry:
        found = entry[step]
        yield found
        yield from entries(found)
        yield from entries(found, "/Next")


def make(html: Path, root: Path = book.ROOT) -> None:
    """Print the built book if it is another than the one that was printed, and link to it."""
    printed_from, built_from = root / "_build" / "pdf" / "printed-from.txt", html / "built-from.txt"
    made = html / NAME
    both = made.is_file() and printed_from.is_file()
    if both and printed_from.read_text() == built_from.read_text():
        print(f"Nothing has changed; the book on paper is {made}")
        return
    with chromium() as printer:
        pdf(html, root, printer)
    offers.show(html, "pdf")
    printed_from.parent.mkdir(parents=True, exist_ok=True)
    printed_from.write_text(built_from.read_text())
    print(f"The book on paper is {made}, {made.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    try:
        make(book.build())
    except subprocess.CalledProcessError:
        sys.exit("The book was not built. The cause stands above.")
    except ValueError as error:
        sys.exit(f"No PDF was made: {error}")


if __name__ == "__main__":
    main()

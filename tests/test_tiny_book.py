"""The chapter on live figures, followed: its blocks are the tiny book, and the tiny book works."""

from __future__ import annotations

import re
from pathlib import Path

from engines import Window
from reader import Reader

ROOT = Path(__file__).parents[1]
CHAPTER = (ROOT / "book" / "figures.md").read_text("utf-8")
SOURCE = ROOT / "tests" / "tiny_book"


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language; a cell is Python."""
    found = re.findall(r"^```(\S+).*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    names = {"{code-cell}": "python"}
    return [block for name, block in found if names.get(name, name) == language]


def test_the_tiny_book_is_what_the_chapter_says() -> None:
    said = blocks(CHAPTER, "python")
    for page in ("first.md", "more.md"):
        for cell in blocks((SOURCE / page).read_text("utf-8"), "python"):
            assert cell in said, f"the chapter does not have this cell of {page}:\n{cell}"
    assert (SOURCE / "_config.yml").read_text("utf-8") in blocks(CHAPTER, "yaml")
    first = (SOURCE / "first.md").read_text("utf-8")
    (setting,) = re.findall(r"\{set\}`[^`]*`", first)
    assert setting in CHAPTER


def test_there_are_two_pages_to_follow() -> None:
    assert sorted(path.name for path in SOURCE.iterdir()) == [
        "_config.yml",
        "_toc.yml",
        "first.md",
        "more.md",
    ]


def test_its_figure_moves(tiny: Path, window: Window) -> None:
    reader = Reader(window, tiny.as_uri() + "/")
    reader.open("first.html", "wave")
    curve = """() => document.querySelector("#wave [id^=wave-slot] path").getAttribute("d")"""
    before = window.run(curve)
    reader.focus("#wave input")
    window.press("End")
    reader.says("wave", "A sine with gain 2.0 rises to 2.00.")
    assert window.run(curve) != before

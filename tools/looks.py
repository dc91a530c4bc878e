"""Tells every page where it stands in the book: part and number above a chapter's title, and the contents beside it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from sphinx.application import Sphinx


@dataclass(frozen=True)
class Entry:
    """A page of the contents."""

    page: str
    title: str
    number: int | None
    """Of a chapter, that is, of a notebook; other pages have none."""


@dataclass(frozen=True)
class Part:
    """A part of the book, with its pages in the order of ``_toc.yml``."""

    caption: str
    entries: list[Entry]


def story(app: Sphinx) -> list[Part]:
    """The contents, with the chapters numbered through all parts."""
    site = app.env.external_site_map
    parts, number = [], 0
    for tree in site.root.subtrees:
        entries = []
        for page in map(str, tree.items):
            is_chapter = page.startswith("notebooks/")
            number += is_chapter
            title = app.env.titles[page].astext()
            entries.append(Entry(page, title, number if is_chapter else None))
        parts.append(Part(tree.caption or "", entries))
    return parts


def place(parts: list[Part], page: str) -> str:
    """Where a chapter stands, such as "Part I · Memory · Chapter 2"; "" for other pages."""
    for part in parts:
        for entry in part.entries:
            if entry.page == page and entry.number:
                return f"{part.caption} · Chapter {entry.number}"
    return ""


def tell(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Give the template of the sidebar its contents, and the page the line above its title."""
    context["story"] = parts = story(app)
    if where := place(parts, page):
        line = f'<p class="place">{escape(where)}</p>\n<h1>'
        context["body"] = context["body"].replace("<h1>", line, 1)


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""
    app.connect("html-page-context", tell)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""What search engines and other sites are told of each page: a description, and with `html.baseurl` an address.

Without that option of _config.yml no page knows where it is published, and none says so.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from posixpath import join
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

import cards

LONGEST = 160  # characters of a description; search engines cut what is longer
ENOUGH = 60


def description(doctree: nodes.document) -> str:
    """The first sentences of a page, without formulas, cut between two words.

    Paragraphs follow the first one only while it is as short as a slogan.
    """
    said = ""
    for paragraph in doctree.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section | nodes.document) and len(said) < ENOUGH:
            said = f"{said} {_words(paragraph)}".strip()
    return shortened(said)


def _words(paragraph: nodes.paragraph) -> str:
    silent = (nodes.math, nodes.raw, nodes.image)
    words = (
        text.astext()
        for text in paragraph.findall(nodes.Text)
        if not isinstance(text.parent, silent)
    )
    return " ".join("".join(words).split())


def shortened(text: str, most: int = LONGEST) -> str:
    """Whole sentences if they say enough, otherwise whole words and an ellipsis.

    >>> shortened("It remembers. It forgets.", 20), shortened("It remembers what it read.", 20)
    ('It remembers.', 'It remembers what…')
    """
    if len(text) <= most:
        return text
    sentences = [found.end() for found in re.finditer(r"[.?!](?=\s)", text[: most + 1])]
    if sentences and sentences[-1] > most / 2:
        return text[: sentences[-1]]
    return text[:most].rpartition(" ")[0].rstrip(" ,;:") + "…"


def describe(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put into the page's head what others may say of it."""
    book = app.config.html_title
    title = context.get("title") or {"genindex": "Index", "search": "Search"}.get(page, page)
    told = (description(doctree) if doctree else "") or f"{title}: {book}"
    tags = {"name": {"description": told}}
    if context.get("pageurl") and doctree:
        card = cards.Card(app.env.titles[page].astext(), _above(app, page), _number(page))
        tags["property"] = {
            "og:type": "website" if page == app.config.root_doc else "article",
            "og:site_name": book,
            "og:title": card.title,
            "og:description": told,
            "og:url": context["pageurl"],
            "og:image": join(app.config.html_baseurl, cards.file(page)),
            "og:image:width": str(cards.SIZE[0]),
            "og:image:height": str(cards.SIZE[1]),
            "og:image:alt": f"{card.title} ({book})",
        }
        tags["name"]["twitter:card"] = "summary_large_image"
        app.env.book_cards[page] = card
    lines = [
        f'<meta {kind}="{name}" content="{escape(value)}" />'
        for kind, values in tags.items()
        for name, value in values.items()
    ]
    context["metatags"] = "\n".join((context.get("metatags", ""), *lines, ""))
    if page == app.config.root_doc:
        app.env.book_head = [*lines, *_canonical(context.get("pageurl"))]


def _canonical(address: str | None) -> list[str]:
    return [f'<link rel="canonical" href="{escape(address)}" />'] if address else []


def _above(app: Sphinx, page: str) -> str:
    """What a card says above the title: a chapter's part in _toc.yml and its number."""
    if (number := _number(page)) is None:
        return "An interactive book"
    site = app.env.external_site_map
    part = next((tree.caption for tree in site.root.subtrees if page in tree.files()), None)
    return f"{part or app.config.html_title}, chapter {number}"


def _number(page: str) -> int | None:
    """A chapter's number, by the name of its file."""
    number = page.rpartition("/")[2].partition("_")[0]
    return int(number) if number.isdigit() else None


def begin(app: Sphinx) -> None:
    app.env.book_cards, app.env.book_head = {}, []


def finish(app: Sphinx, error: Exception | None) -> None:
    """Write what stands beside the pages: robots.txt, the sitemap, the cards, the first page's head."""
    if error or app.builder.format != "html":
        return
    out, address = Path(app.outdir), app.config.html_baseurl
    robots = ["User-agent: *", "Allow: /"]
    if address:
        robots.append(f"Sitemap: {join(address, 'sitemap.xml')}")
        (out / "sitemap.xml").write_text(sitemap(app), "utf-8")
        cards.draw(app.env.book_cards, out, app.config.html_title)
    (out / "robots.txt").write_text("\n".join((*robots, "")), "utf-8")
    # who shares the site's own address shares index.html, which only leads on
    first = out / "index.html"
    head = "\n".join(("</title>", *app.env.book_head))
    first.write_text(first.read_text("utf-8").replace("</title>", head, 1), "utf-8")


def sitemap(app: Sphinx) -> str:
    """The addresses of all pages, for search engines."""
    addresses = (
        join(app.config.html_baseurl, app.builder.get_target_uri(page))
        for page in sorted(app.env.found_docs)
    )
    urls = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    name_space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{name_space}">\n{urls}</urlset>\n'
    )


def style(app: Sphinx, config: Any) -> None:
    config.html_static_path.append("book/found.css")


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""
    app.add_css_file("found.css")
    app.connect("config-inited", style)
    app.connect("builder-inited", begin)
    app.connect("html-page-context", describe)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
